package commitlog

import (
	"errors"
	"path/filepath"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// deletion is a file or folder that goes away at due.
type deletion struct {
	path string
	due  time.Time
}

// Delete takes a log away: its folder is renamed to topic-partition.<id>-delete, durably, and removed
// file.delete.delay.ms later. Appends get NOT_LEADER_OR_FOLLOWER, pending commits the same through OnStable;
// Spans stay readable. A partition that is not here is UNKNOWN_TOPIC_OR_PARTITION.
func (d *Dir) Delete(tp kafka.TopicPartition) error { return d.DeleteAll([]kafka.TopicPartition{tp}) }

// DeleteAll is Delete for many partitions, such as those of a topic: the directory is synced once for all of them. An
// error about one does not keep the others.
func (d *Dir) DeleteAll(tps []kafka.TopicPartition) error {
	gone := func(tp kafka.TopicPartition) error {
		return kafka.Errorf(kafka.NotLeaderOrFollower, "Partition %s was deleted", tp)
	}
	return d.endAll(tps, gone, deletedFolderSuffix, func(l *Log, path string) { d.schedule(l.config.Load().FileDeleteDelay, path) })
}

// SetAside ends a log like Delete, but keeps its folder: it is renamed to topic-partition.<id>-stray, durably, as Kafka does
// with logs that the cluster's metadata do not know. Nothing looks at it or removes it but an operator. It returns the path.
func (d *Dir) SetAside(tp kafka.TopicPartition) (kept string, err error) {
	gone := func(tp kafka.TopicPartition) error {
		return kafka.Errorf(kafka.NotLeaderOrFollower, "Partition %s was set aside: it is stray", tp)
	}
	err = d.endAll([]kafka.TopicPartition{tp}, gone, strayFolderSuffix, func(_ *Log, path string) { kept = path })
	return kept, err
}

// endAll ends logs and renames their folders; moved is told the new names, with the log's mutex held.
func (d *Dir) endAll(tps []kafka.TopicPartition, gone func(kafka.TopicPartition) error, suffix string, moved func(l *Log, path string)) error {
	d.folders.Lock()
	defer d.folders.Unlock()
	var errs []error
	var renamed []*Log
	for _, tp := range tps {
		l, err := d.moveAway(tp, gone(tp), moved, suffix)
		if err == nil {
			renamed = append(renamed, l)
		}
		errs = append(errs, err)
	}
	if len(renamed) > 0 {
		err := d.fsys.SyncDir(d.path)
		// The partition may come again, even with the same topic id: what is redone must not be of the old log then. Its
		// checkpoints go when it does (forget).
		if err == nil {
			d.left()
			err = d.journal.forget(renamed...)
		}
		if err != nil {
			d.fail(err)
			errs = append(errs, storageError(err))
		}
		d.flusher.checkpointSoon()
	}
	return errors.Join(errs...)
}

// left notes that logs have left: a crash does not bring their folders back.
func (d *Dir) left() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.mu.leaving {
		d.mu.deleted[l.tp] = true
	}
	d.mu.leaving = nil
}

// moveAway ends a log and renames its folder.
func (d *Dir) moveAway(tp kafka.TopicPartition, gone error, moved func(l *Log, path string), suffix string) (*Log, error) {
	d.mu.Lock()
	l := d.mu.logs[tp]
	if l != nil {
		delete(d.mu.logs, tp)
		d.mu.leaving = append(d.mu.leaving, l)
	}
	d.mu.Unlock()
	if l == nil {
		return nil, kafka.Errorf(kafka.UnknownTopicOrPartition, "Partition %s is not in log directory %s", tp, d.path)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.closed = gone
	l.abortCompaction()
	if l.cleaned.Load() > 0 {
		d.cleanedDue.Store(true)
	}
	for _, s := range l.list() {
		s.retire()
	}
	if l.stable.Load() < l.end.Load() {
		go l.tellStable(l.stable.Load(), gone)
	}
	target := filepath.Join(d.path, movedFolderName(tp, kafka.NewUUID(), suffix))
	if err := d.fsys.Rename(l.path, target); err != nil {
		d.fail(err)
		return nil, storageError(err)
	}
	moved(l, target)
	return l, nil
}

// removeLater schedules files of the log for removal after file.delete.delay.ms.
func (l *Log) removeLater(paths ...string) {
	l.dir.schedule(l.config.Load().FileDeleteDelay, paths...)
}

func (d *Dir) schedule(delay time.Duration, paths ...string) {
	due := d.options.Now().Add(max(0, delay))
	d.mu.Lock()
	for _, path := range paths {
		d.removeAt(deletion{path, due})
	}
	d.mu.Unlock()
	d.flusher.signal()
}

// removeAt: the caller holds d.mu.
func (d *Dir) removeAt(x deletion) {
	if len(d.mu.deletions) == 0 || x.due.Before(d.mu.removal) {
		d.mu.removal = x.due
	}
	d.mu.deletions = append(d.mu.deletions, x)
}

// nextRemoval returns when the next deleted file is to be removed.
func (d *Dir) nextRemoval() (due time.Time, any bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mu.removal, len(d.mu.deletions) > 0
}

// removeAgainAfter is the pause after a removal that failed.
const removeAgainAfter = time.Minute

// removeDue removes what is due.
func (d *Dir) removeDue(now time.Time) error {
	return d.remove(now, func(x deletion) bool { return !x.due.After(now) })
}

// remove removes the deleted files and folders that are chosen. What cannot be removed is tried again a minute later, and
// at the next start.
func (d *Dir) remove(now time.Time, chosen func(deletion) bool) error {
	d.mu.Lock()
	var due []deletion
	all := d.mu.deletions
	d.mu.deletions = d.mu.deletions[:0]
	for _, x := range all {
		if chosen(x) {
			due = append(due, x)
		} else {
			d.removeAt(x)
		}
	}
	d.mu.Unlock()
	var errs []error
	for _, x := range due {
		if err := d.fsys.RemoveAll(x.path); err != nil {
			errs = append(errs, err)
			x.due = now.Add(removeAgainAfter)
			d.mu.Lock()
			d.removeAt(x)
			d.mu.Unlock()
		}
	}
	return errors.Join(errs...)
}
