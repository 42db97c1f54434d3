package commitlog

import (
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// fail takes the directory offline for good: after a failed write or fsync nobody knows what is on the disk, so
// nothing more may be acknowledged. The first error is kept.
func (d *Dir) fail(err error) {
	if !d.failure.CompareAndSwap(nil, &err) {
		return
	}
	d.options.Logger.Error("log directory is offline", "dir", d.path, "error", err)
	if d.options.OnFailure != nil {
		go d.options.OnFailure(err)
	}
	for _, l := range d.Logs() {
		if l.stable.Load() < l.end.Load() {
			d.flusher.want(l)
		}
	}
}

// failUnlessFull is fail for writes that are repeated and on which no acknowledgement rests: checkpoints, indexes,
// snapshots. A full disk is no reason to go offline then; it reports whether that was it.
func (d *Dir) failUnlessFull(err error) (full bool) {
	switch {
	case err == nil:
		return false
	case vfs.IsNoSpace(err):
		d.space.warnFull(err)
		return true
	}
	d.fail(err)
	return false
}

// Failed returns why the directory is offline, or nil.
func (d *Dir) Failed() error {
	if err := d.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// offline is Failed as clients are told.
func (d *Dir) offline() error {
	if err := d.Failed(); err != nil {
		return kafka.Errorf(kafka.KafkaStorageError, "Log directory %s is offline: %v", d.path, err)
	}
	return nil
}

// OpenFailed stands for a directory that could not be opened: it is offline, has no id and no logs.
func OpenFailed(path string, why error) *Dir {
	d := &Dir{path: path, options: Options{}.withDefaults(), cleanEpoch: noBrokerEpoch}
	d.mu.closed = true
	d.flusher = newFlusher(d)
	d.space.dir = d
	d.failure.Store(&why)
	return d
}
