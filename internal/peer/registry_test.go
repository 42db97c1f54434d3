package peer

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

func TestARegistryFollowsTheAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		answerWith := func(x int32) func(wire.RequestHeader, *wire.Reader) wire.Message {
			return func(wire.RequestHeader, *wire.Reader) wire.Message {
				return &wire.BrokerHeartbeatResponse{ThrottleTimeMs: x}
			}
		}
		n.listen("a:1", (&host{answer: answerWith(1)}).serve)
		n.listen("a:2", (&host{answer: answerWith(2)}).serve)
		addresses := map[int32]string{7: "a:1"}
		var downs []To
		r := NewRegistry(RegistryOptions{
			Client:  Options{Dial: n.dial},
			Resolve: func(_ Listener, node int32) (string, bool) { at, ok := addresses[node]; return at, ok },
			OnDown: func(to To, refused bool) {
				if refused {
					downs = append(downs, to)
				}
			},
		})
		to := To{Listener: Broker, Node: 7}
		ask := func() (int32, error) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			response, err := Ask[wire.BrokerHeartbeatResponse](ctx, r.Client(to), new(wire.BrokerHeartbeatRequest))
			if err != nil {
				return -1, err
			}
			return response.ThrottleTimeMs, nil
		}
		if x, err := ask(); x != 1 || err != nil {
			t.Fatalf("answer %d, %v", x, err)
		}
		r.Refresh()
		synctest.Wait()
		if n.dialed() != 1 {
			t.Fatal("a connection whose address did not change was made anew")
		}
		addresses[7] = "a:2"
		r.Refresh()
		synctest.Wait()
		if x, err := ask(); x != 2 || err != nil {
			t.Errorf("after the node moved: %d, %v", x, err)
		}

		n.kill("a:2")
		synctest.Wait()
		if len(downs) == 0 || downs[0] != to {
			t.Errorf("down: %v", downs)
		}
		if _, err := ask(); !errors.Is(err, kafka.BrokerNotAvailable) {
			t.Errorf("to a dead node: %v", err)
		}
		time.Sleep(time.Minute)
		n.listen("a:1", (&host{answer: answerWith(3)}).serve)
		addresses[7] = "a:1"
		r.Refresh()
		synctest.Wait() // no pause is waited for
		if x, err := ask(); x != 3 || err != nil {
			t.Errorf("after the dead node came back elsewhere: %d, %v", x, err)
		}

		old := r.Client(to)
		delete(addresses, 7)
		r.Refresh()
		if r.Client(to) == old {
			t.Error("the client of a node that is gone is kept")
		}
		if _, err := ask(); !errors.Is(err, kafka.BrokerNotAvailable) {
			t.Errorf("to an unknown node: %v", err)
		}
		r.Close()
		if _, err := ask(); !errors.Is(err, kafka.NetworkException) {
			t.Errorf("after Close: %v", err)
		}
		n.cut("a:1")
	})
}
