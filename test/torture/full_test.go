package torture

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ottla/ottla/test/torture/machines"
)

// "A disk is full: the replicas on it make way for those on nodes with room." Nobody waits for them until
// replica.lag.time.max.ms, and they come back by themselves.
func TestOperationsADiskIsFull(t *testing.T) {
	t.Parallel()
	m := machines.Start(t, 3, "replica.lag.time.max.ms="+hours)
	if m.SmallMissing != nil {
		t.Skip(m.SmallMissing)
	}
	o := &operator{Cluster: m.Cluster, t: t, topic: "watched"}
	o.raw = connect(t, o.Addrs(), append(quickRetries(), impatient)...)
	o.admin = kadm.NewClient(o.raw)
	o.create(o.topic, everywhere)
	for p := range int32(3) {
		o.mustWrite(p, "before")
	}
	if err := m.Small.Fill(4 << 20); err != nil {
		t.Fatal(err)
	}
	o.awaitLeader(2, 1, 2) // node 3 leads no more
	for p := range int32(3) {
		o.mustWrite(p, "while it is full")
		if now := o.look(p); len(now.ISR) != 2 {
			t.Errorf("partition %d: in sync %v", p, now.ISR)
		}
	}
	if err := m.Small.Clear(); err != nil {
		t.Fatal(err)
	}
	o.settle()
	for p := range int32(3) {
		o.mustWrite(p, "after")
		o.mustRead(p, "before", "while it is full", "after")
	}
}
