package quorum

import (
	"context"
	"time"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/ottla/ottla/internal/record"
)

// fetcher gets the log for a controller to which no leader sends it: one that has no vote, or had one and was not told that it was
// taken, or that knows of no voter that is still there. What it fetches it hands to raft in messages as the leader would have sent
// them, so that terms and the tail of the log stay raft's business. All of it is committed.
type fetcher struct {
	q      *Quorum
	source Source
	lost   time.Time // since when this voter has heard of no leader
}

const (
	// fetchPause is how long a fetcher waits when it got no answer.
	fetchPause = 20 * time.Millisecond
	// fetchSettle bounds how long it waits until what it fetched is on the disk.
	fetchSettle = time.Second
)

// fetch runs until the quorum stops.
func (q *Quorum) fetch() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-q.closing:
		case <-q.closed:
		}
		cancel()
	}()
	f := &fetcher{q: q, source: q.options.Source}
	for ctx.Err() == nil {
		pause := fetchPause
		if !f.needed(time.Now()) {
			pause = q.options.ElectionTimeout / electionTicks
		} else if to, heard := f.turn(ctx); heard && f.settled(ctx, to) {
			continue
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// needed reports whether nobody sends the log: to an observer, and to a voter that has heard of no leader for two election
// timeouts.
func (f *fetcher) needed(now time.Time) bool {
	f.q.mu.Lock()
	defer f.q.mu.Unlock()
	status := f.q.mu.node.BasicStatus()
	switch {
	case f.q.mu.err != nil || status.RaftState == raft.StateLeader:
		return false
	case !f.q.votes():
		return true
	case f.q.mu.voting.version == 0: // nobody takes the vote of a static voter
		return false
	case status.Lead != 0:
		f.lost = time.Time{}
		return false
	case f.lost.IsZero():
		f.lost = now
	}
	return now.Sub(f.lost) > 2*f.q.options.ElectionTimeout
}

// turn fetches from where the log here ends, and reports whether somebody who leads has answered, and where the log here will end.
func (f *fetcher) turn(ctx context.Context) (to position, heard bool) {
	from := f.q.storage.endPosition()
	for {
		t, err := f.source.Fetch(ctx, from.offset, int32(from.term))
		if err != nil || t.LeaderID < 0 || t.Epoch < 0 {
			return position{}, false
		}
		switch {
		case t.Snapshot != nil:
			return f.takeSnapshot(ctx, t)
		case t.Diverging == nil:
			return f.take(from, t)
		}
		back := f.q.storage.lastOf(t.Diverging.Epoch, t.Diverging.EndOffset)
		if back.index >= from.index || back.index < f.committed() {
			f.q.log.Error("the active controller's metadata log does not have what is committed here: the controllers have lost metadata", "epoch", t.Diverging.Epoch, "endOffset", t.Diverging.EndOffset, "committed", from.offset)
			return position{}, false
		}
		from = back
	}
}

func (f *fetcher) committed() uint64 {
	f.q.mu.Lock()
	defer f.q.mu.Unlock()
	return f.q.mu.node.BasicStatus().HardState.GetCommit()
}

// take hands batches to raft that follow from, which is part of the leader's log.
func (f *fetcher) take(from position, t Tail) (to position, heard bool) {
	m := f.message(pb.MsgHeartbeat, t)
	m.Commit = &from.index
	last := from
	for b, err := range record.Batches(t.Batches) {
		if err != nil || b.BaseOffset() != last.offset || b.LastOffsetDelta() < 0 {
			f.q.log.Warn("the active controller sent what is no part of the metadata log", "offset", last.offset, "error", err)
			break
		}
		last = position{index: last.index + 1, term: uint64(max(b.LeaderEpoch(), 0)), offset: b.LastOffset() + 1}
		m.Entries = append(m.Entries, newEntry(last.index, b))
	}
	if len(m.Entries) > 0 {
		m.Type, m.Index, m.LogTerm, m.Commit = pb.MsgApp.Enum(), &from.index, &from.term, &last.index
	}
	f.q.fetchedTo(t.HighWatermark)
	return last, f.step(m)
}

// takeSnapshot fetches the leader's snapshot and hands it to raft.
func (f *fetcher) takeSnapshot(ctx context.Context, t Tail) (to position, heard bool) {
	data, err := fetchSnapshot(ctx, f.source, *t.Snapshot)
	if err != nil {
		return position{}, false
	}
	p, err := sentSnapshot(data)
	if err != nil || p.offset != t.Snapshot.EndOffset || int32(p.term) != t.Snapshot.Epoch {
		f.q.log.Warn("the active controller sent what is not its metadata snapshot", "offset", t.Snapshot.EndOffset, "epoch", t.Snapshot.Epoch, "error", err)
		return position{}, false
	}
	m := f.message(pb.MsgSnap, t)
	m.Snapshot = &pb.Snapshot{Data: data, Metadata: &pb.SnapshotMetadata{Index: &p.index, Term: &p.term}}
	return p, f.step(m)
}

// message begins one of the leader's.
func (f *fetcher) message(kind pb.MessageType, t Tail) *pb.Message {
	leader := Voter{NodeID: t.LeaderID}
	from := leader.RaftID()
	f.q.mu.Lock()
	defer f.q.mu.Unlock()
	if known, found := f.q.mu.voting.voters.Node(t.LeaderID); found {
		from = known.RaftID()
	} else {
		f.q.mu.met[from] = leader
	}
	return &pb.Message{Type: &kind, To: &f.q.self, From: &from, Term: new(uint64(t.Epoch))}
}

// step gives raft a message.
func (f *fetcher) step(m *pb.Message) bool {
	if err := f.q.step(m, false); err != nil {
		f.q.log.Warn("the active controller sent what is no part of the metadata log", "error", err)
		return false
	}
	return true
}

// settled waits until the log here is as far as it should be.
func (f *fetcher) settled(ctx context.Context, to position) bool {
	ctx, cancel := context.WithTimeout(ctx, fetchSettle)
	defer cancel()
	for {
		news := f.q.News()
		if f.q.storage.endPosition().index >= to.index {
			return true
		}
		select {
		case <-news:
		case <-ctx.Done():
			return false
		}
	}
}
