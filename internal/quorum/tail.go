package quorum

import (
	"fmt"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// SnapshotID names a snapshot: the offset after its last record, and that record's epoch (KIP-630).
type SnapshotID struct {
	EndOffset int64
	Epoch     int32
}

// Tail is what the leader answers an observer that fetches (KIP-595): batches, or why there are none.
type Tail struct {
	LeaderID, Epoch int32
	// Everything below HighWatermark is committed; the log begins at LogStart.
	HighWatermark, LogStart int64
	// Batches are committed, and go on where the observer's log ends.
	Batches []byte
	// Snapshot is set if the observer's log ends before the leader's begins: it starts over from that.
	Snapshot *SnapshotID
	// Diverging is set if the observer's last batch is none of the log's: of that epoch and those before, the log has what
	// is below EndOffset.
	Diverging *SnapshotID
}

// observer is what the leader notes of a node that fetches and has no vote.
type observer struct {
	end                     int64
	lastFetch, lastCaughtUp time.Time
}

// maxObservers bounds whom the leader remembers, and observerMemory how long (Kafka: LeaderState.OBSERVER_SESSION_TIMEOUT_MS).
const (
	maxObservers   = 10_000
	observerMemory = 5 * time.Minute
)

// ReadTail answers an observer whose log ends at offset with a batch of lastEpoch: committed batches of at most about maxBytes,
// at least one if there is one. Only what is committed is given away, so an observer never has to take anything back.
// NOT_LEADER_OR_FOLLOWER unless this node leads; the Tail names who does, if that is known.
func (q *Quorum) ReadTail(who Voter, offset int64, lastEpoch int32, maxBytes int) (Tail, error) {
	q.mu.Lock()
	status := q.mu.node.BasicStatus()
	t := Tail{LeaderID: q.nodeID(status.Lead), Epoch: int32(status.HardState.GetTerm()), HighWatermark: q.mu.committed}
	if q.mu.err != nil || q.mu.lead == nil || q.mu.lead.valid() != nil {
		q.mu.Unlock()
		return t, kafka.Errorf(kafka.NotLeaderOrFollower, "this node does not lead the metadata quorum in epoch %d", t.Epoch)
	}
	q.mu.loads++
	q.observed(who, offset, time.Now())
	q.mu.Unlock()
	defer q.loaded()

	base, _ := q.storage.bounds()
	t.LogStart = base.offset
	if offset < base.offset {
		t.Snapshot = &SnapshotID{base.offset, int32(base.term)}
		return t, nil
	}
	last := q.storage.lastOf(lastEpoch, min(offset, t.HighWatermark))
	if last.offset != offset || last.term != uint64(max(lastEpoch, 0)) {
		t.Diverging = &SnapshotID{last.offset, int32(last.term)}
		return t, nil
	}
	if offset == t.HighWatermark {
		return t, nil
	}
	b, err := q.storage.journal.Read(offset, t.HighWatermark, maxBytes)
	if err != nil {
		return t, fmt.Errorf("reading the metadata log at offset %d: %w", offset, err)
	}
	t.Batches = b
	return t, nil
}

// ReadSnapshot reads a part of the newest snapshot (FetchSnapshot), and tells its size in bytes. SNAPSHOT_NOT_FOUND if there is a
// newer one by now, POSITION_OUT_OF_RANGE beyond its end.
func (q *Quorum) ReadSnapshot(id SnapshotID, at int64, maxBytes int) (part []byte, size int64, err error) {
	q.mu.Lock()
	if q.mu.err != nil || q.mu.lead == nil || q.mu.lead.valid() != nil {
		q.mu.Unlock()
		return nil, 0, kafka.Errorf(kafka.NotLeaderOrFollower, "this node does not lead the metadata quorum")
	}
	q.mu.loads++
	q.mu.Unlock()
	defer q.loaded()
	base, _ := q.storage.bounds()
	if base.offset != id.EndOffset || int32(base.term) != id.Epoch || base.index == 0 {
		return nil, 0, kafka.Errorf(kafka.SnapshotNotFound, "the newest metadata snapshot ends at offset %d, epoch %d; not at %d, epoch %d", base.offset, base.term, id.EndOffset, id.Epoch)
	}
	return q.files.readPart(base, at, maxBytes)
}

// News returns a channel that is closed when more is committed, or this node's part in the quorum changes.
func (q *Quorum) News() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.mu.news == nil {
		q.mu.news = make(chan struct{})
	}
	return q.mu.news
}

// tell closes the channel of News. The caller holds the lock.
func (q *Quorum) tell() {
	if q.mu.news != nil {
		close(q.mu.news)
		q.mu.news = nil
	}
}

// loaded ends a reading that kept the log from being dropped.
func (q *Quorum) loaded() {
	q.mu.Lock()
	q.mu.loads--
	q.mu.Unlock()
	q.poke()
}

// observed notes how far an observer is. The caller holds the lock.
func (q *Quorum) observed(who Voter, offset int64, now time.Time) {
	if q.mu.voting.voters.Has(who) || who.NodeID < 0 {
		return
	}
	for v, o := range q.mu.observers {
		if v.NodeID == who.NodeID && v != who || now.Sub(o.lastFetch) > observerMemory {
			delete(q.mu.observers, v)
		}
	}
	o, known := q.mu.observers[who]
	if !known && len(q.mu.observers) >= maxObservers {
		return
	}
	o.end, o.lastFetch = offset, now
	if offset >= q.mu.committed {
		o.lastCaughtUp = now
	}
	if q.mu.observers == nil {
		q.mu.observers = map[Voter]observer{}
	}
	q.mu.observers[who] = o
}
