package api

import (
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// producerIDs hands out producer ids: unique in the cluster for ever, since the controller gives each broker blocks of
// 1000 and remembers the last. What is left of a block when the broker stops is never used.
type producerIDs struct {
	api *API
	mu  struct {
		sync.Mutex
		at, end int64 // of the current block
		waiting []func(id int64, err error)
		asking  bool
	}
}

// next calls done with a new id, now or when the controller has given a block.
func (p *producerIDs) next(done func(id int64, err error)) {
	p.mu.Lock()
	if p.mu.at < p.mu.end {
		id := p.mu.at
		p.mu.at++
		p.mu.Unlock()
		done(id, nil)
		return
	}
	p.mu.waiting = append(p.mu.waiting, done)
	ask := !p.mu.asking
	p.mu.asking = true
	p.mu.Unlock()
	if ask {
		p.ask()
	}
}

func (p *producerIDs) ask() {
	rq := &wire.AllocateProducerIdsRequest{BrokerID: p.api.Node, BrokerEpoch: p.api.BrokerEpoch()}
	p.api.askForBlock(rq, func(response *wire.AllocateProducerIdsResponse, err error) {
		if err == nil && response.ErrorCode != 0 {
			err = kafka.ErrorCode(response.ErrorCode)
		}
		if err == nil && (response.ProducerIDStart < 0 || response.ProducerIDLen <= 0 || response.ProducerIDStart > math.MaxInt64-int64(response.ProducerIDLen)) {
			err = fmt.Errorf("it gave %d ids from %d on", response.ProducerIDLen, response.ProducerIDStart)
		}
		if err != nil {
			p.fail(kafka.Errorf(kafka.CoordinatorLoadInProgress, "the controller gives no producer ids at the moment: %v", err))
			return
		}
		p.take(response.ProducerIDStart, int64(response.ProducerIDLen))
	})
}

// take serves those who wait from a new block.
func (p *producerIDs) take(start, length int64) {
	p.mu.Lock()
	p.mu.at, p.mu.end = start, start+length
	p.mu.asking = false
	waiting := p.mu.waiting
	p.mu.waiting = nil
	p.mu.Unlock()
	for _, done := range waiting {
		p.next(done)
	}
}

func (p *producerIDs) fail(err error) {
	p.mu.Lock()
	p.mu.asking = false
	waiting := p.mu.waiting
	p.mu.waiting = nil
	p.mu.Unlock()
	for _, done := range waiting {
		done(-1, err)
	}
}

// askForBlock asks the active controller for a block; brokers ask for that themselves, not in an Envelope.
func (a *API) askForBlock(rq *wire.AllocateProducerIdsRequest, done func(*wire.AllocateProducerIdsResponse, error)) {
	if _, err := a.Controller(); err == nil || a.Remote == nil {
		decideForBroker(a, (*controller.Controller).AllocateProducerIDs, rq, done)
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(a.context, a.Config().Duration(config.RequestTimeoutMs))
		defer cancel()
		response := new(wire.AllocateProducerIdsResponse)
		done(response, a.Remote(ctx, rq, response))
	}()
}
