package replication

import "github.com/ottla/ottla/internal/metrics"

// numbers are what operators see of the fetchers, under the names of Kafka's ReplicaFetcherManager.
type numbers struct{ requests *metrics.Counter }

func newNumbers(m *Followers) *numbers {
	r := m.options.Metrics
	gauge := func(name, help string, value func(*following) int64, join func(a, b int64) int64) {
		r.Gauge(metrics.Name("kafka.server", "ReplicaFetcherManager", name), help).Func(func() float64 {
			return float64(m.over(value, join))
		})
	}
	sum := func(a, b int64) int64 { return a + b }
	gauge("MaxLag", "Records that the replica which is furthest behind its leader's high watermark lacks.",
		func(x *following) int64 { return x.lag }, func(a, b int64) int64 { return max(a, b) })
	gauge("FailedPartitionsCount", "Replicas that cannot be fetched from their leaders at the moment.", func(x *following) int64 {
		if x.failures > quietFailures {
			return 1
		}
		return 0
	}, sum)
	return &numbers{requests: r.Counter(metrics.Name("kafka.server", "FetcherStats", "RequestsPerSec"), "Fetch requests sent to leaders.")}
}

// over joins a number of all partitions that are followed.
func (m *Followers) over(value func(*following) int64, join func(a, b int64) int64) (n int64) {
	for _, f := range m.all() {
		f.mu.Lock()
		for _, x := range f.mu.following {
			n = join(n, value(x))
		}
		f.mu.Unlock()
	}
	return n
}
