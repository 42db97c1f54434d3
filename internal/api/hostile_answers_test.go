package api

import (
	"context"
	"errors"
	"math"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// stranger answers for the active controller, and for other brokers, whatever comes to its mind.
type stranger struct {
	mu sync.Mutex
	*filler
}

func (s *stranger) answer(request, response wire.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.IntN(8) == 0 {
		return errors.New("no answer")
	}
	s.fill(reflect.ValueOf(response).Elem(), 0)
	envelope, sealed := request.(*wire.EnvelopeRequest)
	if !sealed {
		return nil
	}
	answer := response.(*wire.EnvelopeResponse)
	answer.UnknownTags = nil
	for range s.IntN(3) {
		answer.UnknownTags = append(answer.UnknownTags, wire.Tag{Tag: uint32(tagSettled + s.IntN(3)), Data: make([]byte, 6+s.IntN(4))})
	}
	if s.IntN(4) == 0 {
		return nil
	}
	answer.ErrorCode = int16(s.IntN(4) / 3 * s.IntN(120))
	key, version, _, _ := wire.PeekRequest(envelope.RequestData)
	inner := wire.NewResponse(key)
	s.fill(reflect.ValueOf(inner).Elem(), 0)
	w := new(wire.Writer)
	header := wire.ResponseHeader{}
	header.Encode(w, wire.ResponseHeaderVersion(key, version))
	inner.Encode(w, version)
	if answer.ResponseData = w.Bytes(); s.IntN(4) == 0 {
		answer.ResponseData = answer.ResponseData[:s.IntN(len(answer.ResponseData)+1)]
	}
	return nil
}

// What a broker is answered by the active controller, and by other brokers, harms nobody but who asked.
func TestHostileAnswers(t *testing.T) {
	rounds := 15
	if testing.Short() || raceEnabled {
		rounds = 2
	}
	w, f := newHostileWorld(t, 3)
	w.elsewhere("far", 2, 3, 2, -1)
	other := &stranger{filler: &filler{Rand: f.Rand, ids: f.ids, batches: f.batches}}
	w.api.Env.Controller = func() (*statemachine.Engine[*controller.Controller], error) { return nil, kafka.NotController }
	w.api.Env.Reached = func(context.Context, int64) {}
	w.api.Env.Remote = func(_ context.Context, request, response wire.Message) error { return other.answer(request, response) }
	w.api.Env.Peer = func(_ int32, request, response wire.Message, done func(error)) {
		go func() { done(other.answer(request, response)) }()
	}
	answered := map[string]int{}
	for range rounds {
		for _, row := range w.api.rows {
			for version := row.Min; version <= row.Max; version++ {
				rq := wire.NewRequest(row.Key)
				other.mu.Lock()
				f.fill(reflect.ValueOf(rq).Elem(), 0)
				other.mu.Unlock()
				if w.check(t, encodeOrEmpty(rq, version), patience) {
					answered[row.Name]++
				}
			}
		}
	}
	for _, name := range []string{"CreateTopics", "DeleteTopics", "IncrementalAlterConfigs", "AlterConfigs", "ElectLeaders", "InitProducerId"} {
		if answered[name] == 0 && !testing.Short() && !raceEnabled {
			t.Errorf("%s was never answered", name)
		}
	}
}

// A controller that gives no ids, or none that there are, is asked no more often than by who waits.
func TestABlockOfNoProducerIDsIsRefused(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	w.api.Env.Controller = func() (*statemachine.Engine[*controller.Controller], error) { return nil, kafka.NotController }
	for _, block := range []wire.AllocateProducerIdsResponse{
		{}, {ProducerIDStart: 1000}, {ProducerIDStart: 1000, ProducerIDLen: -5}, {ProducerIDStart: -1000, ProducerIDLen: 1000}, {ProducerIDStart: math.MaxInt64, ProducerIDLen: 1},
	} {
		w.api.Env.Remote = func(_ context.Context, _, response wire.Message) error {
			*response.(*wire.AllocateProducerIdsResponse) = block
			return nil
		}
		told := make(chan error, 1)
		w.api.NewProducerID(func(_ int64, err error) { told <- err })
		select {
		case err := <-told:
			if kafka.CodeOf(err) != kafka.CoordinatorLoadInProgress {
				t.Errorf("%+v: %v", block, err)
			}
		case <-time.After(answerLimit):
			t.Fatalf("%+v: no answer", block)
		}
	}
}
