package api

import (
	"context"
	"log/slog"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/server"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// TestDescribeControllers asks a controller's listener who the controllers are, also as clients do that took it for a broker's.
func TestDescribeControllers(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	env := w.api.Env
	active := int32(2)
	env.Controllers = func() ([]ControllerEndpoint, int32) {
		return []ControllerEndpoint{{Node: 2, Host: "b", Port: 9093}, {Node: 3, Host: "c", Port: 9094}}, active
	}
	door := NewController(env)
	control := &world{t: t, pipes: newPipeListener()}
	s := server.New(server.Options{Handler: door, Logger: slog.New(slog.DiscardHandler), Metrics: w.metrics, Buffers: env.Buffers, MaxRequestBytes: 8 << 20})
	if err := s.Listen(server.Listener{Name: "CONTROLLER", SecurityProtocol: "PLAINTEXT", Net: control.pipes}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { door.Stop(); s.Stop(context.Background()) })
	c := control.dial()
	describe := func(endpoints int8, version int16) *wire.DescribeClusterResponse {
		rq := new(wire.DescribeClusterRequest)
		rq.Reset()
		rq.EndpointType = endpoints
		return ask[wire.DescribeClusterResponse](c, rq, version)
	}
	if got := describe(controllerEndpoints, 2); got.ErrorCode != 0 || got.ControllerID != 2 || len(got.Brokers) != 2 || got.Brokers[1].Port != 9094 {
		t.Errorf("the controllers: %+v", got)
	}
	active = 4
	if got := describe(controllerEndpoints, 2); got.ControllerID != -1 || len(got.Brokers) != 2 {
		t.Errorf("an active controller that is not listed: %+v", got)
	}
	for version, want := range []kafka.ErrorCode{kafka.InvalidRequest, kafka.MismatchedEndpointType, kafka.MismatchedEndpointType} {
		if got := describe(brokerEndpoints, int16(version)); kafka.ErrorCode(got.ErrorCode) != want {
			t.Errorf("version %d, brokers asked of a controller: %+v; want %v", version, got, want)
		}
	}
	if got := describe(7, 2); kafka.ErrorCode(got.ErrorCode) != kafka.UnsupportedEndpointType {
		t.Errorf("endpoints of no known type: %+v", got)
	}
}
