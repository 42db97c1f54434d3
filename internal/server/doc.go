// Package server holds the broker's listeners and connections: it accepts, limits, reads frames, calls
// the Handler and writes replies in the order of their requests. It knows no API.
//
// Nouns: a Listener is a named socket with a security protocol. A connection has a Session, which says
// who speaks. A frame is what follows a 4-byte length; with the time it came it is a Request. The
// Handler answers each Request exactly once, at once or later, from any goroutine.
//
// One goroutine serves a connection: it reads a frame, calls Handler.Handle, and writes what was
// answered once no further input is buffered. An answer that comes later than Handle's return is written
// by who gives it, if it is small, the only one in the queue, and the socket takes it without waiting
// (conn_late.go). Otherwise it starts a second goroutine, the writer, which ends when nothing answered is
// left. A goroutine that answers never waits for the socket, so a slow peer delays nobody else.
//
// Records of a reply may be deferred (Request.Defer): the goroutine that writes reads them then, piece by
// piece, or has the kernel send them from their file.
//
// Invariants:
//   - Replies leave in request order. A request enters its connection's queue before Handle sees it, and
//     leaves it when its reply was handed to the socket.
//   - Exactly one goroutine writes to a socket at a time: who set conn.mu.writing. Whoever clears it has
//     seen that the head of the queue is not answered; who answered late hands it to a writer otherwise.
//   - If the head of the queue is answered and nobody writes, the connection's goroutine is on its way to
//     flush: it does so before it blocks, be it in a read, for room or for the end of a mute.
//   - Frames, buffers and writers are pooled. A frame is the handler's until it answers, a Writer until it is
//     given to Reply, what Hold names until the reply was written or given up.
//   - What a peer announces costs nothing, what it sends costs at most about twice that, and one
//     connection holds at most MaxInFlightRequests requests and, but for one request, MaxInFlightBytes bytes.
//
// Lock order: conn.mu, then nothing. Server.mu, then nothing. Pools and the budget have their own.
package server
