package quorum

import (
	"fmt"
	"iter"

	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/ottla/ottla/internal/record"
)

// install takes over a leader's snapshot.
func (q *Quorum) install(s *pb.Snapshot) error {
	p, err := sentSnapshot(s.GetData())
	var e electorate
	if err == nil {
		e, err = snapshotElectorate(s.GetData(), p, electorate{voters: staticVoters(q.options.Voters)})
	}
	if err != nil {
		return err
	}
	if err := q.files.writeSnapshot(p, s.GetData()); err != nil {
		return fmt.Errorf("writing a metadata snapshot: %w", err)
	}
	if err := q.storage.restore(p); err != nil {
		return fmt.Errorf("restarting the metadata log at offset %d: %w", p.offset, err)
	}
	q.last, q.sinceSnapshot = p, 0
	q.storage.journal.SetHighWatermark(p.offset)
	q.mu.Lock()
	q.mu.committed = p.offset
	q.mu.voting = e
	q.mu.Unlock()
	q.tellVoters(e)
	return q.tellSnapshot(p)
}

// tellSnapshot hands a snapshot file to OnSnapshot.
func (q *Quorum) tellSnapshot(p position) error {
	if q.options.OnSnapshot == nil {
		return nil
	}
	data, err := q.files.readSnapshot(p)
	if err != nil {
		return err
	}
	if _, err := checkSnapshot(data, p); err != nil {
		return err
	}
	q.options.OnSnapshot(p.offset, int32(p.term), snapshotBatches(data))
	return nil
}

// snapshotBatches yields the batches of a snapshot that has been checked.
func snapshotBatches(data []byte) iter.Seq[record.Batch] {
	return func(yield func(record.Batch) bool) {
		for b, err := range record.Batches(data) {
			if err != nil || !yield(b) {
				return
			}
		}
	}
}

// maybeSnapshot begins a snapshot on another goroutine if enough has been committed since the last.
func (q *Quorum) maybeSnapshot() {
	if q.options.Snapshot == nil || q.snapshotting || q.sinceSnapshot < q.options.SnapshotBytes {
		return
	}
	at, timestamp := q.last, q.lastTimestamp
	values, ok := q.options.Snapshot(at.offset)
	if !ok {
		return
	}
	q.mu.Lock()
	voting := q.mu.voting
	q.mu.Unlock()
	q.snapshotting, q.sinceSnapshot = true, 0
	go func() {
		data, err := buildSnapshot(at, timestamp, voting, values, q.options.Now())
		if err == nil {
			err = q.files.writeSnapshot(at, data)
		}
		q.mu.Lock()
		q.mu.snapshot = snapshotResult{done: true, at: at, err: err}
		q.mu.Unlock()
		q.poke()
	}()
}

// finishSnapshot drops the log that a finished snapshot stands for, unless somebody reads it.
func (q *Quorum) finishSnapshot() error {
	q.mu.Lock()
	s := q.mu.snapshot
	if !s.done || q.mu.loads > 0 {
		q.mu.Unlock()
		return nil
	}
	q.mu.snapshot = snapshotResult{}
	q.mu.Unlock()
	q.snapshotting = false
	if s.err != nil {
		return fmt.Errorf("writing a metadata snapshot: %w", s.err)
	}
	if err := q.storage.compact(s.at); err != nil {
		return fmt.Errorf("dropping the metadata log below offset %d: %w", s.at.offset, err)
	}
	base, _ := q.storage.bounds()
	if err := q.files.removeSnapshots(base); err != nil {
		return err
	}
	q.log.Info("metadata snapshot written", "offset", s.at.offset, "epoch", s.at.term)
	return nil
}
