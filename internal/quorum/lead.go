package quorum

import (
	"errors"
	"slices"

	"go.etcd.io/raft/v3"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// Leadership is the metadata log while this node leads it in one epoch: the statemachine.Log that the
// controller runs on. Once the node has resigned its methods fail with NOT_CONTROLLER, for good.
type Leadership struct {
	q     *Quorum
	epoch int32
}

// This is what statemachine.Log asks for, a package of the same floor.
var _ interface {
	Append(batch []byte) (next int64, err error)
	Await(offset int64, done func(err error))
	Load(yield func(batch record.Batch) error) error
} = (*Leadership)(nil)

// waiter is somebody who waits until everything below offset is committed.
type waiter struct {
	offset int64
	done   func(error)
}

// Epoch returns the leader epoch, which is raft's term.
func (l *Leadership) Epoch() int32 { return l.epoch }

// Append proposes one batch as the next raft entry and returns the offset after it. It stamps offset and
// epoch, and keeps the bytes. It does not wait for the disk: batches appended while others are synced
// share the next sync. Errors: NOT_CONTROLLER; RECORD_LIST_TOO_LARGE over 8 MiB; REQUEST_TIMED_OUT when
// 32 MiB wait for a majority. After an error nothing was appended.
func (l *Leadership) Append(batch []byte) (next int64, err error) {
	b, rest, err := record.First(batch)
	if err != nil {
		return 0, err
	}
	if len(rest) > 0 || b.LastOffsetDelta() < 0 {
		return 0, kafka.Errorf(kafka.InvalidRecord, "BUG: one entry of the metadata log is one batch with at least one record")
	}
	if len(b) > maxBatchBytes {
		return 0, kafka.Errorf(kafka.RecordListTooLarge, "a batch of %d bytes for the metadata log; at most %d are allowed: change less at a time", len(b), maxBatchBytes)
	}
	q := l.q
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := l.valid(); err != nil {
		return 0, err
	}
	b.SetBaseOffset(q.mu.next)
	b.SetLeaderEpoch(l.epoch)
	if err := q.mu.node.Propose(b); err != nil {
		if errors.Is(err, raft.ErrProposalDropped) {
			return 0, kafka.Errorf(kafka.RequestTimedOut, "the metadata quorum has too much uncommitted, or is handing over its leadership; try again")
		}
		return 0, err
	}
	q.mu.next, q.mu.nextIndex = b.LastOffset()+1, q.mu.nextIndex+1
	q.poke()
	return q.mu.next, nil
}

// valid returns why l is not the leadership any more. The caller holds the lock. raft may have stepped down
// without the loop having noticed.
func (l *Leadership) valid() error {
	q := l.q
	if q.mu.err != nil {
		return q.mu.err
	}
	status := q.mu.node.BasicStatus()
	if q.mu.lead != l || status.RaftState != raft.StateLeader || status.HardState.GetTerm() != uint64(l.epoch) {
		return kafka.Errorf(kafka.NotController, "this node is no longer the active controller in epoch %d", l.epoch)
	}
	return nil
}

// Await calls done once everything below offset is committed and was handed to OnCommit (nil), or when that
// will not happen under this leadership (NOT_CONTROLLER, KAFKA_STORAGE_ERROR): then the batches may still
// turn out to be committed by the next leader. done is called on the quorum's goroutine, or before Await returns.
func (l *Leadership) Await(offset int64, done func(error)) {
	q := l.q
	q.mu.Lock()
	err := q.mu.err
	if err == nil && q.mu.lead != l {
		err = kafka.Errorf(kafka.NotController, "this node is no longer the active controller in epoch %d", l.epoch)
	}
	if err == nil && offset > q.mu.committed {
		at, _ := slices.BinarySearchFunc(q.mu.waiters, offset+1, func(w waiter, o int64) int { return int(min(max(w.offset-o, -1), 1)) })
		q.mu.waiters = slices.Insert(q.mu.waiters, at, waiter{offset, done})
		q.mu.Unlock()
		return
	}
	q.mu.Unlock()
	done(err)
}

// Load yields all of the metadata: the batches of the newest snapshot (at offsets of its own), then those of
// the log up to its end now. It reads from the disk on the caller's goroutine; no log is dropped meanwhile.
func (l *Leadership) Load(yield func(batch record.Batch) error) error {
	q := l.q
	q.mu.Lock()
	err := l.valid()
	if err == nil {
		q.mu.loads++
	}
	q.mu.Unlock()
	if err != nil {
		return err
	}
	defer q.loaded()
	base, end := q.storage.bounds()
	if base.index > 0 {
		data, err := q.files.readSnapshot(base)
		if err != nil {
			return err
		}
		if _, err := checkSnapshot(data, base); err != nil {
			return err
		}
		for b := range snapshotBatches(data) {
			if err := yield(b); err != nil {
				return err
			}
		}
	}
	for b, err := range batches(q.storage.journal, base.offset, end) {
		if err != nil {
			return err
		}
		if err := yield(b); err != nil {
			return err
		}
	}
	return nil
}

// commit notes that everything below offset is committed and answers who waits for it.
func (q *Quorum) commit(offset int64) {
	q.mu.Lock()
	q.mu.committed = offset
	q.tell()
	n := 0
	for n < len(q.mu.waiters) && q.mu.waiters[n].offset <= offset {
		n++
	}
	due := slices.Clone(q.mu.waiters[:n])
	q.mu.waiters = slices.Delete(q.mu.waiters, 0, n)
	q.mu.Unlock()
	for _, w := range due {
		w.done(nil)
	}
}

// resign ends the leadership, if there is one; who waits for a commit gets err.
func (q *Quorum) resign(err error) {
	q.mu.Lock()
	lead, waiters, changing := q.mu.lead, q.mu.waiters, q.mu.change
	q.mu.lead, q.mu.waiters, q.mu.change = nil, nil, nil
	clear(q.mu.observers)
	q.mu.told = nil
	q.tell()
	if q.mu.resigned != nil {
		close(q.mu.resigned)
		q.mu.resigned = nil
	}
	q.mu.Unlock()
	if lead == nil {
		return
	}
	for _, w := range waiters {
		w.done(err)
	}
	if changing != nil {
		changing.done(err)
	}
	if q.options.OnResign != nil {
		q.options.OnResign(lead.epoch)
	}
}

// stop ends everything with err.
func (q *Quorum) stop(err error) {
	q.mu.Lock()
	q.mu.err = err
	q.mu.Unlock()
	q.resign(err)
}

// fail is stop for a disk that failed.
func (q *Quorum) fail(err error) {
	q.log.Error("the metadata quorum stops", "error", err)
	q.stop(kafka.Errorf(kafka.KafkaStorageError, "the metadata log failed: %v", err))
	if q.options.OnFailure != nil {
		q.options.OnFailure(err)
	}
}
