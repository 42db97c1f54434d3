package commitlog

import (
	"errors"
	"path/filepath"

	"github.com/ottla/ottla/internal/kafka"
)

// readJournal is for the start of a directory. After a clean stop there is nothing to redo.
func (d *Dir) readJournal() (*redo, error) {
	if d.clean {
		return &redo{scan: new(journalScan)}, nil
	}
	r, err := readJournal(d.fsys, d.path)
	if err != nil {
		return nil, err
	}
	for _, damage := range r.scan.damage {
		d.options.Logger.Error("the redo journal is damaged: what it had may be missing in logs; one that lacks what later entries prove takes no appends",
			"file", damage.File, "position", damage.Position, "reason", damage.Reason)
	}
	if len(r.logs) > 0 {
		d.options.Logger.Info("redoing what the journal has", "dir", d.path, "frames", len(r.scan.frames), "logs", len(r.logs))
	}
	return r, nil
}

// redoError says that a log lacks something that only the journal has.
type redoError struct{ error }

func (e *redoError) Unwrap() error { return e.error }

// redoAndLoad loads a log after its segments got what they lack. The error is a redoError if they did not get it, so that the
// journal must stay. A log that cannot be loaded has what was redone on stable storage, for another start.
func (d *Dir) redoAndLoad(r *redo, tp kafka.TopicPartition, c checkpointed) (*Log, error) {
	folder := filepath.Join(d.path, tp.String())
	var err error
	if c.acknowledged, err = r.apply(d.fsys, folder, tp, c); err != nil {
		return nil, &redoError{err}
	}
	l, err := d.loadLog(tp, c)
	if err == nil {
		return l, nil
	}
	if lost := r.sync(d.fsys, folder, tp); lost != nil {
		return nil, &redoError{errors.Join(err, lost)}
	}
	return nil, err
}

// endRedo removes the journal. All logs are synced; that some are damaged, because something that the journal proves is missing,
// has to be known without it.
func (d *Dir) endRedo(r *redo) error {
	if len(r.logs) > 0 {
		if err := d.writeCheckpointFiles(); err != nil {
			return err
		}
	}
	return removeJournal(d.fsys, d.path)
}

// lacks makes a log damaged that has nothing at an offset though the recovery point or the journal proves that it was
// acknowledged up to proven.
func (l *Log) lacks(offset, proven int64, file string, position int64, reason string) bool {
	if offset >= proven {
		return false
	}
	l.damaged(&CorruptionError{File: file, Position: position, Offset: offset, Reason: reason}, proven)
	return true
}
