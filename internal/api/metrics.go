package api

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/metrics"
)

// apiMetrics are the numbers of requests, under the names that dashboards know from Kafka's RequestMetrics,
// DelayedOperationPurgatory and FetchSessionCache.
type apiMetrics struct {
	registry *metrics.Registry
	requests *metrics.Counters
	total    *metrics.Histograms
	bytes    *metrics.Histograms
	// follower counts the Fetch requests of other brokers; the row of Fetch counts those of consumers.
	follower *requestMetrics

	waitingProduces, waitingFetches *metrics.Gauge
}

// milliseconds is the scale of a histogram of microseconds.
const milliseconds = 0.001

func newAPIMetrics(a *API) *apiMetrics {
	if a.Metrics == nil {
		a.Metrics = metrics.NewRegistry()
	}
	name := func(name string) string { return metrics.Name("kafka.network", "RequestMetrics", name) }
	r := a.Metrics
	m := &apiMetrics{
		registry: r,
		requests: r.Counters(name("RequestsPerSec"), "Requests answered, by API and version.", "request", "version"),
		total:    r.Histograms(name("TotalTimeMs"), "Time from a request's last byte to its answer, in milliseconds.", milliseconds, "request"),
		bytes:    r.Histograms(name("RequestBytes"), "Size of requests in bytes.", 1, "request"),
	}
	waiting := r.Gauges(metrics.Name("kafka.server", "DelayedOperationPurgatory", "PurgatorySize"),
		"Requests that wait: Produce for its replicas, Fetch for records.", "delayedOperation")
	m.waitingProduces, m.waitingFetches = waiting.With("Produce"), waiting.With("Fetch")
	return m
}

// of makes the numbers of a row of the table.
func (m *apiMetrics) of(row *row) *requestMetrics {
	if row.Name == "Fetch" {
		m.follower = m.named("FetchFollower", row)
		return m.named("FetchConsumer", row)
	}
	return m.named(row.Name, row)
}

func (m *apiMetrics) named(name string, row *row) *requestMetrics {
	return &requestMetrics{
		name: name, requests: m.requests, total: m.total.With(name), bytes: m.bytes.With(name),
		low: row.Min, versions: make([]atomic.Pointer[metrics.Counter], row.Max-row.Min+1),
	}
}

// exportSessions exports the numbers of the fetch session cache.
func (m *apiMetrics) exportSessions(s *fetchSessions) {
	const kind = "FetchSessionCache"
	gauge := func(name, help string, of func(sessions, partitions int) int) {
		m.registry.Gauge(metrics.Name("kafka.server", kind, name), help).Func(func() float64 { return float64(of(s.count())) })
	}
	gauge("NumIncrementalFetchSessions", "Fetch sessions.", func(sessions, _ int) int { return sessions })
	gauge("NumIncrementalFetchPartitionsCached", "Partitions in fetch sessions.", func(_, partitions int) int { return partitions })
	s.evictions = m.registry.Counter(metrics.Name("kafka.server", kind, "IncrementalFetchSessionEvictionsPerSec"), "Fetch sessions that had to make room.")
}

// requestMetrics are the numbers of one kind of request. Counters of versions are made when a version is first used, so
// that the exposition tells which ones clients speak.
type requestMetrics struct {
	name         string
	requests     *metrics.Counters
	total, bytes *metrics.Histogram
	low          int16
	versions     []atomic.Pointer[metrics.Counter]
}

// answered counts a request whose answer is on its way.
func (m *requestMetrics) answered(c Call) {
	m.total.ObserveSince(c.request.Received, time.Now())
	i := int(c.version) - int(m.low)
	if i < 0 || i >= len(m.versions) {
		m.requests.With(m.name, "unsupported").Inc()
		return
	}
	n := m.versions[i].Load()
	if n == nil {
		n = m.requests.With(m.name, strconv.Itoa(int(c.version)))
		m.versions[i].Store(n)
	}
	n.Inc()
}
