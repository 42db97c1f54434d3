package server

import (
	"fmt"
	"time"

	"github.com/ottla/ottla/internal/wire"
)

// Handler answers requests. Handle is called on the connection's goroutine, for one request after the
// other, in the order in which they came. It must answer each exactly once, before or after it returns,
// from any goroutine, with one of Reply, ReplyWith, NoReply and Close; also after the connection's end,
// when the answer goes nowhere. While Handle runs nothing more is read from that connection, so it
// should not wait for other clients.
type Handler interface{ Handle(rq *Request) }

// Request is one frame of a client. It belongs to the handler until it is answered; then it is used for
// another one, so nothing of it may be touched any more.
type Request struct {
	Session *Session
	// Frame is the request without its length: header and body. It may be changed in place. It is valid
	// until the request is answered (the reply may still refer to it), or ReleaseFrame is called.
	Frame    []byte
	Received time.Time

	conn   *conn
	buffer *Buffer // the memory of Frame
	held   []Releaser
	later  []deferred
	next   *Request // towards the tail of the connection's queue

	// The following are guarded by conn.mu once the request is in the queue.
	queued     bool
	answer     answerKind
	writer     *wire.Writer
	bytes      int64 // what counts against MaxInFlightBytes
	closeAfter error
}

type answerKind uint8

const (
	unanswered answerKind = iota
	answerReply
	answerNothing
	answerClose
)

// deferred are records that the reply has and that are read when it is written.
type deferred struct {
	from wire.Source
	size int
}

// Releaser is memory, or a file, that a reply refers to: a *Buffer, a commitlog.Span.
type Releaser interface{ Release() }

// ReplyOptions are what may follow a reply.
type ReplyOptions struct {
	// Mute holds back every request that was not yet handled, also those already read, for so long after
	// the reply was given (KIP-219: the throttle time is told at once, and enforced here).
	Mute time.Duration
	// CloseAfter, if not nil, closes the connection once the reply is written, and is the reason in the log.
	CloseAfter error
}

// Writer returns a pooled Writer in which a frame was begun: the handler encodes the response header
// and body, and hands it to Reply, which fills in the length.
func (rq *Request) Writer() *wire.Writer {
	w := rq.conn.server.writers.get()
	for _, d := range rq.later {
		w.Defer(d.from, d.size)
	}
	return w
}

// Defer says where the next of the reply's wire.Deferred fields has its bytes from, before Writer is called. They are
// read piece by piece when the reply is written, so that a large reply costs little memory; from must stay readable
// until then (Hold). If they cannot be read the connection is closed: its length was told already.
func (rq *Request) Defer(from wire.Source, size int) {
	rq.later = append(rq.later, deferred{from, size})
}

// Hold keeps r until the reply was written, or never will be, and then releases it. It is called before
// the answer: for what the reply's segments refer to.
func (rq *Request) Hold(r Releaser) { rq.held = append(rq.held, r) }

// ReleaseFrame gives the frame's memory back before the answer: a Produce that waits for its replicas
// does not need its records any more. No goroutine may use Frame after that.
func (rq *Request) ReleaseFrame() {
	if rq.buffer == nil {
		return
	}
	freed := rq.dropFrame()
	c := rq.conn
	c.mu.Lock()
	rq.bytes -= freed
	c.mu.bytes -= freed
	c.wakeReader()
	c.mu.Unlock()
}

// Reply answers with what w holds, which must come from Writer and belongs to the server from now on.
func (rq *Request) Reply(w *wire.Writer) { rq.ReplyWith(w, ReplyOptions{}) }

// ReplyWith is Reply with something to follow. A reply that could not be encoded closes the connection:
// the client waits for nothing, and the log has the error.
func (rq *Request) ReplyWith(w *wire.Writer, o ReplyOptions) {
	w.EndFrame()
	if err := w.Err(); err != nil {
		rq.conn.server.writers.put(w)
		rq.Close(fmt.Errorf("cannot encode the reply: %w", err))
		return
	}
	rq.conn.answered(rq, answerReply, w, o)
}

// NoReply answers a request to which Kafka sends no response (Produce with acks=0).
func (rq *Request) NoReply() { rq.NoReplyWith(ReplyOptions{}) }

// NoReplyWith is NoReply with something to follow.
func (rq *Request) NoReplyWith(o ReplyOptions) {
	rq.conn.answered(rq, answerNothing, nil, o)
}

// Close answers by closing the connection for the given reason: after the replies to earlier requests,
// before anything later is handled.
func (rq *Request) Close(reason error) {
	rq.conn.answered(rq, answerClose, nil, ReplyOptions{CloseAfter: reason})
}

// Drain waits until every earlier request of the connection is answered and written: before the peer
// authenticates on a connection in use. It is called within Handle. The error says that the connection
// ended; the request must be answered all the same.
func (rq *Request) Drain() error { return rq.conn.awaitHead(rq) }

// Exclusive holds back later requests of this connection until this one is answered. It is called
// within Handle.
func (rq *Request) Exclusive() { rq.conn.setExclusive(rq) }

// dropFrame releases the frame's buffer and returns how many bytes that freed.
func (rq *Request) dropFrame() int64 {
	if rq.buffer == nil {
		return 0
	}
	freed := int64(rq.buffer.Cap())
	rq.buffer.Release()
	rq.buffer, rq.Frame = nil, nil
	rq.conn.server.budget.release(freed)
	return freed
}

// recycle ends the request: everything it holds goes back to where it came from.
func (rq *Request) recycle() {
	s := rq.conn.server
	rq.dropFrame()
	for i, r := range rq.held {
		r.Release()
		rq.held[i] = nil
	}
	if rq.writer != nil {
		s.writers.put(rq.writer)
	}
	clear(rq.later)
	*rq = Request{held: rq.held[:0], later: rq.later[:0]}
	s.requests.Put(rq)
}
