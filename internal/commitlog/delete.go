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

// Delete takes a log away: its folder is renamed to topic-partition.<id>-delete, durably, and removed by a Sweep
// after file.delete.delay.ms. Appends get NOT_LEADER_OR_FOLLOWER, pending commits the same through OnStable;
// Spans stay readable. A partition that is not here is UNKNOWN_TOPIC_OR_PARTITION.
func (d *Dir) Delete(tp kafka.TopicPartition) error {
	d.mu.Lock()
	l := d.mu.logs[tp]
	delete(d.mu.logs, tp)
	d.mu.Unlock()
	if l == nil {
		return kafka.Errorf(kafka.UnknownTopicOrPartition, "Partition %s is not in log directory %s", tp, d.path)
	}
	gone := kafka.Errorf(kafka.NotLeaderOrFollower, "Partition %s was deleted", tp)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.closed = gone
	for _, s := range l.list() {
		s.release()
	}
	if l.stable.Load() < l.end.Load() {
		go l.tellStable(l.stable.Load(), gone)
	}
	target := filepath.Join(d.path, deletedFolderName(tp, kafka.NewUUID()))
	err := d.fsys.Rename(l.path, target)
	if err == nil {
		err = d.fsys.SyncDir(d.path)
	}
	if err != nil {
		d.fail(err)
		return storageError(err)
	}
	d.schedule(l.config.Load().FileDeleteDelay, target)
	d.flusher.checkpointSoon()
	return nil
}

// removeLater schedules files of the log for removal after file.delete.delay.ms.
func (l *Log) removeLater(paths ...string) {
	l.dir.schedule(l.config.Load().FileDeleteDelay, paths...)
}

func (d *Dir) schedule(delay time.Duration, paths ...string) {
	due := d.options.Now().Add(max(0, delay))
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, path := range paths {
		d.mu.deletions = append(d.mu.deletions, deletion{path, due})
	}
}

// removeDue removes what is due. What cannot be removed is tried again by the next Sweep, and at the next start.
func (d *Dir) removeDue(now time.Time) error {
	d.mu.Lock()
	var due []deletion
	rest := d.mu.deletions[:0]
	for _, x := range d.mu.deletions {
		if x.due.After(now) {
			rest = append(rest, x)
		} else {
			due = append(due, x)
		}
	}
	d.mu.deletions = rest
	d.mu.Unlock()
	var errs []error
	for _, x := range due {
		if err := d.fsys.RemoveAll(x.path); err != nil {
			errs = append(errs, err)
			d.mu.Lock()
			d.mu.deletions = append(d.mu.deletions, x)
			d.mu.Unlock()
		}
	}
	return errors.Join(errs...)
}
