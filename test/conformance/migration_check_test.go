package conformance

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// check ends the writing, waits until the group has committed all, and looks at what its members have told.
func (r *roster) check() {
	r.t.Helper()
	total := r.numbers.end()
	var committed int64
	eventually(r.t, time.Minute, func() string { return fmt.Sprintf("all offsets are committed: %d of %d", committed, total) }, func() bool {
		committed = r.watch.sum()
		return committed == int64(total)
	})
	r.leaveAll()
	var all []told
	for _, x := range r.all {
		for _, e := range r.told(x) {
			all = append(all, told{e, x.name})
		}
	}
	slices.SortStableFunc(all, func(a, b told) int { return a.at.Compare(b.at) })
	r.checkLost()
	r.checkOwners(all)
	r.checkOffsets(all)
	r.checkRead(all, total)
}

// told is an event with who told it.
type told struct {
	workerEvent
	by string
}

// checkLost wants that no member has lost a partition to another, but in a crash. Java's members call so what they give up
// when they are closed in the middle of a rebalance.
func (r *roster) checkLost() {
	r.t.Helper()
	if r.crash {
		return
	}
	for _, x := range r.all {
		lost := false
		for _, e := range r.told(x) {
			if lost && e.what != "lost" && e.what != "closed" {
				r.t.Errorf("%s has lost partitions before %v", x.name, e.at)
				break
			}
			lost = e.what == "lost"
		}
	}
}

// checkOwners wants that nobody is assigned a partition before its last owner has given it up.
func (r *roster) checkOwners(all []told) {
	r.t.Helper()
	owner := map[int]string{}
	for _, e := range all {
		switch e.what {
		case "assigned":
			if o := owner[e.partition]; o != "" && o != e.by {
				r.t.Errorf("%v: %s is assigned partition %d in epoch %d while %s has it", e.at, e.by, e.partition, e.number, o)
			}
			owner[e.partition] = e.by
		case "revoked", "lost":
			if owner[e.partition] == e.by {
				delete(owner, e.partition)
			}
		}
	}
}

// checkOffsets wants that whoever gets a partition goes on at the offset that was committed last, and not before it.
func (r *roster) checkOffsets(all []told) {
	r.t.Helper()
	committed, fresh := map[int]int64{}, map[int]bool{}
	for _, e := range all {
		switch e.what {
		case "assigned":
			fresh[e.partition] = true
		case "committed":
			committed[e.partition] = max(committed[e.partition], e.number)
		case "read":
			if fresh[e.partition] && e.number < committed[e.partition] {
				r.t.Errorf("%v: %s begins partition %d at %d, though %d was committed", e.at, e.by, e.partition, e.number, committed[e.partition])
			}
			fresh[e.partition] = false
		}
	}
}

// checkRead wants every number read, from its place.
func (r *roster) checkRead(all []told, total int) {
	r.t.Helper()
	times := make([]int, total)
	for _, e := range all {
		if e.what != "read" {
			continue
		}
		n, err := strconv.Atoi(e.value)
		if err != nil || n >= total || int64(n) != e.number*rosterPartitions+int64(e.partition) {
			r.t.Fatalf("%s has read %q at %d@%d", e.by, e.value, e.partition, e.number)
		}
		times[n]++
	}
	missing, twice := 0, 0
	for n, k := range times {
		if k == 0 {
			if missing++; missing < 10 {
				r.t.Errorf("nobody has read %d (partition %d, offset %d)", n, n%rosterPartitions, n/rosterPartitions)
			}
		}
		twice += max(k-1, 0)
	}
	r.t.Logf("%d records, %d of them read once more, %d members", total, twice, len(r.all))
}

// A groupWatch looks at a group all the time: its committed offsets never go back, and as the broker describes it no
// partition is two members'.
type groupWatch struct {
	t     *testing.T
	admin *kadm.Client
	group string
	mu    struct {
		sync.Mutex
		committed map[int32]int64
	}
}

func watchGroup(t *testing.T, admin *kadm.Client, group string) *groupWatch {
	w := &groupWatch{t: t, admin: admin, group: group}
	w.mu.committed = map[int32]int64{}
	ctx, stop := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	ended.Go(func() {
		ticker := time.NewTicker(50 * time.Millisecond)
		defer ticker.Stop()
		for ctx.Err() == nil {
			w.lookAtOffsets(ctx)
			w.lookAtMembers(ctx)
			<-ticker.C
		}
	})
	t.Cleanup(func() {
		stop()
		ended.Wait()
	})
	return w
}

// lookAtOffsets leaves out what cannot be asked: the broker may be down.
func (w *groupWatch) lookAtOffsets(ctx context.Context) {
	offsets, err := w.admin.FetchOffsets(ctx, w.group)
	if err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for p, before := range w.mu.committed {
		found := false
		offsets.Each(func(o kadm.OffsetResponse) { found = found || (o.Partition == p && o.Err == nil && o.At >= before) })
		if !found {
			w.t.Errorf("partition %d had the committed offset %d, now it is %v", p, before, offsets)
		}
	}
	offsets.Each(func(o kadm.OffsetResponse) {
		if o.Err == nil && o.At >= 0 {
			w.mu.committed[o.Partition] = o.At
		}
	})
}

func (w *groupWatch) lookAtMembers(ctx context.Context) {
	groups, err := w.admin.DescribeConsumerGroups(ctx, w.group)
	if err != nil {
		return
	}
	owner := map[int32]string{}
	for _, m := range groups[w.group].Members {
		for _, partitions := range m.Assignment {
			for p := range partitions {
				if other := owner[p]; other != "" {
					w.t.Errorf("partition %d is %s's and %s's", p, other, m.MemberID)
				}
				owner[p] = m.MemberID
			}
		}
	}
}

// sum is the sum of the committed offsets: the number of records that count as read.
func (w *groupWatch) sum() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	var sum int64
	for _, o := range w.mu.committed {
		sum += o
	}
	return sum
}
