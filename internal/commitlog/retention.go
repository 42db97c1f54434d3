package commitlog

import (
	"errors"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// AdvanceStart moves the start of the log forward (DeleteRecords, or what the leader says to a follower). Whole
// segments below it go with the next Sweep. Offsets at or below StartOffset do nothing; one above the high
// watermark is OFFSET_OUT_OF_RANGE.
func (l *Log) AdvanceStart(offset int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return err
	}
	if high := l.high.Load(); offset > high {
		return kafka.Errorf(kafka.OffsetOutOfRange, "Cannot increment the log start offset to %d of partition %s since it is larger than the high watermark %d", offset, l.tp, high)
	}
	l.advanceStart(offset)
	return nil
}

// advanceStart: the caller holds l.mu.
func (l *Log) advanceStart(offset int64) {
	if offset <= l.start.Load() {
		return
	}
	l.start.Store(offset)
	l.mu.producers.AdvanceStart(offset)
	l.publishUnstable()
	l.dir.flusher.checkpointSoon()
}

// retain moves the log's start past the segments that retention gives up, oldest first, never past the high
// watermark, and reports whether there are segments to drop. The active segment is closed if all of it goes. Rules are
// Kafka's (UnifiedLog.deleteOldSegments): log start always, size and time with cleanup.policy=delete.
func (l *Log) retain(now time.Time) (drop bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.usable() != nil {
		return false, nil
	}
	c := l.config.Load()
	l.mu.producers.Expire(now.UnixMilli(), c.ProducerExpiration.Milliseconds())
	n, err := l.expired(c, now)
	if n == 0 || err != nil {
		return false, err
	}
	list := l.list()
	if n == len(list) {
		if err := l.roll(c, l.end.Load(), now); err != nil {
			return false, err
		}
		list = l.list()
	}
	l.advanceStart(list[n].base)
	return true, nil
}

// drop deletes the segments below the log's start. The start is on disk: a recovery takes a log that begins later
// than expected for one that lost its beginning.
func (l *Log) drop() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.usable() != nil {
		return nil
	}
	list, start := l.list(), l.start.Load()
	n := 0
	for n < len(list)-1 && list[n+1].base <= start {
		n++
	}
	if n == 0 {
		return nil
	}
	l.replaceSegments(append([]*segment(nil), list[n:]...))
	l.options().Logger.Info("retention deletes segments", "partition", l.tp.String(), "segments", n, "start", start)
	if err := l.discard(list[:n]); err != nil {
		l.dir.fail(err)
		return storageError(err)
	}
	return nil
}

func (l *Log) options() *Options { return &l.dir.options }

// expired counts the leading segments that retention gives up. The caller holds l.mu.
func (l *Log) expired(c *Config, now time.Time) (int, error) {
	list := l.list()
	start, high := l.start.Load(), l.high.Load()
	deletes := c.CleanupDelete && !l.future // a copy follows the log that it is a copy of
	surplus := int64(-1)
	if deletes && c.RetentionBytes >= 0 {
		surplus = l.size.Load() - c.RetentionBytes
	}
	for i, s := range list {
		size, end := s.end()
		last := i == len(list)-1
		if !last {
			end = list[i+1].base
		}
		if size == 0 && last || end > high {
			return i, nil
		}
		below := !last && end <= start
		tooMuch := surplus >= 0 && surplus >= size
		tooOld := false
		if !below && !tooMuch && deletes && c.RetentionMs >= 0 {
			age, err := s.age(now)
			if err != nil {
				return 0, l.readError(err)
			}
			tooOld = age > c.RetentionMs
			if age < 0 && !last {
				l.options().Logger.Warn("records with timestamps in the future keep a segment, and all behind it, from being deleted by age (retention.ms); message.timestamp.after.max.ms refuses such records",
					"file", s.name(), "aheadMs", -age)
			}
		}
		if !below && !tooMuch && !tooOld {
			return i, nil
		}
		surplus -= size
	}
	return len(list), nil
}

// age is the time in ms since the segment's largest timestamp; since the last write to its file if no record has one.
func (s *segment) age(now time.Time) (int64, error) {
	largest, err := s.largestTimestamp()
	if err != nil {
		return 0, err
	}
	if largest.timestamp >= 0 {
		return now.UnixMilli() - largest.timestamp, nil
	}
	info, err := s.fsys.Stat(s.name())
	if err != nil {
		return 0, err
	}
	return now.Sub(info.ModTime()).Milliseconds(), nil
}

// Sweep does what is due at now: retention of all logs, producer expiry, and the removal of files that were
// deleted file.delete.delay.ms before (which the Dir also does by itself). The broker calls it every
// log.retention.check.interval.ms. The error joins those of single logs; the others were done.
func (d *Dir) Sweep(now time.Time) error {
	if d.Failed() != nil {
		return nil
	}
	var errs []error
	var drops []*Log
	for _, l := range d.everything() {
		drop, err := l.retain(now)
		errs = append(errs, err)
		if drop {
			drops = append(drops, l)
		}
	}
	if len(drops) > 0 {
		if err := d.saveStarts(now); err != nil {
			d.failUnlessFull(err)
			drops, errs = nil, append(errs, storageError(err))
		}
	}
	for _, l := range drops {
		errs = append(errs, l.drop())
	}
	errs = append(errs, d.removeDue(now))
	return errors.Join(errs...)
}

// saveStarts makes the logs' starts durable before what lies below them goes. On a full disk, what was deleted before makes
// room for that, though its time has not come.
func (d *Dir) saveStarts(now time.Time) error {
	err := d.writeCheckpointFiles()
	if !vfs.IsNoSpace(err) {
		return err
	}
	if err := d.remove(now, func(deletion) bool { return true }); err != nil {
		return err
	}
	return d.writeCheckpointFiles()
}
