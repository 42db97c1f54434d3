package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/wire"
)

// answerLimit is how long a broker has for any answer; the longest poll of the benchmark is half a second.
const answerLimit = 60 * time.Second

// maxAnswer bounds what a length field is believed.
const maxAnswer = 64 << 20

var clientID = "ottla-bench"

// A conn asks a broker things outside the measured time.
type conn struct {
	net.Conn
	last int32 // correlation id
}

func dial(ctx context.Context, addr string) (*conn, error) {
	d := net.Dialer{Timeout: 5 * time.Second}
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c}, nil
}

// ask sends a request in the given version and decodes the answer.
func (c *conn) ask(version int16, rq, rs wire.Message) error {
	return c.askWithin(answerLimit, version, rq, rs)
}

// askWithin is ask with a limit of its own.
func (c *conn) askWithin(limit time.Duration, version int16, rq, rs wire.Message) error {
	c.last++
	frame, err := encode(rq, version, c.last)
	if err != nil {
		return err
	}
	c.SetDeadline(time.Now().Add(limit))
	defer c.SetDeadline(time.Time{})
	if _, err := c.Write(frame); err != nil {
		return err
	}
	payload, err := readFrame(c)
	if err != nil {
		return fmt.Errorf("answer to API %d version %d: %w", rq.Key(), version, err)
	}
	var head wire.ResponseHeader
	r := wire.NewReader(payload)
	if err := head.Decode(r, wire.ResponseHeaderVersion(rq.Key(), version)); err != nil {
		return err
	}
	if head.CorrelationID != c.last {
		return fmt.Errorf("answer to API %d has correlation id %d, want %d", rq.Key(), head.CorrelationID, c.last)
	}
	if err := rs.Decode(r, version); err != nil {
		return fmt.Errorf("answer to API %d version %d: %w", rq.Key(), version, err)
	}
	return r.Done()
}

// encode returns the frame of a request, with its length prefix, in memory of its own.
func encode(rq wire.Message, version int16, correlation int32) ([]byte, error) {
	var w wire.Writer
	w.BeginFrame()
	head := wire.RequestHeader{RequestApiKey: rq.Key(), RequestApiVersion: version, CorrelationID: correlation, ClientID: &clientID}
	head.Encode(&w, wire.RequestHeaderVersion(rq.Key(), version))
	rq.Encode(&w, version)
	w.EndFrame()
	return w.Bytes(), w.Err()
}

// readFrame reads one answer without its length prefix.
func readFrame(r io.Reader) ([]byte, error) { return appendFrame(nil, r) }

// appendFrame is readFrame into memory that can be used again.
func appendFrame(to []byte, r io.Reader) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > maxAnswer {
		return nil, fmt.Errorf("an answer of %d bytes", n)
	}
	to = slices.Grow(to, int(n))
	payload := to[:len(to)+int(n)]
	_, err := io.ReadFull(r, payload[len(to):])
	return payload, err
}

// awaitAnswer returns when the broker at addr answers ApiVersions, or when it has exited or the limit has passed.
func awaitAnswer(ctx context.Context, addr string, exited <-chan struct{}, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		err := askVersions(ctx, addr)
		if err == nil {
			return nil
		}
		select {
		case <-exited:
			return fmt.Errorf("exited before it answered on %s", addr)
		case <-ctx.Done():
			return fmt.Errorf("no answer on %s: %w (last: %v)", addr, ctx.Err(), err)
		case <-time.After(time.Millisecond):
		}
	}
}

func askVersions(ctx context.Context, addr string) error {
	c, err := dial(ctx, addr)
	if err != nil {
		return err
	}
	defer c.Close()
	rq := wire.ApiVersionsRequest{ClientSoftwareName: clientID, ClientSoftwareVersion: "1"}
	var rs wire.ApiVersionsResponse
	if err := c.ask(3, &rq, &rs); err != nil {
		return err
	}
	if rs.ErrorCode != 0 {
		return fmt.Errorf("ApiVersions answered with error code %d", rs.ErrorCode)
	}
	return nil
}
