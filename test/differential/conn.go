package differential

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/ottla/ottla/internal/wire"
)

const (
	clientID  = "differential"
	patience  = 30 * time.Second // for an answer that must come
	quietTime = 3 * time.Second  // after which a broker that may stay silent counts as silent
)

// conn is one connection to a broker; requests may be sent ahead of their answers.
type conn struct {
	net.Conn
	correlation int32
	pending     []sent
}

type sent struct {
	key, version int16
	correlation  int32
	at           time.Time
	step         Step // for answers that are asked for later
}

func dial(addr string) (*conn, error) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	c, err := net.DialTimeout("tcp", "127.0.0.1:"+port, patience) // the same family for both, DescribeGroups shows it
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c}, nil
}

// frame encodes header and body, without the length in front.
func (c *conn) frame(version int16, request wire.Message) ([]byte, error) {
	var w wire.Writer
	id := clientID
	c.correlation++
	header := wire.RequestHeader{RequestApiKey: request.Key(), RequestApiVersion: version, CorrelationID: c.correlation, ClientID: &id}
	header.Encode(&w, wire.RequestHeaderVersion(request.Key(), version))
	request.Encode(&w, version)
	return w.Bytes(), w.Err()
}

// write sends a frame; with expect it is one that will be answered.
func (c *conn) write(frame []byte, key, version int16, expect bool) error {
	if expect {
		c.pending = append(c.pending, sent{key: key, version: version, correlation: c.correlation, at: time.Now()})
	}
	c.SetWriteDeadline(time.Now().Add(patience))
	_, err := c.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(frame))), frame...))
	return err
}

// An outcome is what came back for one request.
type outcome struct {
	answer wire.Message // nil if none came
	says   string       // what happened instead of a proper answer
	took   time.Duration
}

// read waits for the answer to the oldest pending request.
func (c *conn) read(limit time.Duration) outcome {
	rq := c.pending[0]
	c.pending = c.pending[1:]
	c.SetReadDeadline(time.Now().Add(limit))
	frame, err := c.readFrame()
	took := time.Since(rq.at)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return outcome{says: fmt.Sprintf("no answer within %v", limit), took: took}
	case err != nil:
		return outcome{says: "connection closed", took: took}
	case len(frame) < 4:
		return outcome{says: fmt.Sprintf("a frame of %d bytes", len(frame)), took: took}
	}
	o := decode(frame, rq)
	o.took = took
	return o
}

func (c *conn) readFrame() ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > 64<<20 {
		return nil, fmt.Errorf("a frame of %d bytes", n)
	}
	frame := make([]byte, n)
	_, err := io.ReadFull(c, frame)
	return frame, err
}

func decode(frame []byte, rq sent) outcome {
	r := wire.NewReader(frame)
	var header wire.ResponseHeader
	if err := header.Decode(r, wire.ResponseHeaderVersion(rq.key, rq.version)); err != nil {
		return outcome{says: "a wrong header: " + err.Error()}
	}
	if header.CorrelationID != rq.correlation {
		return outcome{says: "an answer to another request"}
	}
	version := rq.version
	const apiVersions = 18
	if api, _ := wire.FindAPI(rq.key); rq.key == apiVersions && version > api.Max {
		version = 0 // KIP-511: an answer that every client can read
	}
	answer := wire.NewResponse(rq.key)
	if answer == nil {
		return outcome{says: fmt.Sprintf("an answer of %d bytes", len(frame))}
	}
	if err := answer.Decode(r, version); err != nil {
		return outcome{says: "an answer that cannot be decoded: " + err.Error()}
	}
	if err := r.Done(); err != nil {
		return outcome{answer: answer, says: "trailing bytes: " + err.Error()}
	}
	return outcome{answer: answer}
}
