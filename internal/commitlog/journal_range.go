package commitlog

import (
	"errors"
	"fmt"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
)

// suitJournal notes what of a flush the journal may take: a small range at the end of the active segment, if nothing else has
// to be made durable with it. The caller holds l.mu.
func (l *Log) suitJournal(w *flushWork, active *segment) {
	j := l.dir.journal
	if j == nil || w.pending() || len(w.segments) == 0 || w.segments[0] != active {
		return
	}
	w.position = max(active.synced, active.journaled)
	length := w.sizes[0] - w.position
	if w.first < active.base || length <= 0 || length > min(maxJournaledBytes, j.limit/8) {
		return
	}
	w.length, w.left, w.topicID = int(length), l.left.Load(), l.mu.topicID
}

// pending reports whether there is more than bytes to make durable.
func (w *flushWork) pending() bool {
	return w.folder || w.names || len(w.files) > 0 || len(w.snapshots) > 0
}

// nothingNew reports whether all that there is was flushed before.
func (w *flushWork) nothingNew() bool { return !w.idle && !w.pending() && w.target <= w.first }

// entry is what the journal gets of a flush.
func (w *flushWork) entry(tp kafka.TopicPartition) journalEntry {
	return journalEntry{topicID: w.topicID, tp: tp, base: w.segments[0].base, position: w.position, first: w.first, next: w.target, length: w.length}
}

// appendBytes adds the bytes of the range. Nobody changes them while the log is known not to have left the journal.
func (w *flushWork) appendBytes(b []byte) ([]byte, error) {
	s := w.segments[0]
	f, _, err := s.useLog()
	if err != nil {
		return nil, err
	}
	defer f.done()
	n := len(b)
	b = slices.Grow(b, w.length)[:n+w.length]
	got, err := f.ReadAt(b[n:], w.position)
	if got < w.length {
		return nil, errors.Join(fmt.Errorf("%s has %d bytes at position %d, %d were written", s.name(), got, w.position, w.length), err)
	}
	return b, nil
}
