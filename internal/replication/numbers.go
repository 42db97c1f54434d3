package replication

import (
	"fmt"
	"strconv"

	"github.com/ottla/ottla/internal/metrics"
	"github.com/ottla/ottla/internal/partition"
)

// numbers are what operators see of the fetchers, under the names of Kafka's ReplicaFetcherManager, FetcherStats and FetcherLagMetrics.
type numbers struct {
	requests *metrics.Counter
	lags     *metrics.Gauges
}

func newNumbers(m *Followers) *numbers {
	r := m.options.Metrics
	gauge := func(name, help string, value func(*following) int64, join func(a, b int64) int64) {
		r.Gauge(metrics.Name("kafka.server", "ReplicaFetcherManager", name), help).Func(func() float64 {
			return float64(m.over(value, join))
		})
	}
	sum := func(a, b int64) int64 { return a + b }
	gauge("MaxLag", "Records that the replica which is furthest behind its leader's high watermark lacks.",
		func(x *following) int64 { return int64(x.lag.Value()) }, func(a, b int64) int64 { return max(a, b) })
	gauge("FailedPartitionsCount", "Replicas that cannot be fetched from their leaders at the moment.", func(x *following) int64 {
		if x.failures > quietFailures {
			return 1
		}
		return 0
	}, sum)
	return &numbers{
		requests: r.Counter(metrics.Name("kafka.server", "FetcherStats", "RequestsPerSec"), "Fetch requests sent to leaders."),
		lags: r.Gauges(metrics.Name("kafka.server", "FetcherLagMetrics", "ConsumerLag"),
			"Records that a replica lacks of what its leader has committed, as of the last answer.", "clientId", "topic", "partition"),
	}
}

// lagLabels are the label values of a partition's lag: as clientId, Kafka has the name of the fetching thread.
func (f *fetcher) lagLabels(p *partition.Partition) []string {
	return []string{fmt.Sprintf("ReplicaFetcherThread-%d-%d", f.place.index, f.place.leader), p.Name().Topic, strconv.Itoa(int(p.Name().Partition))}
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
