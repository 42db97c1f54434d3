// Package memlog is a statemachine.Log in memory, for the tests of machines and of the engine: it commits at
// once or on command, and fails on command.
package memlog

import (
	"slices"
	"sync"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/producerstate"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/statemachine"
)

// Log is a log in memory. The zero value is an empty log that commits every batch at once. Its methods may
// be called from any goroutine.
type Log struct {
	mu struct {
		sync.Mutex
		batches   []record.Batch
		end       int64
		committed int64
		held      bool
		appendErr error
		commitErr error
		waiters   []waiter
		loading   func() // called during Load, before the first batch
	}
}

var (
	_ statemachine.Log            = (*Log)(nil)
	_ statemachine.TransactionLog = (*Log)(nil)
)

type waiter struct {
	offset int64
	done   func(error)
}

// New returns an empty log that commits every batch at once.
func New() *Log { return &Log{} }

// Append stores one batch; see statemachine.Log.
func (l *Log) Append(batch []byte) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.appendErr != nil {
		return 0, l.mu.appendErr
	}
	b, rest, err := record.First(batch)
	if err != nil {
		return 0, err
	}
	if len(rest) > 0 {
		return 0, kafka.Errorf(kafka.InvalidRecord, "%d bytes after the batch", len(rest))
	}
	if err := b.CheckCRC(); err != nil {
		return 0, err
	}
	b.SetBaseOffset(l.mu.end)
	l.mu.batches = append(l.mu.batches, slices.Clone(b))
	l.mu.end = b.LastOffset() + 1
	if !l.mu.held {
		l.mu.committed = l.mu.end
	}
	return l.mu.end, nil
}

// AppendTransactional is Append: this log keeps no producers. See statemachine.TransactionLog.
func (l *Log) AppendTransactional(batch []byte, _ producerstate.Append) (int64, error) {
	return l.Append(batch)
}

// Await calls done once everything below offset is committed; see statemachine.Log.
func (l *Log) Await(offset int64, done func(error)) {
	l.mu.Lock()
	err := l.mu.commitErr
	if err == nil && offset > l.mu.committed {
		l.mu.waiters = append(l.mu.waiters, waiter{offset, done})
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	done(err)
}

// Load yields every batch, in a buffer that is spoilt after each yield, so that a machine that keeps bytes
// of a record shows itself in tests.
func (l *Log) Load(yield func(record.Batch) error) error {
	l.mu.Lock()
	batches, loading := slices.Clone(l.mu.batches), l.mu.loading
	l.mu.Unlock()
	if loading != nil {
		loading()
	}
	for _, b := range batches {
		buffer := slices.Clone(b)
		if err := yield(buffer); err != nil {
			return err
		}
		for i := range buffer {
			buffer[i] = 0xEE
		}
	}
	return nil
}

// Hold makes commits wait for Commit.
func (l *Log) Hold() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.held = true
}

// Commit commits everything below offset, and calls whoever waits for that on this goroutine.
func (l *Log) Commit(offset int64) {
	l.mu.Lock()
	l.mu.committed = max(l.mu.committed, min(offset, l.mu.end))
	var due []waiter
	l.mu.waiters = slices.DeleteFunc(l.mu.waiters, func(w waiter) bool {
		if w.offset > l.mu.committed {
			return false
		}
		due = append(due, w)
		return true
	})
	l.mu.Unlock()
	for _, w := range due {
		w.done(nil)
	}
}

// Release commits everything, now and from now on at once.
func (l *Log) Release() {
	l.mu.Lock()
	l.mu.held = false
	end := l.mu.end
	l.mu.Unlock()
	l.Commit(end)
}

// FailAppends makes every Append fail with err, until it is called with nil.
func (l *Log) FailAppends(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.appendErr = err
}

// FailCommits fails whoever waits for a commit, now and later, with err.
func (l *Log) FailCommits(err error) {
	l.mu.Lock()
	l.mu.commitErr = err
	due := l.mu.waiters
	l.mu.waiters = nil
	l.mu.Unlock()
	for _, w := range due {
		w.done(err)
	}
}

// OnLoad has f called at the start of every Load: a test blocks in it to see a log that takes its time.
func (l *Log) OnLoad(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.loading = f
}

// End is the offset after the last batch.
func (l *Log) End() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.end
}

// Batches returns the batches of the log as they are stored: changing their bytes corrupts the log.
func (l *Log) Batches() []record.Batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.mu.batches)
}

// Records returns the records of all batches but control batches, in order.
func (l *Log) Records() ([]statemachine.Record, error) {
	var all []statemachine.Record
	for _, b := range l.Batches() {
		if b.Attributes().Control() {
			continue
		}
		for r, err := range b.Records(1 << 30) {
			if err != nil {
				return nil, err
			}
			all = append(all, statemachine.Record{Key: r.Key, Value: r.Value})
		}
	}
	return all, nil
}
