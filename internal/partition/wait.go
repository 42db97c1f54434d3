package partition

import (
	"cmp"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/planted"
)

// Committed is told once how an append ended: err is nil when everything below the awaited offset is committed.
// tag is what Await was given. It is called without locks, from whichever goroutine moved the high watermark, and must
// not block. After the call the partition knows nothing of it any more.
type Committed interface {
	Committed(tag int, err error)
}

// commit is an append that waits for the high watermark.
type commit struct {
	offset int64
	to     Committed
	tag    int
}

// Await tells to once everything below offset is committed, at once if it is already; epoch is the leader epoch under which
// that was appended. It fails with the reason when the partition is deleted, loses its leadership or its disk, also if it did
// before the call; the record may or may not survive then.
func (p *Partition) Await(epoch int32, offset int64, to Committed, tag int) {
	p.mu.Lock()
	err := p.cannotWait(epoch)
	if state := p.state.Load(); err == nil && state.Leader != p.node {
		err = notLeader(p, state.Leader)
	}
	if err != nil {
		p.mu.Unlock()
		to.Committed(tag, err)
		return
	}
	// Under the mutex: advance moves the high watermark and collects in one go.
	if p.Log().HighWatermark() >= offset || planted.In(planted.AckBeforeCommit) {
		p.mu.Unlock()
		to.Committed(tag, nil)
		return
	}
	p.mu.commits = insert(p.mu.commits, commit{offset, to, tag})
	p.mu.Unlock()
}

// AwaitFlush is Await for an append with acks=1 for which a flush is due (flush.messages), and for a follower's: it tells to once
// everything below offset is on this broker's stable storage, without waiting for other replicas.
func (p *Partition) AwaitFlush(epoch int32, offset int64, to Committed, tag int) {
	p.mu.Lock()
	if err := p.cannotWait(epoch); err != nil || p.Log().StableOffset() >= offset {
		p.mu.Unlock()
		to.Committed(tag, err)
		return
	}
	p.mu.flushes = insert(p.mu.flushes, commit{offset, to, tag})
	p.mu.Unlock()
}

// cannotWait returns why nothing can be said of an append that was made under a leader epoch: the partition is gone, or this broker
// has begun or ceased to lead since. The log may have been truncated then, and its offsets belong to others' records, even if this
// broker leads again. An epoch that ended without a change of leader is as good as the current one. The caller holds p.mu.
func (p *Partition) cannotWait(epoch int32) error {
	if err := p.Gone(); err != nil {
		return err
	}
	if epoch < p.mu.roleEpoch {
		return kafka.Errorf(kafka.NotLeaderOrFollower, "%s was appended to under leader epoch %d, and has had another leader before epoch %d",
			p.name, epoch, p.mu.roleEpoch)
	}
	return nil
}

func insert(list []commit, c commit) []commit {
	i := len(list)
	for i > 0 && list[i-1].offset > c.offset {
		i-- // appends come in order; only goroutines that overtake each other on the way here make this loop
	}
	return slices.Insert(list, i, c)
}

// AwaitFunc is Await for a plain function.
func (p *Partition) AwaitFunc(epoch int32, offset int64, done func(error)) {
	p.Await(epoch, offset, committedFunc(done), 0)
}

type committedFunc func(error)

func (f committedFunc) Committed(_ int, err error) { f(err) }

// Settle calls done once everything appended so far is committed. With acks=0 and acks=1 records may lie in the log for a
// moment before consumers see them; who asks for offsets must not be told that they are not there. It does not wait for
// other replicas.
func (p *Partition) Settle(done func(error)) {
	state, end := p.State(), p.Log().EndOffset()
	if end <= p.Log().HighWatermark() || len(state.Replicas) != 1 {
		done(p.Gone())
		return
	}
	p.commit(end)
	p.AwaitFunc(state.LeaderEpoch, end, done)
}

// Abandon forgets a waiting append whose request has timed out, and reports whether it still waited: if not, it has
// been told or is being told. to is what Await was given: a pointer.
func (p *Partition) Abandon(to Committed, tag int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, list := range []*[]commit{&p.mu.commits, &p.mu.flushes} {
		if i := slices.IndexFunc(*list, func(c commit) bool { return c.to == to && c.tag == tag }); i >= 0 {
			*list = slices.Delete(*list, i, i+1)
			return true
		}
	}
	return false
}

// Watcher hears of changes of a partition: more can be read, it is led elsewhere, it is gone. Changed is called
// without locks and must not block; it may be called again until Unwatch, and once more shortly after.
type Watcher interface {
	Changed()
}

// Watch has w hear of changes until Unwatch. The caller reads the partition once more afterwards, so that what changed
// before is not missed.
func (p *Partition) Watch(w Watcher) {
	p.mu.Lock()
	p.mu.watchers = append(p.mu.watchers, w)
	p.watched.Store(int32(len(p.mu.watchers)))
	p.mu.Unlock()
	// Records of acks=0 and acks=1 may lie there unsynced because nobody had asked for them; now somebody does.
	if end := p.Log().EndOffset(); end > p.Log().HighWatermark() {
		p.commit(end)
	}
}

// WatchEnd has w hear of every append, too, until UnwatchEnd: what a follower's fetch waits for.
func (p *Partition) WatchEnd(w Watcher) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.tails = append(p.mu.tails, w)
	p.tailed.Store(int32(len(p.mu.tails)))
}

// UnwatchEnd ends WatchEnd.
func (p *Partition) UnwatchEnd(w Watcher) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.mu.tails, w); i >= 0 {
		p.mu.tails = slices.Delete(p.mu.tails, i, i+1)
		p.tailed.Store(int32(len(p.mu.tails)))
	}
}

// tellAppended has the followers fetch what was appended.
func (p *Partition) tellAppended() {
	if p.tailed.Load() == 0 {
		return
	}
	p.mu.Lock()
	tails := slices.Clone(p.mu.tails)
	p.mu.Unlock()
	for _, w := range tails {
		w.Changed()
	}
}

// Unwatch ends Watch.
func (p *Partition) Unwatch(w Watcher) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.mu.watchers, w); i >= 0 {
		p.mu.watchers = slices.Delete(p.mu.watchers, i, i+1)
		p.watched.Store(int32(len(p.mu.watchers)))
	}
}

// Nudge has every watcher look again, though nothing has changed: the broker stops.
func (p *Partition) Nudge() {
	p.mu.Lock()
	watchers := slices.Concat(p.mu.watchers, p.mu.tails)
	p.mu.Unlock()
	for _, w := range watchers {
		w.Changed()
	}
}

// news is what one move of the high watermark, or the end of a partition, brings to those who wait.
type news struct {
	commits  []commit
	watchers []Watcher
}

// collect takes out the appends that are committed below hw, and those that are stable here, and copies the watchers. The
// caller holds p.mu.
func (p *Partition) collect(hw, stable int64) news {
	out := p.mu.spare
	p.mu.spare = news{}
	out.commits = takeUpTo(&p.mu.commits, hw, out.commits[:0])
	out.commits = takeUpTo(&p.mu.flushes, stable, out.commits)
	out.watchers = append(out.watchers[:0], p.mu.watchers...)
	return out
}

// takeUpTo moves those that wait for an offset up to limit from list to out.
func takeUpTo(list *[]commit, limit int64, out []commit) []commit {
	n := firstBeyond(*list, limit)
	out = append(out, (*list)[:n]...)
	*list = slices.Delete(*list, 0, n)
	return out
}

// firstBeyond is the index of the first that waits for an offset above limit.
func firstBeyond(list []commit, limit int64) int {
	n, _ := slices.BinarySearchFunc(list, limit+1, func(c commit, target int64) int { return cmp.Compare(c.offset, target) })
	return n
}

// tell calls everybody in n, and keeps its memory for the next round.
func (p *Partition) tell(n news, err error) {
	for _, c := range n.commits {
		c.to.Committed(c.tag, err)
	}
	for _, w := range n.watchers {
		w.Changed()
	}
	clear(n.commits)
	clear(n.watchers)
	p.mu.Lock()
	p.mu.spare = n
	p.mu.Unlock()
}

// release tells everybody who waits that err happened.
func (p *Partition) release(err error) {
	p.mu.Lock()
	n := p.collect(1<<63-2, 1<<63-2)
	n.watchers = append(n.watchers, p.mu.tails...)
	p.mu.Unlock()
	p.tell(n, err)
}
