package txn

import (
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
)

// FuzzReplay loads whatever the log may hold and then uses what has come of it: no panic, every request is answered, and
// what is decided ends.
func FuzzReplay(f *testing.F) {
	for state := Empty; state <= CompleteAbort; state++ {
		s := status{state: state, producerID: 3, previousID: -1, nextID: -1, epoch: lastUsableEpoch, timeout: 1000, version: 2}
		if state != Empty {
			s.partitions = []kafka.TopicPartition{{Topic: "t", Partition: 1}}
		}
		r := statusRecord("a", &s, 1)
		f.Add(r.Key, r.Value, r.Key, []byte(nil), int16(3))
		s.epoch = 32767
		last := statusRecord("a", &s, 0)
		f.Add(r.Key, r.Value, r.Key, last.Value, int16(lastUsableEpoch))
	}
	f.Fuzz(func(t *testing.T, key1, value1, key2, value2 []byte, epoch int16) {
		b := newBench(t)
		for i, r := range []statemachine.Record{{Key: key1, Value: value1}, {Key: key2, Value: value2}} {
			if len(r.Value) == 0 {
				r.Value = nil
			}
			_ = b.machine.Replay(int64(i), r) // an error is as good: the log is not loaded then
		}
		asked, answered := 0, 0
		for id, tr := range b.machine.transactions {
			asked += use(b, id, statemachine.Producer{ID: tr.producerID, Epoch: tr.epoch}, func() { answered++ })
			asked += use(b, id, statemachine.Producer{ID: tr.previousID, Epoch: epoch}, func() { answered++ })
		}
		b.clock.Advance(10 * time.Minute)
		for id, tr := range b.machine.transactions {
			if tr.state.deciding() {
				t.Errorf("%q stays in %s", id, tr.state)
			}
		}
		b.restart()
		b.engine.Stop(errStopped)
		if asked != answered {
			t.Errorf("%d requests, %d answers", asked, answered)
		}
	})
}

// use sends a request of each kind on behalf of a producer, and returns how many.
func use(b *bench, id string, p statemachine.Producer, answered func()) (asked int) {
	do := func(op func(c *Coordinator, now time.Time) statemachine.Output) {
		asked++
		b.do(op, func(error) { answered() })
	}
	one := func(statemachine.Producer, error) { answered() }
	for _, version := range []int16{0, epochBump} {
		for _, commit := range []bool{true, false} {
			do(func(c *Coordinator, now time.Time) statemachine.Output {
				return c.AddPartitions(now, &AddPartitions{
					TransactionalID: id, Producer: p, Partitions: []kafka.TopicPartition{{Topic: "u"}}, VerifyOnly: commit, Version: version,
				}, func([]error) { answered() })
			})
			do(func(c *Coordinator, now time.Time) statemachine.Output {
				return c.End(now, End{TransactionalID: id, Producer: p, Commit: commit, Version: version}, one)
			})
		}
	}
	do(func(c *Coordinator, now time.Time) statemachine.Output {
		return c.InitProducerID(now, Init{TransactionalID: id, Timeout: 1000, Expected: &p}, one)
	})
	do(func(c *Coordinator, now time.Time) statemachine.Output {
		return c.InitProducerID(now, Init{TransactionalID: id, Timeout: 1000}, one)
	})
	return asked
}
