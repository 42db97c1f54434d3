package partition

import (
	"slices"
	"testing"

	"github.com/ottla/ottla/internal/metrics"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/wire"
)

// Bytes between brokers count for all topics together; those of replicas that a reassignment adds count as such, too.
func TestBytesOfReassignmentsAreTold(t *testing.T) {
	l := newLed(t, 1, 2)
	defer l.close()
	l.replay(changed(1, func(r *wire.PartitionChangeRecord) { r.AddingReplicas = []int32{3} }))
	l.p.Served(2, 100, false)
	l.p.Served(3, 20, false)
	l.p.Served(3, 0, true)
	l.p.Served(-1, 3, false)

	fetched := batch(t, "x")
	follow := func(adding ...int32) {
		t.Helper()
		l.replay(changed(1, func(r *wire.PartitionChangeRecord) { r.Leader, r.AddingReplicas = 2, adding }))
		end := l.p.Log().EndOffset()
		record.Batch(fetched).SetBaseOffset(end)
		if _, err := l.p.AppendFetched(Received{LeaderEpoch: l.p.State().LeaderEpoch, Offset: end, Records: fetched}); err != nil {
			t.Fatal(err)
		}
	}
	follow(3)
	follow(1, 3)

	counter := func(name string, labels ...string) uint64 {
		name = metrics.Name("kafka.server", "BrokerTopicMetrics", name)
		if len(labels) > 0 {
			return l.set.options.Metrics.Counters(name, "", "topic").With(labels...).Value()
		}
		return l.set.options.Metrics.Counter(name, "").Value()
	}
	got := []uint64{
		counter("ReplicationBytesOutPerSec"), counter("ReassignmentBytesOutPerSec"), counter("BytesOutPerSec", "t"), counter("FailedFetchRequestsPerSec", "t"),
		counter("ReplicationBytesInPerSec"), counter("ReassignmentBytesInPerSec"),
	}
	size := uint64(len(fetched))
	if want := []uint64{120, 20, 3, 1, 2 * size, size}; !slices.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
	var gone *Partition
	gone.Served(2, 1, false)
}
