package conformance

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const answerLimit = 30 * time.Second

// A peer is a raw connection to a broker.
type peer struct {
	*net.TCPConn
	t *testing.T
}

// dial connects; from is the peer's own loopback address, so that the broker's log can be searched for it. Elsewhere than on
// Linux 127.0.0.1 is the only one.
func dial(t *testing.T, tg target, from string) peer {
	t.Helper()
	d := net.Dialer{Timeout: answerLimit}
	if from != "" && runtime.GOOS == "linux" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	_, port, err := net.SplitHostPort(tg.addr)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := d.DialContext(t.Context(), "tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(answerLimit))
	return peer{conn.(*net.TCPConn), t}
}

// send writes what the broker takes: it may close the connection before it has read all.
func (p peer) send(b []byte) { _, _ = p.Write(b) }

// wantClosed reads until the broker closes the connection and returns what it said before.
func (p peer) wantClosed() []byte {
	p.t.Helper()
	said, err := io.ReadAll(io.LimitReader(p, 1<<20))
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		p.t.Errorf("the connection was not closed within %v", answerLimit)
	}
	return said
}

// ask sends a request and decodes the answer.
func (p peer) ask(rq kmsg.Request) kmsg.Response {
	p.t.Helper()
	rs, err := p.exchange(rq)
	if err != nil {
		p.t.Fatal(err)
	}
	return rs
}

// exchange is ask for other goroutines than the test's.
func (p peer) exchange(rq kmsg.Request) (kmsg.Response, error) {
	f := kmsg.NewRequestFormatter(kmsg.FormatterClientID("conformance"))
	p.send(f.AppendRequest(nil, rq, 1))
	var size [4]byte
	if _, err := io.ReadFull(p, size[:]); err != nil {
		return nil, fmt.Errorf("%s v%d: no answer: %w", kmsg.NameForKey(rq.Key()), rq.GetVersion(), err)
	}
	body := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(p, body); err != nil {
		return nil, err
	}
	header := 4 // correlation id
	rs := rq.ResponseKind()
	if rs.IsFlexible() && rq.Key() != int16(kmsg.ApiVersions) {
		header++ // no tags
	}
	if err := rs.ReadFrom(body[header:]); err != nil {
		return nil, fmt.Errorf("%s v%d: %w", kmsg.NameForKey(rq.Key()), rq.GetVersion(), err)
	}
	return rs, nil
}

// frame puts the length in front of a request.
func frame(body []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

// header begins a request: api key, version, correlation id, client id.
func header(key, version int16) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(key))
	b = binary.BigEndian.AppendUint16(b, uint16(version))
	b = binary.BigEndian.AppendUint32(b, 1)
	return append(b, 0, 3, 'b', 'a', 'd')
}
