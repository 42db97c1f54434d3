package partition

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// led is a world whose partition 0 of topic t has the replicas 1 (this broker, the leader), 2 and 3, and min.insync.replicas=2.
type led struct {
	*world
	p        *Partition
	now      time.Time
	got      int // bytes of records in the answer to the last fetch
	proposed struct {
		sync.Mutex
		all []proposed
	}
}

type proposed struct {
	Proposal
	done func(Verdict)
}

func newLed(t *testing.T, isr ...int32) *led {
	l := &led{world: newWorld(t, vfs.NewMemory(), nil), now: time.Now()}
	l.set.options.Propose = func(x Proposal, done func(Verdict)) {
		l.proposed.Lock()
		defer l.proposed.Unlock()
		l.proposed.all = append(l.proposed.all, proposed{x, done})
	}
	l.set.options.BrokerEpoch = func() int64 { return 101 }
	for id := range int32(3) {
		l.replay(&wire.RegisterBrokerRecord{BrokerID: id + 1, BrokerEpoch: int64(id) + 101})
	}
	l.replay(&wire.TopicRecord{Name: "t", TopicID: kafka.UUID{1}}, setting("t", "min.insync.replicas", "2"),
		&wire.PartitionRecord{TopicID: kafka.UUID{1}, Replicas: []int32{1, 2, 3}, Isr: isr, Leader: 1, Directories: make([]kafka.UUID, 3)})
	l.p = l.get("t", 0)
	return l
}

// fetch is a fetch of a broker that has everything below durable on stable storage.
func (l *led) fetch(broker int32, offset, durable int64) (Records, error) {
	r, err := l.p.Read(Read{Offset: offset, MaxBytes: 1 << 20, AtLeastOne: true, LeaderEpoch: l.p.State().LeaderEpoch, LastFetchedEpoch: AnyEpoch,
		Follower: &Fetched{Broker: broker, BrokerEpoch: int64(broker) + 100, Durable: durable, Start: 0, Now: l.now}})
	l.got = r.Span.Size
	r.Span.Release()
	return r, err
}

func (l *led) mustFetch(broker int32, offset, durable int64) Records {
	l.t.Helper()
	r, err := l.fetch(broker, offset, durable)
	if err != nil {
		l.t.Fatal(err)
	}
	return r
}

func (l *led) takeProposals() []proposed {
	l.proposed.Lock()
	defer l.proposed.Unlock()
	all := l.proposed.all
	l.proposed.all = nil
	return all
}

func (l *led) proposal(isr ...int32) proposed {
	l.t.Helper()
	all := l.takeProposals()
	if len(all) != 1 || !slices.EqualFunc(all[0].ISR, isr, func(m InSync, id int32) bool { return m.Broker == id }) {
		l.t.Fatalf("proposed %+v, want one of %v", all, isr)
	}
	return all[0]
}

func (l *led) wantHigh(hw int64) {
	l.t.Helper()
	if got := l.p.Log().HighWatermark(); got != hw {
		l.t.Fatalf("high watermark %d, want %d", got, hw)
	}
}

// durable waits for the leader's own stable storage.
func (l *led) durable() {
	l.t.Helper()
	end := l.p.Log().EndOffset()
	l.p.commit(end)
	eventually(l.t, "the leader's records are stable", func() bool { return l.p.Log().StableOffset() == end })
}

func TestCommittedIsWhatAllInSyncHaveStable(t *testing.T) {
	l := newLed(t, 1, 2, 3)
	defer l.close()
	done := l.append(l.p, -1, "a", "b", "c")
	told := l.await(l.p, done.NextOffset)
	l.durable()
	if l.mustFetch(2, 0, 0); l.got == 0 {
		t.Error("a follower does not get what is not committed")
	}
	l.mustFetch(2, 3, 0) // in the follower's page cache only
	l.mustFetch(3, 3, 3)
	l.wantHigh(0)
	l.mustFetch(2, 3, 2)
	l.wantHigh(2)
	l.silent(told)
	if r := l.mustFetch(2, 3, 3); r.HighWatermark != 3 {
		t.Errorf("the answer to the fetch that commits tells of high watermark %d", r.HighWatermark)
	}
	if err := l.receive(told); err != nil {
		t.Fatal(err)
	}
	l.mustFetch(3, 1, 1) // lost its tail, and says so
	l.wantHigh(3)
	if all := l.takeProposals(); len(all) > 0 {
		t.Errorf("proposed %+v", all)
	}
}

func TestFollowerWithoutOwnFieldCountsWhatItFetched(t *testing.T) {
	l := newLed(t, 1, 2)
	defer l.close()
	l.append(l.p, -1, "a", "b")
	l.durable()
	l.mustFetch(2, 2, -1)
	l.wantHigh(2)
}

func TestNothingIsCommittedBelowMinInsyncReplicas(t *testing.T) {
	l := newLed(t, 1)
	defer l.close()
	l.append(l.p, 1, "a")
	l.durable()
	l.wantHigh(0)
	l.mustFetch(2, 1, 1)
	l.wantHigh(0) // proposed, not yet in sync
	p := l.proposal(1, 2)
	if p.ISR[0].Epoch != 101 || p.ISR[1].Epoch != 102 {
		t.Errorf("broker epochs of the proposal: %+v", p.ISR)
	}
	p.done(Verdict{LeaderEpoch: 0, PartitionEpoch: 1, ISR: []int32{1, 2}})
	l.wantHigh(1)
	if state := l.p.State(); !slices.Equal(state.ISR, []int32{1, 2}) || state.PartitionEpoch != 1 {
		t.Errorf("state after the controller's answer: %+v", state)
	}
}

// Who joins must have everything that is committed, durably, and everything from before this leader epoch.
func TestJoiningNeedsAllThatIsCommitted(t *testing.T) {
	l := newLed(t, 1, 2)
	defer l.close()
	l.append(l.p, -1, "a", "b")
	l.durable()
	l.mustFetch(2, 2, 2)
	l.wantHigh(2)
	l.mustFetch(3, 2, 1)
	if all := l.takeProposals(); len(all) > 0 {
		t.Fatalf("proposed %+v for a replica with one of two records stable", all)
	}
	l.mustFetch(3, 2, 2)
	p := l.proposal(1, 2, 3)
	// While that is under way, the joining one holds back the high watermark already.
	l.append(l.p, -1, "c")
	l.durable()
	l.mustFetch(2, 3, 3)
	l.wantHigh(2)
	l.mustFetch(3, 3, 3)
	l.wantHigh(3)
	// The image tells of it first; the answer is old news then.
	l.replay(changed(1, func(r *wire.PartitionChangeRecord) { r.Isr = []int32{1, 2, 3} }))
	p.done(Verdict{Code: kafka.InvalidUpdateVersion})
	if !slices.Equal(l.p.State().ISR, []int32{1, 2, 3}) {
		t.Error(l.p.State().ISR)
	}
}

func TestJoiningNeedsTheEpochsBegin(t *testing.T) {
	l := newLed(t, 1)
	defer l.close()
	l.append(l.p, 1, "a", "b")
	l.durable()
	l.replay(changed(1, func(r *wire.PartitionChangeRecord) { r.Leader = 1 })) // leader epoch 1 begins at 2
	l.mustFetch(2, 1, 1)
	if all := l.takeProposals(); len(all) > 0 {
		t.Fatalf("proposed %+v for a replica that lacks the last record of the epoch before", all)
	}
	l.mustFetch(2, 2, 2)
	l.proposal(1, 2)
}

func TestFencedOrRestartedReplicasDoNotJoin(t *testing.T) {
	l := newLed(t, 1, 2)
	defer l.close()
	l.replay(&wire.RegisterBrokerRecord{BrokerID: 3, BrokerEpoch: 120, Fenced: true})
	_, err := l.fetch(3, 0, 0) // with epoch 103: its former incarnation
	l.wantCode(err, kafka.NotLeaderOrFollower)
	r := Read{Offset: 0, LeaderEpoch: AnyEpoch, LastFetchedEpoch: AnyEpoch, Follower: &Fetched{Broker: 3, BrokerEpoch: 120, Durable: 0, Now: l.now}}
	if _, err := l.p.Read(r); err != nil {
		t.Fatal(err)
	}
	if all := l.takeProposals(); len(all) > 0 {
		t.Fatalf("proposed %+v with a fenced broker", all)
	}
	l.replay(&wire.RegisterBrokerRecord{BrokerID: 3, BrokerEpoch: 120})
	if _, err := l.p.Read(r); err != nil {
		t.Fatal(err)
	}
	if p := l.proposal(1, 2, 3); p.ISR[2].Epoch != 120 {
		t.Errorf("%+v", p.ISR)
	}
	_, err = l.fetch(4, 0, 0)
	l.wantCode(err, kafka.UnknownLeaderEpoch)
}

// The log directory of a follower has gone offline: its broker lives, but the controller takes it out of the in-sync set. What
// it said before is no reason to wait for it, nor to take it in again.
func TestWhoIsTakenOutFetchesBeforeItJoins(t *testing.T) {
	l := newLed(t, 1, 2, 3)
	defer l.close()
	for id := range int32(2) {
		l.mustFetch(id+2, 0, 0)
	}
	l.append(l.p, -1, "a")
	l.durable()
	l.mustFetch(2, 1, 1)
	l.wantHigh(0)
	change := &wire.PartitionChangeRecord{}
	change.Reset()
	change.TopicID, change.PartitionID, change.Isr = kafka.UUID{1}, 0, []int32{1, 2}
	l.replay(change)
	l.wantHigh(1)
	l.mustFetch(2, 1, 1)
	if all := l.takeProposals(); len(all) > 0 {
		t.Fatalf("proposed %+v", all)
	}
	l.mustFetch(3, 1, 1)
	l.proposal(1, 2, 3).done(Verdict{Code: kafka.IneligibleReplica}) // its directory is short of room
	l.append(l.p, -1, "b")
	l.durable()
	l.mustFetch(2, 2, 2)
	l.wantHigh(2)
	l.mustFetch(3, 1, 1)
	if all := l.takeProposals(); len(all) > 0 {
		t.Fatalf("proposed %+v with a follower that lacks what is committed", all)
	}
	l.mustFetch(3, 2, 2)
	l.proposal(1, 2, 3)
}

func TestLaggingReplicasLeave(t *testing.T) { synctest.Test(t, laggingReplicasLeave) }

func laggingReplicasLeave(t *testing.T) {
	l := newLed(t, 1, 2, 3)
	defer l.close()
	l.append(l.p, 1, "a", "b")
	l.durable()
	pass := func(d time.Duration) {
		time.Sleep(d)
		l.now = time.Now()
	}
	pass(l.set.options.ReplicaLag() - time.Second)
	l.mustFetch(2, 2, 2)
	l.mustFetch(3, 2, 1) // fetches, but its disk does not keep up
	l.set.ShrinkInSync(l.now)
	if all := l.takeProposals(); len(all) > 0 {
		t.Fatalf("proposed %+v too early", all)
	}
	pass(2 * time.Second)
	l.set.ShrinkInSync(l.now)
	p := l.proposal(1, 2)
	l.wantHigh(1) // who is about to leave still counts
	l.set.ShrinkInSync(l.now)
	if all := l.takeProposals(); len(all) > 0 {
		t.Fatalf("proposed %+v while one is under way", all)
	}
	p.done(Verdict{LeaderEpoch: 0, PartitionEpoch: 1, ISR: []int32{1, 2}})
	l.wantHigh(2)
	// It comes back as soon as it has all.
	l.mustFetch(3, 2, 2)
	l.proposal(1, 2, 3)
}

// A follower that is always one fetch behind a busy leader has caught up again and again, with what there was before.
func TestSteadyFollowerOfABusyLeaderStays(t *testing.T) {
	l := newLed(t, 1, 2)
	defer l.close()
	lag := l.set.options.ReplicaLag()
	start := l.now
	for i := range int64(10) {
		l.append(l.p, 1, "x")
		l.now = start.Add(time.Duration(i) * lag / 2)
		l.mustFetch(2, i, i)
	}
	l.set.ShrinkInSync(l.now.Add(lag / 2))
	if all := l.takeProposals(); len(all) > 0 {
		t.Fatalf("proposed %+v", all)
	}
}

func TestRefusedProposals(t *testing.T) {
	l := newLed(t, 1, 2)
	defer l.close()
	l.append(l.p, -1, "a")
	l.durable()
	l.mustFetch(2, 1, 1)
	l.mustFetch(3, 1, 1)
	p := l.proposal(1, 2, 3)
	p.done(Verdict{Code: kafka.IneligibleReplica}) // nothing has changed: to be tried again
	l.mustFetch(3, 1, 1)
	p = l.proposal(1, 2, 3)
	// A retried request whose first copy was taken is refused like this: nobody knows what is true before the image comes.
	p.done(Verdict{Code: kafka.InvalidUpdateVersion})
	l.append(l.p, -1, "b")
	l.durable()
	l.mustFetch(2, 2, 2)
	l.wantHigh(1)
	l.replay(changed(1, func(r *wire.PartitionChangeRecord) { r.Isr = []int32{1, 2} }))
	l.wantHigh(1) // 3 is not in sync, but on the point of joining
	l.mustFetch(3, 2, 2)
	l.wantHigh(2)
}

// What a former leader was told is worth nothing under a new leader epoch.
func TestNewEpochForgetsWhatFollowersHad(t *testing.T) {
	l := newLed(t, 1, 2)
	defer l.close()
	l.append(l.p, -1, "a")
	l.durable()
	l.mustFetch(2, 1, 1)
	l.wantHigh(1)
	old := Read{Offset: 1, LeaderEpoch: 0, LastFetchedEpoch: AnyEpoch, Follower: &Fetched{Broker: 2, BrokerEpoch: 102, Durable: 2, Now: l.now}}
	told := l.await(l.p, 5)
	l.replay(changed(1, func(r *wire.PartitionChangeRecord) { r.Leader = 2 }))
	l.wantCode(l.receive(told), kafka.NotLeaderOrFollower)
	l.replay(changed(1, func(r *wire.PartitionChangeRecord) { r.Leader = 1 }))
	l.append(l.p, -1, "b")
	l.durable()
	l.wantHigh(1)
	_, err := l.p.Read(old)
	l.wantCode(err, kafka.FencedLeaderEpoch)
	l.wantHigh(1)
	l.mustFetch(2, 2, 2)
	l.wantHigh(2)
}

// A new leader waits to hear from those in sync, whatever it has itself, and takes it from there.
func TestNewLeaderKeepsItsHighWatermark(t *testing.T) {
	l := newLed(t, 1, 2)
	defer l.close()
	l.append(l.p, -1, "a", "b")
	l.durable()
	l.replay(changed(1, func(r *wire.PartitionChangeRecord) { r.Leader = 1 }))
	l.wantHigh(0)
	l.mustFetch(2, 1, 1)
	l.wantHigh(1)
	l.mustFetch(2, 0, 0)
	l.wantHigh(1)
}

func TestFollowersHearOfAppends(t *testing.T) {
	l := newLed(t, 1, 2)
	defer l.close()
	w := newCountingWatcher()
	l.p.WatchEnd(w)
	l.append(l.p, 0, "a")
	select {
	case <-w.changed:
	default:
		t.Error("a waiting follower did not hear of an append")
	}
	l.p.UnwatchEnd(w)
}
