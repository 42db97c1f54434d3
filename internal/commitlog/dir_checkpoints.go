package commitlog

import (
	"errors"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"sync"

	"github.com/ottla/ottla/internal/kafka"
)

// writeCheckpoints is the flusher's: first what recovery needs beside the recovery points, then the points.
func (d *Dir) writeCheckpoints() error {
	if err := d.saveProgress(d.everything()); err != nil {
		return err
	}
	return d.writeCheckpointFiles()
}

// writeCheckpointFiles writes the three offset checkpoints, and that of the cleaner if it is to change.
func (d *Dir) writeCheckpointFiles() error {
	d.checkpoints.Lock()
	defer d.checkpoints.Unlock()
	d.mu.Lock()
	deleted := slices.Collect(maps.Keys(d.mu.deleted))
	d.mu.Unlock()
	logs := d.checkpointed()
	err := errors.Join(
		d.writePoints(logs),
		d.writeOffsets(highWatermarkFile, offsetsOf(logs, (*Log).HighWatermark)))
	if err == nil && d.cleanedDue.Load() {
		err = d.writeCleaned()
	}
	if err == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		for _, tp := range deleted {
			delete(d.mu.deleted, tp)
		}
	}
	return err
}

// noteDeleted looks for partitions in the checkpoints that have no log here, when the directory is loaded.
func (d *Dir) noteDeleted(checkpoints []map[kafka.TopicPartition]int64) {
	for _, offsets := range checkpoints {
		for tp := range offsets {
			if d.mu.logs[tp] == nil && d.mu.futures[tp] == nil {
				d.mu.deleted[tp] = true
			}
		}
	}
}

// forget makes sure that the checkpoints on disk say nothing of a deleted log of the partition: a recovery would take it
// for the start and the recovery point of the log that is created now.
func (d *Dir) forget(tp kafka.TopicPartition) error {
	d.mu.Lock()
	deleted := d.mu.deleted[tp]
	d.mu.Unlock()
	if !deleted {
		return nil
	}
	return d.writeCheckpointFiles()
}

// writeRecoveryPoints is for truncation, which must not wait.
func (d *Dir) writeRecoveryPoints() error {
	d.checkpoints.Lock()
	defer d.checkpoints.Unlock()
	return d.writePoints(d.checkpointed())
}

// checkpointed returns what the checkpoints tell of: logs, copies, and logs that are being deleted, as a crash may bring
// their folders back.
func (d *Dir) checkpointed() []*Log {
	all := d.everything()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.mu.leaving {
		if !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	return all
}

// writePoints writes the log starts, then the leader epochs, then the recovery points. Epochs are cut at the start
// that is on disk, so that a log that is found to start early knows the epochs there; and they are on disk before the
// recovery point passes their beginning.
func (d *Dir) writePoints(logs []*Log) error {
	starts := offsetsOf(logs, func(l *Log) int64 { return min(l.start.Load(), l.ceiling.Load()) })
	points := offsetsOf(logs, (*Log).recoveryPoint)
	if err := d.writeOffsets(logStartFile, starts); err != nil {
		return err
	}
	var unsaved []*Log
	for i, l := range logs {
		l.epochs.cutStart(starts[i].offset)
		if l.epochs.unsaved(points[i].offset) {
			unsaved = append(unsaved, l)
		}
	}
	var gone sync.Map // logs that are being deleted
	err := concurrently(unsaved, func(l *Log) error {
		err := l.epochs.save(l.fsys, l.path, math.MaxInt64)
		if err != nil && d.Log(l.tp) != l && d.Future(l.tp) != l {
			gone.Store(l, true)
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	for i, l := range logs {
		if _, is := gone.Load(l); is {
			points[i].offset = 0 // a crash may bring the folder back, without those epochs
		}
	}
	if err := d.writeOffsets(recoveryPointFile, points); err != nil {
		return err
	}
	for i, l := range logs {
		l.checkpointed.Store(points[i].offset)
	}
	return nil
}

func offsetsOf(logs []*Log, offset func(*Log) int64) []checkpointEntry {
	entries := make([]checkpointEntry, len(logs))
	for i, l := range logs {
		entries[i] = checkpointEntry{l.tp, offset(l)}
	}
	return entries
}

func (d *Dir) writeOffsets(name string, entries []checkpointEntry) error {
	return writeOffsetCheckpoint(d.fsys, filepath.Join(d.path, name), entries)
}

// recoveryPoint is the offset below which all batches are durable in the segments.
func (l *Log) recoveryPoint() int64 {
	return min(max(l.settled(), l.damagedBelow.Load()), l.ceiling.Load())
}

// settled is flushed without what only the journal has.
func (l *Log) settled() int64 {
	flushed := l.flushed.Load() // first: unsettled is set before
	if u := l.unsettled.Load(); u != noOffset {
		return min(u, flushed)
	}
	return flushed
}
