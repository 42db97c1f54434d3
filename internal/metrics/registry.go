package metrics

import (
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Registry holds the families of one broker. Components register what they count when they are built;
// the HTTP endpoint serves Handler.
type Registry struct {
	prometheus *prometheus.Registry
	mu         struct {
		sync.Mutex
		families map[string]*family
	}
}

// NewRegistry returns a registry that exports, besides what is registered, the Go runtime's and the
// process's own numbers (go_*, process_*).
func NewRegistry() *Registry {
	r := &Registry{prometheus: prometheus.NewRegistry()}
	r.mu.families = make(map[string]*family)
	r.prometheus.MustRegister(
		(*collector)(r),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return r
}

// Handler serves the registry in Prometheus's text format, or in OpenMetrics where the scraper asks for it.
func (r *Registry) Handler() http.Handler {
	return promhttp.HandlerFor(r.prometheus, promhttp.HandlerOpts{})
}

// Counter registers a counter without labels.
func (r *Registry) Counter(name, help string) *Counter { return r.Counters(name, help).With() }

// Gauge registers a gauge without labels.
func (r *Registry) Gauge(name, help string) *Gauge { return r.Gauges(name, help).With() }

// Histogram registers a histogram without labels. Exported values are the observed ones times scale
// (see Histograms).
func (r *Registry) Histogram(name, help string, scale float64) *Histogram {
	return r.Histograms(name, help, scale).With()
}

// Counters registers a family of counters with the given label names.
func (r *Registry) Counters(name, help string, labels ...string) *Counters {
	return &Counters{r.family(spec{name: name, help: help, kind: kindCounter, labels: labels})}
}

// Gauges registers a family of gauges with the given label names.
func (r *Registry) Gauges(name, help string, labels ...string) *Gauges {
	return &Gauges{r.family(spec{name: name, help: help, kind: kindGauge, labels: labels})}
}

// Histograms registers a family of histograms with the given label names. Exported values are the
// observed ones times scale: 0.001 shows microseconds as Kafka's milliseconds.
func (r *Registry) Histograms(name, help string, scale float64, labels ...string) *Histograms {
	return &Histograms{r.family(spec{name: name, help: help, kind: kindHistogram, labels: labels, scale: scale})}
}

// family returns the family that want describes, made now or earlier.
func (r *Registry) family(want spec) *family {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f := r.mu.families[want.name]; f != nil {
		if f.kind != want.kind || f.scale != want.scale || !slices.Equal(f.labels, want.labels) {
			panic(fmt.Sprintf("BUG: metric %s is registered twice with different kinds or labels", want.name))
		}
		return f
	}
	f := newFamily(want)
	r.mu.families[want.name] = f
	return f
}

// all returns the families of this moment.
func (r *Registry) all() []*family {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]*family, 0, len(r.mu.families))
	for _, f := range r.mu.families {
		all = append(all, f)
	}
	return all
}
