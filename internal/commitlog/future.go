package commitlog

import (
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
)

// A future log is the copy of a partition's log that is being made in another directory, to take its place there once it
// has everything (KIP-113). Its folder is topic-partition.<id>-future. One goroutine appends to it, truncates and syncs it:
// the flusher leaves it alone, so that a big copy does not hold up those who wait for their commits.

// FutureFolderFits reports whether the name of a partition's future folder is one that file systems take.
func FutureFolderFits(tp kafka.TopicPartition) bool {
	return len(futureFolderName(tp, kafka.ZeroUUID)) <= maxFolderNameLength
}

func futureFolderName(tp kafka.TopicPartition, id kafka.UUID) string {
	return fmt.Sprintf("%s.%s%s", tp, hex.EncodeToString(id[:deletedFolderIDBytes]), futureFolderSuffix)
}

// parseFutureFolder returns the partition of a future folder.
func parseFutureFolder(name string) (kafka.TopicPartition, bool) {
	stem, isFuture := strings.CutSuffix(name, futureFolderSuffix)
	dot := strings.LastIndexByte(stem, '.')
	if !isFuture || dot < 0 {
		return kafka.TopicPartition{}, false
	}
	tp, err := kafka.ParseTopicPartition(stem[:dot])
	return tp, err == nil && kafka.CheckTopicName(tp.Topic) == nil
}

// CreateFuture makes an empty future log that begins at start, or returns the one that is there. A directory that holds
// the partition's log itself, or a future log of another topic id, is INCONSISTENT_TOPIC_ID or INVALID_REQUEST.
func (d *Dir) CreateFuture(tp kafka.TopicPartition, topicID kafka.UUID, start int64, c Config) (*Log, error) {
	if err := d.offline(); err != nil {
		return nil, err
	}
	if err := d.forget(tp); err != nil {
		return nil, d.createFailed(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch l := d.mu.futures[tp]; {
	case d.mu.closed:
		return nil, kafka.Errorf(kafka.KafkaStorageError, "Log directory %s is closed", d.path)
	case d.mu.logs[tp] != nil:
		return nil, kafka.Errorf(kafka.InvalidRequest, "The log of %s is in %s already", tp, d.path)
	case l != nil:
		return l, l.adopt(topicID)
	}
	path := filepath.Join(d.path, futureFolderName(tp, kafka.NewUUID()))
	if err := d.fsys.MkdirAll(path, 0o755); err != nil {
		return nil, d.createFailed(err)
	}
	if err := writeFile(d.fsys, filepath.Join(path, partitionFile), formatPartition(topicID), false); err != nil {
		return nil, d.createFailed(err)
	}
	l := newLog(d, tp, path, topicID, c)
	l.future = true
	l.replaceSegments([]*segment{l.newSegment(start, &c, d.options.Now())})
	l.mu.unsynced.folder = true
	l.mu.producers.Reset(start)
	for _, o := range [...]interface{ Store(int64) }{&l.start, &l.end, &l.high, &l.flushed, &l.stable} {
		o.Store(start)
	}
	d.mu.futures[tp] = l
	d.flusher.checkpointSoon()
	return l, nil
}

// Future returns the future log of a partition, or nil.
func (d *Dir) Future(tp kafka.TopicPartition) *Log {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mu.futures[tp]
}

// Futures returns all future logs, by topic and partition.
func (d *Dir) Futures() []*Log {
	d.mu.Lock()
	defer d.mu.Unlock()
	return sortedLogs(d.mu.futures)
}

// everything returns logs and future logs: what the checkpoints tell of. A directory has at most one of them for a
// partition.
func (d *Dir) everything() []*Log { return append(d.Logs(), d.Futures()...) }

// DeleteFuture gives a future log up: its files go as those of a deleted log do. Whoever appends to it has stopped. A
// partition without one is UNKNOWN_TOPIC_OR_PARTITION.
func (d *Dir) DeleteFuture(tp kafka.TopicPartition) error {
	d.mu.Lock()
	l := d.mu.futures[tp]
	delete(d.mu.futures, tp)
	if l != nil {
		d.mu.deleted[tp] = true
	}
	d.mu.Unlock()
	if l == nil {
		return kafka.Errorf(kafka.UnknownTopicOrPartition, "No copy of %s is being made in log directory %s", tp, d.path)
	}
	l.close(kafka.Errorf(kafka.NotLeaderOrFollower, "The copy of %s in %s was given up", tp, d.path))
	if err := d.offline(); err != nil {
		return err
	}
	target := filepath.Join(d.path, movedFolderName(tp, kafka.NewUUID(), deletedFolderSuffix))
	err := d.fsys.Rename(l.path, target)
	if err == nil {
		d.schedule(l.config.Load().FileDeleteDelay, target)
		err = d.fsys.SyncDir(d.path)
	}
	if err != nil {
		d.fail(err)
		return storageError(err)
	}
	d.flusher.checkpointSoon()
	return nil
}

// Sync makes everything in a future log stable, in the caller's goroutine. After an error the Dir has failed.
func (l *Log) Sync() error {
	l.mu.Lock()
	err := l.usable()
	l.mu.Unlock()
	if err != nil {
		return err
	}
	l.syncAll()
	return l.dir.offline()
}

// syncAll is a flush in the caller's goroutine; after a failure the Dir has failed.
func (l *Log) syncAll() {
	w := l.beginFlush()
	w.sync(l)
	err := w.err
	if err == nil && w.folder {
		err = l.fsys.SyncDir(l.dir.path)
	}
	if err != nil {
		l.dir.fail(err)
		return
	}
	l.endFlush(w)
	l.dir.flusher.checkpointSoon()
}

// finish brings a future log into the form that a clean start expects.
func (l *Log) finish() error {
	if err := l.saveAll(); err != nil {
		return err
	}
	l.syncAll()
	if err := l.dir.Failed(); err != nil {
		return err
	}
	return l.syncLeft()
}

// loadFutures loads the copies that were being made when the directory was last used. One that has no use any more is
// deleted: a copy beside the log itself, or a second one.
func (d *Dir) loadFutures(checkpoint func(kafka.TopicPartition) checkpointed) error {
	entries, err := d.fsys.ReadDir(d.path)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		tp, isFuture := parseFutureFolder(e.Name())
		if !isFuture || !e.IsDir() {
			continue
		}
		path := filepath.Join(d.path, e.Name())
		if d.mu.logs[tp] != nil || d.mu.futures[tp] != nil {
			d.options.Logger.Warn("an old copy of a partition is removed", "path", path)
			target := filepath.Join(d.path, movedFolderName(tp, kafka.NewUUID(), deletedFolderSuffix))
			errs = append(errs, d.fsys.Rename(path, target))
			d.schedule(0, target)
			continue
		}
		l, err := d.loadLogAt(tp, path, d.options.Config(tp.Topic), checkpoint(tp))
		if err != nil {
			errs = append(errs, fmt.Errorf("future log %s: %w", path, err))
			continue
		}
		l.future = true
		d.mu.futures[tp] = l
	}
	return errors.Join(errs...)
}

// HoldCompaction keeps the log from being compacted until release is called, once, because a copy of it is being made: a copy
// that has a record must not miss the tombstone behind it. The copy, if not nil, is as clean as the log, if it begins now or
// nothing was compacted since it began.
func (l *Log) HoldCompaction(copy *Log) (release func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held.Add(1)
	l.abortCompaction()
	if clean := l.cleaned.Load(); copy != nil && copy.size.Load() == 0 {
		copy.cleaned.Store(clean)
	} else if copy != nil && copy.cleaned.Load() != clean {
		copy.cleaned.Store(0)
	}
	return func() { l.held.Add(-1) }
}

// compactionHeld reports whether compaction has to leave the log as it is. The caller holds l.mu.
func (l *Log) compactionHeld() bool { return l.future || l.held.Load() > 0 }
