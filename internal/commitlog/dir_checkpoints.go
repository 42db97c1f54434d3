package commitlog

import (
	"errors"
	"path/filepath"
)

// writeCheckpoints is the flusher's: first what recovery needs beside the recovery points, then the points.
func (d *Dir) writeCheckpoints() error {
	for _, l := range d.Logs() {
		if err := l.saveProgress(); err != nil {
			return err
		}
	}
	return d.writeCheckpointFiles()
}

// writeCheckpointFiles writes the three offset checkpoints.
func (d *Dir) writeCheckpointFiles() error {
	d.checkpoints.Lock()
	defer d.checkpoints.Unlock()
	logs := d.Logs()
	return errors.Join(
		d.writePoints(logs),
		d.writeOffsets(highWatermarkFile, logs, func(l *Log) int64 { return l.high.Load() }))
}

// writeRecoveryPoints is for truncation, which must not wait.
func (d *Dir) writeRecoveryPoints() error {
	d.checkpoints.Lock()
	defer d.checkpoints.Unlock()
	return d.writePoints(d.Logs())
}

// writePoints writes the log starts, then the leader epochs, then the recovery points. Epochs are cut at the start
// that is on disk, so that a log that is found to start early knows the epochs there; and they are on disk before the
// recovery point passes their beginning.
func (d *Dir) writePoints(logs []*Log) error {
	starts := make(map[*Log]int64, len(logs))
	points := make(map[*Log]int64, len(logs))
	for _, l := range logs {
		starts[l], points[l] = l.start.Load(), l.recoveryPoint()
	}
	if err := d.writeOffsets(logStartFile, logs, func(l *Log) int64 { return starts[l] }); err != nil {
		return err
	}
	for _, l := range logs {
		l.epochs.cutStart(starts[l])
		if err := l.epochs.save(l.fsys, l.path); err != nil && d.Log(l.tp) == l {
			return err
		}
	}
	return d.writeOffsets(recoveryPointFile, logs, func(l *Log) int64 { return points[l] })
}

func (d *Dir) writeOffsets(name string, logs []*Log, offset func(*Log) int64) error {
	entries := make([]checkpointEntry, len(logs))
	for i, l := range logs {
		entries[i] = checkpointEntry{l.tp, offset(l)}
	}
	return writeOffsetCheckpoint(d.fsys, filepath.Join(d.path, name), entries)
}

// recoveryPoint is the offset below which all batches are durable.
func (l *Log) recoveryPoint() int64 { return max(l.flushed.Load(), l.damagedBelow.Load()) }
