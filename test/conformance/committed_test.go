package conformance

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A reading is what a read_committed consumer has seen of a topic, by partition in order, control records included.
type reading struct {
	mu struct {
		sync.Mutex
		records map[int32][]*kgo.Record
		data    int // records that are no control records
	}
}

// readCommitted reads a topic from its beginning until the test ends, through every failure of the broker.
func readCommitted(t *testing.T, tg target, topic string) *reading {
	t.Helper()
	r := &reading{}
	r.mu.records = map[int32][]*kgo.Record{}
	client := kafkaClient(t, tg, kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(500*time.Millisecond))
	ctx, stop := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	ended.Go(func() {
		for ctx.Err() == nil {
			fetches := client.PollFetches(ctx)
			fetches.EachRecord(r.add)
		}
	})
	t.Cleanup(func() {
		stop()
		ended.Wait()
	})
	return r
}

func (r *reading) add(record *kgo.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.records[record.Partition] = append(r.mu.records[record.Partition], record)
	if !record.Attrs.IsControl() {
		r.mu.data++
	}
}

// count is the number of data records seen.
func (r *reading) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.data
}

// data returns the data records of every partition.
func (r *reading) data() map[int32][]*kgo.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	data := map[int32][]*kgo.Record{}
	for p, records := range r.mu.records {
		for _, record := range records {
			if !record.Attrs.IsControl() {
				data[p] = append(data[p], record)
			}
		}
	}
	return data
}

// reached says whether the reading has come to these offsets.
func (r *reading) reached(ends map[int32]int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for p, end := range ends {
		records := r.mu.records[p]
		if end > 0 && (len(records) == 0 || records[len(records)-1].Offset+1 < end) {
			return false
		}
	}
	return true
}

// wholeTopic reads a topic that nobody writes to any more, with a consumer of its own, and fails the test when a transaction
// is left open in it.
func wholeTopic(t *testing.T, tg target, topic string) map[int32][]*kgo.Record {
	t.Helper()
	ends := closedEnds(t, tg, topic)
	r := readCommitted(t, tg, topic)
	eventually(t, time.Minute, func() string { return "the end of " + topic }, func() bool { return r.reached(ends) })
	return r.data()
}

// closedEnds waits until every transaction in the topic has ended, and returns the end offsets.
func closedEnds(t *testing.T, tg target, topic string) map[int32]int64 {
	t.Helper()
	admin := kadm.NewClient(kafkaClient(t, tg))
	ends := map[int32]int64{}
	eventually(t, time.Minute, func() string { return "the end of all transactions in " + topic }, func() bool {
		stable, err := admin.ListCommittedOffsets(t.Context(), topic)
		last, lastErr := admin.ListEndOffsets(t.Context(), topic)
		if err := errors.Join(err, lastErr, stable.Error(), last.Error()); err != nil {
			t.Log(err)
			return false
		}
		open := false
		last.Each(func(o kadm.ListedOffset) {
			at, _ := stable.Lookup(topic, o.Partition)
			ends[o.Partition] = o.Offset
			open = open || at.Offset != o.Offset
		})
		return !open
	})
	return ends
}
