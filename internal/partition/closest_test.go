package partition

import (
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

func TestClosestReplicaIsInSyncInTheConsumersRack(t *testing.T) {
	l := newLed(t, 1, 2, 3)
	defer l.close()
	for id, rack := range map[int32]string{1: "a", 2: "b", 3: "b"} {
		l.replay(&wire.RegisterBrokerRecord{BrokerID: id, BrokerEpoch: int64(id) + 100, Rack: &rack})
	}
	l.append(l.p, -1, "x", "y")
	l.durable()
	want := func(rack string, offset int64, broker int32) {
		t.Helper()
		got, found := l.p.ClosestReplica(rack, offset)
		if !found {
			got = 0
		}
		if got != broker {
			t.Errorf("rack %q, offset %d: broker %d, want %d (0: the leader)", rack, offset, got, broker)
		}
	}
	want("b", 0, 0) // nobody has fetched
	l.mustFetch(2, 1, 1)
	l.mustFetch(3, 2, 2)
	want("b", 0, 3) // the longer log
	want("b", 1, 3)
	want("b", 2, 0) // above the high watermark
	want("a", 0, 0)
	want("c", 0, 0)
	want("", 0, 0)
	l.replay(changed(1, func(r *wire.PartitionChangeRecord) { r.Isr = []int32{1, 2} }))
	want("b", 1, 2)
}

// A follower serves consumers below its own high watermark, under the leader epoch that it knows.
func TestFollowersServeConsumers(t *testing.T) {
	l := newLed(t, 1, 2)
	defer l.close()
	l.append(l.p, -1, "x", "y")
	l.durable()
	l.mustFetch(2, 1, 1)
	l.replay(changed(1, func(r *wire.PartitionChangeRecord) { r.Leader = 2 }))
	read := func(r Read) (Records, error) {
		r.MaxBytes, r.AtLeastOne, r.LastFetchedEpoch = 1<<20, true, AnyEpoch
		found, err := l.p.Read(r)
		found.Span.Release()
		return found, err
	}
	_, err := read(Read{LeaderEpoch: 1})
	l.wantCode(err, kafka.NotLeaderOrFollower)
	_, err = read(Read{LeaderEpoch: 0, AnyReplica: true})
	l.wantCode(err, kafka.FencedLeaderEpoch)
	if found, err := read(Read{LeaderEpoch: 1, AnyReplica: true}); err != nil || found.HighWatermark != 1 {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestDeletedRecordsAreAwaitedFromAllReplicas(t *testing.T) {
	l := newLed(t, 1, 2, 3)
	defer l.close()
	l.append(l.p, -1, "x", "y")
	l.durable()
	l.mustFetch(2, 2, 2)
	l.mustFetch(3, 2, 2)
	low, err := l.p.DeleteBefore(2)
	if err != nil || low != 2 {
		t.Fatal(low, err)
	}
	told := make(chan int64, 1)
	l.p.AwaitLow(2, func(low int64, err error) {
		if err != nil {
			t.Error(err)
		}
		told <- low
	})
	r := Read{Offset: 2, LeaderEpoch: AnyEpoch, LastFetchedEpoch: AnyEpoch, Follower: &Fetched{Broker: 2, BrokerEpoch: 102, Durable: 2, Start: 2, Now: l.now}}
	if _, err := l.p.Read(r); err != nil {
		t.Fatal(err)
	}
	select {
	case <-told:
		t.Fatal("told while broker 3 still has the records")
	default:
	}
	l.replay(&wire.RegisterBrokerRecord{BrokerID: 3, BrokerEpoch: 103, Fenced: true}) // nobody waits for the dead
	if _, err := l.p.Read(r); err != nil {
		t.Fatal(err)
	}
	if low := <-told; low != 2 {
		t.Error(low)
	}
	gone := make(chan error, 1)
	stop := l.p.AwaitLow(5, func(_ int64, err error) { gone <- err })
	l.replay(changed(1, func(r *wire.PartitionChangeRecord) { r.Leader = 2 }))
	l.wantCode(<-gone, kafka.NotLeaderOrFollower)
	if stop() {
		t.Error("still waiting")
	}
}

// While a new leader has not heard from those in sync, what was committed before must not seem to be gone.
func TestLatestOffsetAfterAnElection(t *testing.T) {
	l := newLed(t, 1, 2)
	defer l.close()
	l.append(l.p, -1, "x", "y")
	l.durable()
	l.replay(changed(1, func(r *wire.PartitionChangeRecord) { r.Leader = 1 }))
	_, err := l.p.OffsetFor(LatestTimestamp, false, AnyEpoch)
	l.wantCode(err, kafka.OffsetNotAvailable)
	if o, err := l.p.OffsetFor(EarliestTimestamp, false, AnyEpoch); err != nil || o.Offset != 0 {
		t.Error(o, err)
	}
	l.mustFetch(2, 2, 2)
	if o, err := l.p.OffsetFor(LatestTimestamp, false, AnyEpoch); err != nil || o.Offset != 2 {
		t.Error(o, err)
	}
}
