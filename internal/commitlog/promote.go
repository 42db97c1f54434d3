package commitlog

import (
	"cmp"
	"errors"
	"path/filepath"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/producerstate"
)

// Promote makes the future log of a partition its log in this directory, which goes on where from ends, and returns it.
// from is the log in the other directory; nobody appends to either until Promote returns, and both end at the same offset.
// What only memory knew of from (producers, leader epochs without records, the high watermark) goes along. From then on
// from refuses changes, and the caller deletes it. Without a from the copy is taken as it is.
//
// After an error from is still the partition's log, and the copy is gone unless the error is INVALID_REQUEST: it does not
// end where from does. A crash leaves either a future log, from which a move can go on, or both logs, of which this one has
// at least as much: all of it is on stable storage before it gets its name.
func (d *Dir) Promote(tp kafka.TopicPartition, from *Log) (*Log, error) {
	future := d.Future(tp)
	if future == nil {
		return nil, kafka.Errorf(kafka.UnknownTopicOrPartition, "No copy of %s is being made in log directory %s", tp, d.path)
	}
	if from != nil {
		if err := future.takeOver(from); err != nil {
			return nil, err
		}
	} else {
		future.cleaned.Store(0) // nobody knows
	}
	l, err := d.promote(future)
	if err != nil {
		return nil, errors.Join(storageError(err), d.DeleteFuture(tp))
	}
	if from != nil {
		l.inherit(from)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.mu.futures, tp)
	d.mu.logs[tp] = l
	return l, nil
}

// takeOver gives a future log what from knows beside its records.
func (l *Log) takeOver(from *Log) error {
	from.mu.Lock()
	defer from.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := cmp.Or(from.usable(), l.usable()); err != nil {
		return err
	}
	if end, want := l.end.Load(), from.end.Load(); end != want {
		return kafka.Errorf(kafka.InvalidRequest, "The copy of %s ends at offset %d, its log at %d", l.tp, end, want)
	}
	l.high.Store(from.high.Load())
	l.start.Store(from.start.Load())
	l.cleaned.Store(min(l.cleaned.Load(), from.cleaned.Load())) // from may have been cut meanwhile
	l.epochs.replace(&from.epochs)
	l.mu.producers = from.mu.producers // for the snapshot; nobody appends
	l.mu.snapshotAt = noOffset
	return nil
}

// promote brings a future log to stable storage, gives its folder the name of the partition's log, and loads it from there.
func (d *Dir) promote(future *Log) (*Log, error) {
	if err := future.finish(); err != nil {
		return nil, err
	}
	// A recovery that finds no entry for a log gives up what does not begin at offset 0: the future log stays listed, for
	// the checkpoints that are written meanwhile, until the log takes its place.
	if err := d.writeCheckpointFiles(); err != nil {
		return nil, err
	}
	future.close(kafka.Errorf(kafka.NotLeaderOrFollower, "The copy of %s in %s is its log now", future.tp, d.path))
	path := filepath.Join(d.path, future.tp.String())
	err := d.fsys.Rename(future.path, path)
	if err == nil {
		err = d.fsys.SyncDir(d.path)
	}
	var l *Log
	if err == nil {
		end := future.end.Load()
		l, err = d.loadLogAt(future.tp, path, future.Config(), checkpointed{recoveryPoint: end, start: future.start.Load(), high: future.high.Load(), clean: true})
	}
	if err == nil && l.flushing.names { // it was damaged meanwhile
		l.flushing.sync(l)
		err = l.recovered()
	}
	if err != nil {
		d.fail(err)
		return nil, err
	}
	if clean := future.cleaned.Load(); clean > 0 && clean <= l.end.Load() {
		l.cleaned.Store(clean)
		d.cleanedDue.Store(true)
		d.flusher.checkpointSoon()
	}
	return l, nil
}

// inherit takes over what is in memory only: verifications of transactions, epochs without records.
func (l *Log) inherit(from *Log) {
	from.mu.Lock()
	defer from.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.producers, from.mu.producers = from.mu.producers, producerstate.New(from.tp)
	from.mu.refused = kafka.Errorf(kafka.NotLeaderOrFollower, "Partition %s has moved to log directory %s", l.tp, l.dir.path)
	l.epochs.replace(&from.epochs)
	l.publishUnstable()
}
