package server_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/server"
	"github.com/ottla/ottla/internal/wire"
)

// inMemory is a source that is no file.
type inMemory []byte

func (m inMemory) ReadFrom(p []byte, skip int) (int, error) {
	if n := copy(p, m[min(skip, len(m)):]); n < len(p) {
		return n, io.ErrUnexpectedEOF
	}
	return len(p), nil
}

// inFile is a source that the kernel can send.
type inFile struct {
	inMemory
	file     *os.File
	position int64
}

func (f inFile) File() (*os.File, int64) { return f.file, f.position }

func deferredContent(size int) []byte {
	content := make([]byte, size)
	for i := range content {
		content[i] = byte(i>>16) ^ byte(i*7)
	}
	return content
}

// fileOf returns a source in a file, where only the first so many bytes of it are.
func fileOf(t *testing.T, content []byte, there int) inFile {
	t.Helper()
	name := filepath.Join(t.TempDir(), "segment")
	if err := os.WriteFile(name, append(make([]byte, 777), content[:there]...), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return inFile{inMemory(content[:there]), f, 777}
}

const deferredVersion = 11

// replyDeferred answers with one partition whose records are deferred, and one whose are not.
func replyDeferred(rq *server.Request, from wire.Source, size int) {
	m := fetchResponse(wire.Deferred(), []byte("after"))
	rq.Defer(from, size)
	w := rq.Writer()
	m.Encode(w, deferredVersion)
	rq.Reply(w)
}

func fetchResponse(records ...[]byte) *wire.FetchResponse {
	var m wire.FetchResponse
	m.Reset()
	m.Responses = make([]wire.FetchResponseFetchableTopicResponse, 1)
	for _, r := range records {
		var p wire.FetchResponsePartitionData
		p.Reset()
		p.Records = r
		m.Responses[0].Partitions = append(m.Responses[0].Partitions, p)
	}
	return &m
}

func TestDeferredRecordsArriveWhole(t *testing.T) {
	const size = 1<<20 + 12345
	content := deferredContent(size)
	sources := map[string]wire.Source{"memory": inMemory(content), "file": fileOf(t, content, size)}
	for name, from := range sources {
		for _, transport := range []string{"tcp", "pipe"} {
			t.Run(name+"/"+transport, func(t *testing.T) {
				var held released
				late := answerLate(t, 1, func(rq *server.Request) { replyDeferred(rq, from, size) })
				f := start(t, server.Options{SendBuffer: 64 << 10, Handler: handlerFunc(func(rq *server.Request) {
					rq.Hold(&held)
					if string(rq.Frame) == "late" {
						late <- rq
					} else {
						replyDeferred(rq, from, size)
					}
				})})
				var cl client
				if transport == "tcp" {
					cl = dialTCP(t, f.listenTCP())
				} else {
					cl = f.pipes.dial("10.0.0.1")
				}
				for i, body := range []string{"late", "now", "late", "now"} {
					cl.send(body)
					raw := []byte(cl.receive(t))
					var m wire.FetchResponse
					if err := m.Decode(wire.NewReader(raw), deferredVersion); err != nil {
						t.Fatal(err)
					}
					p := m.Responses[0].Partitions
					if !bytes.Equal(p[0].Records, content) || string(p[1].Records) != "after" {
						t.Fatalf("reply %d is wrong", i)
					}
					eventually(t, "release", func() bool { return held.n.Load() == int64(i+1) })
				}
				cl.Close()
			})
		}
	}
}

// Records that turn out to be missing close the connection: what was sent of the reply is not continued with other bytes.
func TestDeferredRecordsThatAreMissing(t *testing.T) {
	const size = 1 << 20
	content := deferredContent(size)
	for name, from := range map[string]wire.Source{"memory": inMemory(content[:700_000]), "file": fileOf(t, content, 700_000)} {
		t.Run(name, func(t *testing.T) {
			f := start(t, server.Options{Handler: handlerFunc(func(rq *server.Request) { replyDeferred(rq, from, size) })})
			cl := dialTCP(t, f.listenTCP())
			cl.send("x")
			if raw, _ := io.ReadAll(cl); len(raw) > 700_200 {
				t.Errorf("%d bytes came", len(raw))
			}
			eventually(t, "the end of the connection", func() bool {
				return f.metric(`kafka_server_socket_server_metrics_connection_close_total{listener="TCP",reason="unreadable"}`) == 1
			})
			if log := f.log.String(); !containsAll(log, "the records of a reply cannot be read") {
				t.Errorf("log: %s", log)
			}
		})
	}
}

// A peer that takes nothing is cut while the kernel sends a file, too.
func TestASlowReaderOfAFileIsCut(t *testing.T) {
	const size = 64 << 20
	from := fileOf(t, deferredContent(size), size)
	var held released
	f := start(t, server.Options{WriteTimeout: 200 * time.Millisecond, Handler: handlerFunc(func(rq *server.Request) {
		rq.Hold(&held)
		replyDeferred(rq, from, size)
	})})
	cl := dialTCP(t, f.listenTCP())
	cl.send("x")
	eventually(t, "the end of the connection", func() bool {
		return f.metric(`kafka_server_socket_server_metrics_connection_close_total{listener="TCP",reason="slow"}`) == 1
	})
	eventually(t, "release", func() bool { return held.n.Load() == 1 })
}

func TestMoreDeferredThanTheReplyHas(t *testing.T) {
	f := start(t, server.Options{Handler: handlerFunc(func(rq *server.Request) {
		rq.Defer(inMemory("one too many"), 12)
		replyDeferred(rq, inMemory("x"), 1)
	})})
	cl := f.pipes.dial("10.0.0.1")
	cl.send("x")
	cl.expectClosed(t)
	eventually(t, "the log", func() bool { return containsAll(f.log.String(), "cannot encode the reply", "deferred") })
}
