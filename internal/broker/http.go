package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
)

// httpOff turns the HTTP endpoint off (property http.address).
const httpOff = "off"

// httpServer answers health, readiness, metrics, profiles and the HTTP API.
type httpServer struct {
	socket net.Listener
	server *http.Server
}

// startHTTP opens http.address. If nobody set it and the port is taken, a free one is used, so that several nodes on
// one machine just work.
func (b *Broker) startHTTP() error {
	c := b.options.Config
	address := c.Text(config.HTTPAddress)
	if address == httpOff {
		return nil
	}
	socket, err := net.Listen("tcp", address)
	if err != nil && c.Source(config.HTTPAddress) == config.DefaultConfig {
		socket, err = net.Listen("tcp", "localhost:0")
	}
	if err != nil {
		return fmt.Errorf("http.address: %w (off turns it off)", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", b.readiness)
	mux.Handle("GET /metrics", b.metrics.Handler())
	mux.HandleFunc("GET /api/v1/groups/{group}/why", b.whyGroup)
	mux.HandleFunc("GET /api/v1/transactions/{id}/why", b.whyTransaction)
	mux.HandleFunc("GET /api/v1/topics/{topic}/why", b.whyTopic)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	b.http = &httpServer{socket, &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}}
	go b.http.server.Serve(socket) // its error is that it was closed
	return nil
}

// readiness says whether clients are served, and why not. What an operator should look at though clients are served follows
// in lines of its own: a broker without one of several log directories serves the partitions in the others.
func (b *Broker) readiness(w http.ResponseWriter, _ *http.Request) {
	reason := ""
	switch err := b.metadataDir.Failed(); {
	case err != nil:
		reason = fmt.Sprintf("log directory %s, which holds the metadata log, is offline: %v", b.metadataDir.Path(), err)
	case !b.ready.Load():
		reason = "starting or stopping"
	case !b.unfenced(b.store.Current()):
		reason = "fenced by the controller"
	}
	if reason != "" {
		http.Error(w, reason, http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
	for _, warning := range b.warnings() {
		fmt.Fprintln(w, "warning:", warning)
	}
}

// warnings tells what an operator should look at though clients are served.
func (b *Broker) warnings() (all []string) {
	for _, dir := range b.dirs {
		if err := dir.Failed(); err != nil {
			all = append(all, fmt.Sprintf("log directory %s is offline: %v", dir.Path(), err))
			continue
		}
		if err := dir.Shortage(); err != nil {
			all = append(all, *kafka.MessageOf(err))
		}
		damages := dir.Damages()
		for _, damage := range damages[:min(len(damages), maxDamages)] {
			all = append(all, damage.String())
		}
		if more := len(damages) - maxDamages; more > 0 {
			all = append(all, fmt.Sprintf("%d more partitions in %s are damaged", more, dir.Path()))
		}
	}
	return all
}

// maxDamages is how many damaged partitions /readyz names of each log directory.
const maxDamages = 20

// HTTPAddress is where health, readiness, metrics and the HTTP API are, "" if they are off.
func (b *Broker) HTTPAddress() string {
	if b.http == nil {
		return ""
	}
	return b.http.socket.Addr().String()
}

func (b *Broker) stopHTTP(ctx context.Context) error {
	if b.http == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := b.http.server.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return b.http.server.Close()
}
