package broker

import (
	"context"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/peer"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// solitary reports whether nobody else can be in this node's cluster: it has no listener for other nodes.
func (b *Broker) solitary() bool {
	return b.options.Config.Lone() && len(b.options.Config.ControllerListeners) == 0
}

// message is a pointer to a message struct.
type message[T any] interface {
	*T
	wire.Message
}

// ask has the active controller decide one request of this broker's own, and waits for the answer: the decision is committed
// then. Who asks waits for the image himself, and asks again when nobody has answered. A heartbeat, above all, must not wait
// for what this broker does for the image.
func ask[Q wire.Message, R any, PR message[R]](b *Broker, decide func(*controller.Controller, time.Time, Q, controller.Reply[PR]) statemachine.Output, request Q) (PR, error) {
	engine, err := b.controller.engine()
	if err != nil {
		if b.solitary() {
			return nil, err
		}
		response := PR(new(R))
		return response, b.remote(b.ctx, request, response)
	}
	type result struct {
		response PR
		err      error
	}
	answer := make(chan result, 1)
	engine.Do(func(c *controller.Controller, now time.Time) statemachine.Output {
		return decide(c, now, request, func(response PR, err error) { answer <- result{response, err} })
	}, func(err error) { answer <- result{err: err} })
	select {
	case r := <-answer:
		return r.response, r.err
	case <-b.ctx.Done():
		return nil, b.ctx.Err()
	}
}

// forwardingUse names the connections of clients' requests to the active controller. Their answers wait until its node has the
// image, and those of heartbeats must not wait for them.
const forwardingUse = "forwarding"

// supersededGrace is how long a controller that another one has followed may still take to answer what it decided before.
const supersededGrace = 100 * time.Millisecond

// remote sends a request to the active controller in another process and waits for its answer, at most for
// request.timeout.ms (api.Env.Remote). The answer of one that is silent is not waited for any longer when there is another.
func (b *Broker) remote(ctx context.Context, request, response wire.Message) error {
	node, changed := b.active.get()
	if node < 0 || node == b.node && b.isController() {
		return errNotController // it may be about to take over here
	}
	done := make(chan error, 1)
	to := peer.To{Listener: peer.Controller, Node: node}
	if _, forwarded := request.(*wire.EnvelopeRequest); forwarded {
		to.Use = forwardingUse
	}
	b.peers.Client(to).Send(peer.Request{
		Message: request, Response: response, Timeout: b.remoteTimeout(ctx),
		Done: func(err error) {
			if sealed, ok := response.(*wire.EnvelopeResponse); ok && err == nil {
				keep(sealed)
			}
			done <- err
		},
	})
	var superseded <-chan time.Time
	for {
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			return errNotController
		case <-superseded:
			return errNotController
		case <-changed:
			var now int32
			if now, changed = b.active.get(); now >= 0 && now != node {
				superseded = time.After(supersededGrace)
			}
		}
	}
}

// remoteTimeout is how long an answer is waited for: another controller may be active by then.
func (b *Broker) remoteTimeout(ctx context.Context) time.Duration {
	timeout := b.config.Load().Duration(config.RequestTimeoutMs)
	if deadline, ok := ctx.Deadline(); ok {
		timeout = max(min(timeout, time.Until(deadline)), time.Millisecond)
	}
	return timeout
}

// keep copies what of the answer to an Envelope is the connection's.
func keep(sealed *wire.EnvelopeResponse) {
	sealed.ResponseData = slices.Clone(sealed.ResponseData)
	for i := range sealed.UnknownTags {
		sealed.UnknownTags[i].Data = slices.Clone(sealed.UnknownTags[i].Data)
	}
}
