package peer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

func frameOf(size uint32, body ...byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, size), body...)
}

func TestAnswersThatMakeNoSenseEndTheConnection(t *testing.T) {
	cases := map[string]struct {
		raw  func(h wire.RequestHeader) []byte
		want string
	}{
		"too large":     {func(wire.RequestHeader) []byte { return frameOf(1 << 30) }, "at most"},
		"negative size": {func(wire.RequestHeader) []byte { return frameOf(1 << 31) }, "at most"},
		"empty":         {func(wire.RequestHeader) []byte { return frameOf(0) }, "BrokerHeartbeat"},
		"cut short":     {func(h wire.RequestHeader) []byte { return frameOf(6, 0, 0, 0, 1, 0, 0) }, "BrokerHeartbeat"},
		"to another": {func(h wire.RequestHeader) []byte {
			h.CorrelationID += 5
			return respond(h, new(wire.BrokerHeartbeatResponse))
		}, "it answers request 6"},
		"twice": {func(h wire.RequestHeader) []byte {
			return bytes.Repeat(respond(h, new(wire.BrokerHeartbeatResponse)), 2)
		}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inBench(t, Options{}, func(b *bench) {
				b.net.listen(home, (&host{raw: c.raw}).serve)
				b.send(1)
				r := b.take()
				if len(r) != 1 {
					t.Fatalf("results %+v", r)
				}
				if c.want != "" && (!errors.Is(r[0].err, kafka.NetworkException) || !strings.Contains(r[0].err.Error(), c.want)) {
					t.Errorf("error %v, want one with %q", r[0].err, c.want)
				}
				time.Sleep(maxPause)
				if b.net.dialed() < 2 {
					t.Error("the connection lives on")
				}
			})
		})
	}
}

func TestAPeerThatDoesNotSpeakKafkaIsNotAskedInALoop(t *testing.T) {
	inBench(t, Options{}, func(b *bench) {
		b.net.listen(home, func(conn net.Conn) {
			readFrame(conn)
			conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			conn.Close()
		})
		b.send(1)
		time.Sleep(10 * time.Second)
		if r := b.take(); len(r) != 1 || !errors.Is(r[0].err, kafka.BrokerNotAvailable) {
			t.Errorf("%+v", r)
		}
		if n := b.net.dialed(); n > 60 {
			t.Errorf("%d attempts in 10 s", n)
		}
	})
}

func TestAPeerThatHangsUpAfterTheVersionsIsNotAskedInALoop(t *testing.T) {
	inBench(t, Options{}, func(b *bench) {
		b.net.listen(home, func(conn net.Conn) {
			(&host{}).serveVersions(conn)
			conn.Close()
		})
		b.send(1)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := b.net.dialed(); n > 60 {
			t.Errorf("%d attempts in 10 s", n)
		}
	})
}

// What a peer announces costs nothing.
func TestAnAnnouncedSizeCostsNoMemory(t *testing.T) {
	const size = 90 << 20
	in := newFrames(bytes.NewReader(frameOf(size, 1, 2, 3)), 100<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := in.next(); err == nil {
		t.Fatal("a frame without its bytes was read")
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("%d bytes were allocated", got)
	}
}

func TestLargeFramesAreReadWholeAndTheirMemoryGivenBack(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789abcdef"), 1<<17)
	input := frameOf(uint32(len(body)), body...)
	for range 40 {
		input = append(input, frameOf(3, 'a', 'b', 'c')...)
	}
	in := newFrames(bytes.NewReader(input), 100<<20)
	if got, err := in.next(); err != nil || !bytes.Equal(got, body) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	for range 40 {
		if got, err := in.next(); err != nil || string(got) != "abc" {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if cap(in.frame) >= keptBytes {
		t.Errorf("%d bytes are kept for frames of 3", cap(in.frame))
	}
}
