package commitlog

import (
	"errors"
	"path/filepath"
	"slices"

	"github.com/ottla/ottla/internal/producerstate"
	"github.com/ottla/ottla/internal/record"
)

// Producer snapshots (NNN.snapshot holds the state of all batches below NNN) are written when a segment is
// closed, when the Dir closes, and now and then between (progress.go). Kept are those at the beginning of a
// segment and the newest.
//
// A snapshot gets its name only after it was synced, together with the indexes that were written with it: until then
// it is pending under a temporary name. So the existence of NNN.snapshot says that below NNN a recovery need not look
// at anything again: not at producers, nor aborted transactions, nor indexes.

const maxSnapshotBytes = 1 << 30

func (l *Log) snapshotPath(offset int64) string {
	return segmentStem(l.path, offset) + snapshotSuffix
}

func (l *Log) pendingSnapshotPath(offset int64) string {
	return l.snapshotPath(offset) + temporarySuffix
}

// saveSnapshot writes a pending snapshot at the log's end, after the indexes; the next flush syncs all and names it.
// The caller holds l.mu.
func (l *Log) saveSnapshot() error {
	end := l.end.Load()
	if l.mu.snapshotAt == end {
		return nil
	}
	pending := l.pendingSnapshotPath(end)
	if err := writeFile(l.fsys, pending, l.mu.producers.Snapshot(), false); err != nil {
		return err
	}
	u := &l.mu.unsynced
	u.add(pending)
	u.snapshots = append(u.snapshots, end)
	u.names = true
	l.retireSnapshot()
	l.mu.snapshotAt = end
	return nil
}

// nameSnapshots gives synced snapshots their names. The caller holds l.mu.
func (l *Log) nameSnapshots(offsets []int64) error {
	for _, offset := range offsets {
		if err := l.fsys.Rename(l.pendingSnapshotPath(offset), l.snapshotPath(offset)); err != nil {
			return err
		}
		l.mu.unsynced.names = true
	}
	return nil
}

// dropPendingSnapshots is for snapshots that a truncation overtook. What cannot be removed now goes at the next start.
func (l *Log) dropPendingSnapshots(offsets []int64) {
	for _, offset := range offsets {
		_ = l.fsys.Remove(l.pendingSnapshotPath(offset))
	}
}

// giveUpSnapshots is for snapshots that the disk did not take. The caller holds l.mu.
func (l *Log) giveUpSnapshots(offsets []int64) {
	l.dropPendingSnapshots(offsets)
	if slices.Contains(offsets, l.mu.snapshotAt) {
		l.mu.snapshotAt = noOffset
	}
}

// retireSnapshot removes the newest snapshot but one if it is at no segment's beginning. The caller holds l.mu.
func (l *Log) retireSnapshot() {
	old := l.mu.snapshotAt
	if old == noOffset || slices.ContainsFunc(l.list(), func(s *segment) bool { return s.base == old }) {
		return
	}
	l.removeLater(l.snapshotPath(old))
}

// snapshots lists the offsets of the snapshot files, ascending.
func (l *Log) snapshots() ([]int64, error) {
	entries, err := l.fsys.ReadDir(l.path)
	if err != nil {
		return nil, err
	}
	var offsets []int64
	for _, e := range entries {
		if offset, suffix, ok := parseOffsetName(e.Name()); ok && suffix == snapshotSuffix {
			offsets = append(offsets, offset)
		}
	}
	slices.Sort(offsets)
	return offsets, nil
}

// loadSnapshot fills a table from the newest good snapshot at or below limit and returns its offset; without one
// the table is empty and the answer the log's first offset.
func (l *Log) loadSnapshot(t *producerstate.Table, limit int64) (offset int64, found bool, err error) {
	offsets, err := l.snapshots()
	if err != nil {
		return 0, false, err
	}
	now, expiration := l.dir.options.Now().UnixMilli(), l.config.Load().ProducerExpiration.Milliseconds()
	for _, offset := range slices.Backward(offsets) {
		if offset > limit {
			continue
		}
		content, err := ReadFile(l.fsys, l.snapshotPath(offset), maxSnapshotBytes)
		if err == nil {
			err = t.Load(content, offset, now, expiration)
		}
		if err == nil {
			return offset, true, nil
		}
		l.dir.options.Logger.Warn("ignoring a damaged producer snapshot", "file", l.snapshotPath(offset), "error", err)
	}
	first := l.list()[0].base
	t.Reset(first)
	return first, false, nil
}

// removeSnapshotsAfter removes snapshots of what is no longer in the log.
func (l *Log) removeSnapshotsAfter(limit int64) error {
	offsets, err := l.snapshots()
	for _, offset := range offsets {
		if offset > limit {
			err = errors.Join(err, removeIfThere(l.fsys, l.snapshotPath(offset)))
		}
	}
	return err
}

// rebuildProducers loads the newest good snapshot at or below limit and replays the log from there to its end.
// Aborted transactions found on the way replace what the transaction indexes had from there on. The caller holds
// l.mu, or is loading the log.
func (l *Log) rebuildProducers(limit int64) error {
	from, found, err := l.loadSnapshot(l.mu.producers, limit)
	if err != nil {
		return err
	}
	l.mu.snapshotAt = noOffset
	if found {
		l.mu.snapshotAt = from
	}
	end := l.end.Load()
	if from < end {
		for _, s := range l.list() {
			if _, next := s.end(); next <= from {
				continue
			}
			if _, err := l.loadAborted(s); err != nil {
				return err
			}
			s.cutAborted(from)
			if err := l.replay(s, from, l.mu.producers, func(b record.Batch) { l.updateProducers(s, b) }); err != nil {
				return err
			}
		}
	}
	if err := l.saveReplayed(); err != nil {
		return err
	}
	l.mu.producers.SetEnd(end)
	l.mu.producers.SetHighWatermark(l.high.Load())
	l.publishUnstable()
	return nil
}

// saveReplayed writes the transaction indexes of closed segments to which a replay added something. That of the
// active segment is written when it is closed.
func (l *Log) saveReplayed() error {
	list := l.list()
	for _, s := range list[:len(list)-1] {
		if !s.abortedUnsaved() {
			continue
		}
		if err := s.writeAborted(true); err != nil {
			return err
		}
		if err := l.fsys.SyncDir(l.path); err != nil {
			return err
		}
	}
	return nil
}

// replay calls update with every batch of a producer at or after from. Of data batches only the header is there; the CRC is
// checked of those that are not just what their producer was to send next.
func (l *Log) replay(s *segment, from int64, table *producerstate.Table, update func(record.Batch)) error {
	f, _, err := s.useLog()
	if err != nil {
		return err
	}
	defer f.done()
	scan := s.scan(f, scanBufferBytes)
	defer scan.free()
	start, err := s.seek(scan, from)
	if err != nil {
		return err
	}
	least := s.base
	for position := start; position < scan.end; {
		b, err := scan.headerFrom(position, least)
		if err != nil {
			return err
		}
		length, first := int64(b.Length()), b.BaseOffset()
		least = b.LastOffset() + 1
		if first >= from && !noProducer(b) {
			if !table.Expects(b) {
				if b, err = scan.batch(position); err != nil {
					return at(first, err)
				}
			}
			if b.HasProducerID() {
				update(b)
			}
		}
		position += length
	}
	return nil
}

// noProducer reports whether nothing in a header is that of a producer.
func noProducer(b record.Batch) bool {
	return b.ProducerID() == record.NoProducerID && b.ProducerEpoch() == record.NoProducerEpoch && b.BaseSequence() == record.NoSequence &&
		!b.Attributes().Transactional() && !b.Attributes().Control()
}

// rebuildAborted finds a segment's aborted transactions from the log itself.
func (l *Log) rebuildAborted(target *segment) ([]Aborted, error) {
	table := producerstate.New(l.tp)
	from, _, err := l.loadSnapshot(table, target.base)
	if err != nil {
		return nil, err
	}
	var found []Aborted
	for _, s := range l.list() {
		if _, next := s.end(); next <= from || s.base > target.base {
			continue
		}
		err := l.replay(s, from, table, func(b record.Batch) {
			if done, ended, err := table.Update(b); err == nil && ended && done.Aborted && s == target {
				found = append(found, Aborted{done.ProducerID, done.FirstOffset, done.LastOffset, done.LastStableOffset})
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// snapshotName is the snapshot at the segment's beginning; it goes with the segment.
func (s *segment) snapshotName() string {
	return filepath.Join(filepath.Dir(s.stem), offsetName(s.base)+snapshotSuffix)
}
