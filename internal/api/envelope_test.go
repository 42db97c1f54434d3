package api

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/peer"
	"github.com/ottla/ottla/internal/server"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// apart is a broker whose controller is in another process.
type apart struct {
	*world
	pipes *pipeListener // of the controller
	peer  *peer.Client

	mu      sync.Mutex
	refuse  int     // how many of the next requests find no controller
	asked   int     // requests to the controller
	reached []int64 // metadata offsets that were waited for
}

// newApart takes the controller of a world out of its broker, and behind a listener of its own.
func newApart(t *testing.T) *apart {
	t.Helper()
	w := &apart{world: newWorld(t, vfs.NewMemory()), pipes: newPipeListener()}
	log := slog.New(slog.DiscardHandler)
	env := w.api.Env
	door := NewController(env)
	s := server.New(server.Options{Handler: door, Logger: log, Metrics: w.metrics, Buffers: env.Buffers, MaxRequestBytes: 8 << 20})
	if err := s.Listen(server.Listener{Name: "CONTROLLER", SecurityProtocol: "PLAINTEXT", Net: w.pipes}); err != nil {
		t.Fatal(err)
	}
	w.peer = peer.New(peer.Options{
		Address: func() (string, error) { return "controller", nil },
		Dial: func(context.Context, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			w.pipes.conns <- pipeConn{theirs}
			return ours, nil
		},
	})
	t.Cleanup(func() {
		w.peer.Close()
		w.pipes.Close()
		door.Stop()
		s.Stop(context.Background())
	})
	w.api.Env.Controller = func() (*statemachine.Engine[*controller.Controller], error) { return nil, kafka.NotController }
	w.api.Env.Remote, w.api.Env.Reached = w.remote, func(_ context.Context, offset int64) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.reached = append(w.reached, offset)
	}
	return w
}

func (w *apart) remote(_ context.Context, request, response wire.Message) error {
	w.mu.Lock()
	w.asked++
	refuse := w.refuse > 0
	w.refuse--
	w.mu.Unlock()
	if refuse {
		return kafka.NotController
	}
	done := make(chan error, 1)
	w.peer.Send(peer.Request{Message: request, Response: response, Done: func(err error) {
		if sealed, ok := response.(*wire.EnvelopeResponse); ok {
			sealed.ResponseData = bytes.Clone(sealed.ResponseData)
			for i := range sealed.UnknownTags {
				sealed.UnknownTags[i].Data = bytes.Clone(sealed.UnknownTags[i].Data)
			}
		}
		done <- err
	}})
	return <-done
}

func TestRequestsOfAdministratorsAreForwarded(t *testing.T) {
	w := newApart(t)
	c := w.dial()
	w.create(c, "first", 3)
	if len(w.reached) != 1 || w.reached[0] < 0 || w.reached[0] > w.store.Current().Offset() {
		t.Errorf("the client was answered after metadata offsets %v, the image has %d", w.reached, w.store.Current().Offset())
	}
	w.mu.Lock()
	w.refuse, w.asked = 3, 0
	w.mu.Unlock()
	w.create(c, "second", 1)
	if w.asked != 4 {
		t.Errorf("%d requests to controllers, want 4: three had none", w.asked)
	}

	answer := ask[wire.CreateTopicsResponse](c, &wire.CreateTopicsRequest{Topics: []wire.CreateTopicsRequestCreatableTopic{{Name: "first", NumPartitions: 1, ReplicationFactor: 1}}}, 2)
	if r := answer.Topics[0]; kafka.ErrorCode(r.ErrorCode) != kafka.TopicAlreadyExists || r.ErrorMessage == nil || *r.ErrorMessage != "Topic 'first' already exists." {
		t.Errorf("%+v", r)
	}
	// An old version is decided in its own words.
	deleted := ask[wire.DeleteTopicsResponse](c, &wire.DeleteTopicsRequest{TopicNames: []string{"second", "none"}}, 5)
	if len(deleted.Responses) != 2 || deleted.Responses[0].ErrorCode+deleted.Responses[1].ErrorCode != int16(kafka.UnknownTopicOrPartition) {
		t.Errorf("%+v", deleted.Responses)
	}
	// An error that concerns the request as a whole arrives with its text.
	gone := ask[wire.UnregisterBrokerResponse](c, &wire.UnregisterBrokerRequest{BrokerID: 77}, 0)
	if kafka.ErrorCode(gone.ErrorCode) != kafka.BrokerIDNotRegistered || gone.ErrorMessage == nil || *gone.ErrorMessage != "Broker ID 77 is not currently registered" {
		t.Errorf("%+v", gone)
	}
	ids := make(chan error, 1)
	w.api.NewProducerID(func(_ int64, err error) { ids <- err })
	if err := <-ids; err != nil {
		t.Error("producer id:", err)
	}
}

func TestEnvelopesThatMakeNoSense(t *testing.T) {
	w := newApart(t)
	good, _, err := ownRequest().sealed(&wire.CreateTopicsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	produce, _, _ := ownRequest().sealed(&wire.ProduceRequest{Acks: 1})
	for name, c := range map[string]struct {
		change func(*wire.EnvelopeRequest)
		want   kafka.ErrorCode
	}{
		"as it should be":    {func(*wire.EnvelopeRequest) {}, kafka.None},
		"no principal":       {func(e *wire.EnvelopeRequest) { e.RequestPrincipal = nil }, kafka.PrincipalDeserializationFailure},
		"a broken principal": {func(e *wire.EnvelopeRequest) { e.RequestPrincipal = []byte{0, 0, 200, 1} }, kafka.PrincipalDeserializationFailure},
		"no address":         {func(e *wire.EnvelopeRequest) { e.ClientHostAddress = nil }, kafka.InvalidRequest},
		"no request":         {func(e *wire.EnvelopeRequest) { e.RequestData = nil }, kafka.InvalidRequest},
		"half a request":     {func(e *wire.EnvelopeRequest) { e.RequestData = e.RequestData[:9] }, kafka.InvalidRequest},
		"another API":        {func(e *wire.EnvelopeRequest) { e.RequestData = produce.RequestData }, kafka.InvalidRequest},
	} {
		envelope := *good
		c.change(&envelope)
		answer := new(wire.EnvelopeResponse)
		if err := w.remote(t.Context(), &envelope, answer); err != nil {
			t.Fatalf("%s: the connection ended: %v", name, err)
		}
		if got := kafka.ErrorCode(answer.ErrorCode); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// Brokers and controllers tell of what each serves: nothing of a controller's on a listener of clients.
func TestControllersHaveARowOfTheirOwn(t *testing.T) {
	keys := func(rows []row) (keys []int16) {
		for _, row := range rows {
			keys = append(keys, row.Key)
		}
		return keys
	}
	controllers, brokers := keys(controllerTable()), keys(table())
	for _, key := range []int16{56, 58, 62, 63, 67, 73, 20000} {
		if !slices.Contains(controllers, key) || slices.Contains(brokers, key) {
			t.Errorf("API key %d: on controllers %v, on brokers %v", key, slices.Contains(controllers, key), slices.Contains(brokers, key))
		}
	}
	for _, row := range controllerTable() {
		if api, ok := wire.FindAPI(row.Key); !ok || !api.Controller {
			t.Errorf("%s is served on controllers; Kafka serves it on brokers only", row.Name)
		}
	}
}
