package api

import (
	"fmt"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/server"
	"github.com/ottla/ottla/internal/wire"
)

// Call is one request on the way to its answer. It is small and copied freely; exactly one copy answers.
type Call struct {
	request     *server.Request
	requests    *requestMetrics
	key         int16
	version     int16
	correlation int32
}

// Session is who asks. It is valid within Handle; what is needed later is copied before.
func (c Call) Session() *server.Session { return c.request.Session }

// Received is when the request's last byte came in.
func (c Call) Received() time.Time { return c.request.Received }

// Reply answers with a response in the request's version.
func (c Call) Reply(response wire.Message) { c.ReplyIn(response, c.version) }

// ReplyIn answers with a response in another version than the request's: ApiVersions tells of versions that this broker
// does not know in version 0 (KIP-511).
func (c Call) ReplyIn(response wire.Message, version int16) {
	c.requests.answered(c)
	w := c.request.Writer()
	header := wire.ResponseHeader{CorrelationID: c.correlation}
	header.Encode(w, wire.ResponseHeaderVersion(c.key, version))
	response.Encode(w, version)
	if err := w.Err(); err != nil {
		c.request.Close(fmt.Errorf("BUG: a response cannot be expressed in its version: %w", err))
		return
	}
	c.request.Reply(w)
}

// Hold keeps what the response refers to until it is written.
func (c Call) Hold(r server.Releaser) { c.request.Hold(r) }

// Defer says where the response's next wire.Deferred records come from: they are read when it is written.
func (c Call) Defer(from wire.Source, size int) { c.request.Defer(from, size) }

// ReleaseFrame gives the request's bytes back before its answer.
func (c Call) ReleaseFrame() { c.request.ReleaseFrame() }

// NoReply ends a request that has no response: Produce with acks=0.
func (c Call) NoReply() {
	c.requests.answered(c)
	c.request.NoReply()
}

// Close answers by closing the connection.
func (c Call) Close(reason error) {
	c.requests.answered(c)
	c.request.Close(reason)
}

// codeOf is the error code of a response's field.
func codeOf(err error) int16 { return int16(kafka.CodeOf(err)) }

// textOf is the error message of a response's field.
func textOf(err error) *string { return kafka.MessageOf(err) }
