package commitlog

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// checkpointed is what the checkpoint files say of one log.
type checkpointed struct {
	recoveryPoint, start, high int64
	cleaned                    int64 // 0: never
	clean                      bool
	// startLost and pointLost say that the checkpoints of starts and of recovery points, or of points alone, are gone or damaged:
	// that they have no offset says nothing then.
	startLost, pointLost bool
	// rebuild says that all batches are to be looked at.
	rebuild bool
	// acknowledged is where the redo journal proves that the log went to, or 0.
	acknowledged int64
}

// load reads the directory's own files and loads all logs, several at once.
func (d *Dir) load() error {
	var err error
	if d.meta, err = openMeta(d.fsys, d.path, d.options); err != nil {
		return err
	}
	if d.clean, d.cleanEpoch, err = takeCleanShutdown(d.fsys, d.path); err != nil {
		return err
	}
	folders, err := d.partitionFolders()
	if err != nil {
		return err
	}
	offsets := d.readCheckpoints()
	redo, err := d.readJournal()
	if err != nil {
		return err
	}
	defer redo.scan.close()
	begin := time.Now()
	failures := d.loadLogs(folders, func(tp kafka.TopicPartition) (*Log, error) {
		c := offsets.of(tp, d.clean)
		l, err := d.redoAndLoad(redo, tp, c)
		if _, must := errors.AsType[*redoError](err); err == nil || must {
			return l, err
		}
		return d.setAside(tp, c, err), nil
	})
	failures = append(failures, d.loadFutures(func(tp kafka.TopicPartition) checkpointed {
		c := offsets.of(tp, d.clean)
		c.cleaned = 0 // that was said of another log
		return c
	}))
	d.noteDeleted(offsets.files[:])
	if err := d.allSetAside(); err != nil {
		failures = append(failures, err)
	}
	d.cleanedDue.Store(d.namesOthers(offsets.files[cleanerOffsets]))
	failures = append(failures, d.syncRecovered())
	if !d.clean && len(folders) > 0 {
		failures = append(failures, d.fsys.SyncDir(d.path))
	}
	if len(d.mu.logs)+len(d.mu.futures) == 0 {
		failures = append(failures, d.makeCheckpoints(offsets))
	}
	if err := errors.Join(failures...); err != nil {
		return err
	}
	if len(folders) > 0 {
		d.options.Logger.Info("loaded logs", "dir", d.path, "logs", len(folders), "clean", d.clean, "took", time.Since(begin))
	}
	return d.endRedo(redo)
}

// checkpoints are the offset checkpoints of a directory.
type checkpoints struct {
	files [4]map[kafka.TopicPartition]int64
	lost  [4]bool // gone or damaged
}

// The places of the checkpoints.
const (
	recoveryPoints = iota
	logStarts
	highWatermarks
	cleanerOffsets
)

// readCheckpoints reads those that are there and good. Without a recovery point everything is checked; without the others
// starts and high watermarks are found again from the segments and the replicas. A new directory gets empty ones before it gets
// a log: so one that is not there was lost.
func (d *Dir) readCheckpoints() (all checkpoints) {
	for i, name := range [...]string{recoveryPoints: recoveryPointFile, logStarts: logStartFile, highWatermarks: highWatermarkFile, cleanerOffsets: cleanerOffsetFile} {
		var err error
		if all.files[i], err = readOffsetCheckpoint(d.fsys, filepath.Join(d.path, name)); err != nil {
			d.options.Logger.Warn("ignoring a damaged checkpoint", "error", err)
		}
		all.lost[i] = all.files[i] == nil
	}
	return all
}

// makeCheckpoints gives a directory without logs the checkpoints without which a start says that they were lost.
func (d *Dir) makeCheckpoints(have checkpoints) error {
	var err error
	for i, name := range [...]string{recoveryPoints: recoveryPointFile, logStarts: logStartFile} {
		if have.lost[i] {
			err = errors.Join(err, d.writeOffsets(name, nil))
		}
	}
	return err
}

func (c *checkpoints) of(tp kafka.TopicPartition, clean bool) checkpointed {
	f := &c.files
	return checkpointed{recoveryPoint: f[recoveryPoints][tp], start: f[logStarts][tp], high: f[highWatermarks][tp], cleaned: f[cleanerOffsets][tp], clean: clean,
		pointLost: c.lost[recoveryPoints], startLost: c.lost[recoveryPoints] && c.lost[logStarts]}
}

// loadLogs loads the logs of partitions, Options.RecoveryThreads at once, and returns what went wrong.
func (d *Dir) loadLogs(partitions []kafka.TopicPartition, load func(kafka.TopicPartition) (*Log, error)) (failures []error) {
	var mu sync.Mutex
	var workers sync.WaitGroup
	work := make(chan kafka.TopicPartition)
	for range min(d.options.RecoveryThreads, max(1, len(partitions))) {
		workers.Go(func() {
			for tp := range work {
				l, err := load(tp)
				mu.Lock()
				if err != nil {
					failures = append(failures, fmt.Errorf("log %s: %w", tp, err))
				} else {
					d.mu.logs[tp] = l
				}
				mu.Unlock()
			}
		})
	}
	for _, tp := range partitions {
		work <- tp
	}
	close(work)
	workers.Wait()
	return failures
}

// namesOthers reports whether a checkpoint tells of logs that are not there.
func (d *Dir) namesOthers(offsets map[kafka.TopicPartition]int64) bool {
	for tp := range offsets {
		if d.mu.logs[tp] == nil {
			return true
		}
	}
	return false
}

// partitionFolders lists the partitions in the directory and schedules deleted folders for removal.
func (d *Dir) partitionFolders() ([]kafka.TopicPartition, error) {
	entries, err := d.fsys.ReadDir(d.path)
	if err != nil {
		return nil, err
	}
	var folders []kafka.TopicPartition
	for _, e := range entries {
		name := e.Name()
		switch {
		case !e.IsDir():
		case isDeletedFolder(name):
			d.schedule(0, filepath.Join(d.path, name))
		case strings.HasSuffix(name, futureFolderSuffix): // loadFutures follows
		case isForeignFolder(name):
			d.options.Logger.Warn("folder is left alone", "path", filepath.Join(d.path, name))
		default:
			tp, err := kafka.ParseTopicPartition(name)
			if err != nil || kafka.CheckTopicName(tp.Topic) != nil {
				d.options.Logger.Warn("folder is no partition and is left alone", "path", filepath.Join(d.path, name))
				continue
			}
			folders = append(folders, tp)
		}
	}
	return folders, nil
}

// loadLog loads one log, recovering it if the stop was unclean.
func (d *Dir) loadLog(tp kafka.TopicPartition, c checkpointed) (*Log, error) {
	return d.loadLogAt(tp, filepath.Join(d.path, tp.String()), d.options.Config(tp.Topic), c)
}

// loadLogAt loads the log of a partition from a folder.
func (d *Dir) loadLogAt(tp kafka.TopicPartition, path string, config Config, c checkpointed) (*Log, error) {
	topicID, err := readPartition(d.fsys, path)
	if err != nil {
		d.options.Logger.Warn("partition has no readable topic id", "partition", tp.String(), "error", err)
	}
	l := newLog(d, tp, path, topicID, config)
	if err := l.epochs.load(d.fsys, path); err != nil {
		d.options.Logger.Warn("rebuilding damaged leader epochs from the log", "error", err)
		c.rebuild, c.clean = true, false
	}
	if err := l.loadSegments(); err != nil {
		return nil, err
	}
	defer l.closeFiles()
	exact := false
	if c.clean {
		err = l.loadClean(c.recoveryPoint)
		if _, damaged := errors.AsType[*CorruptionError](err); damaged {
			d.options.Logger.Warn("log does not look as after a clean stop", "partition", tp.String(), "error", err)
			c.clean, exact, err = false, c.recoveryPoint > 0, nil
		}
		if err != nil {
			return nil, err
		}
	}
	if !c.clean {
		if err := l.recover(c, exact); err != nil {
			return nil, err
		}
	}
	return l, l.settle(c)
}

// closeFiles closes what loading opened: most logs will not be used soon. What recovery wrote is synced first.
func (l *Log) closeFiles() {
	if len(l.flushing.segments) > 0 {
		return
	}
	for _, s := range l.list() {
		_ = s.close()
	}
}

// loadSegments lists the folder into segments and clears away leftovers.
func (l *Log) loadSegments() error {
	if err := l.finishSwaps(); err != nil {
		return err
	}
	entries, err := l.fsys.ReadDir(l.path)
	if err != nil {
		return err
	}
	c := l.config.Load()
	var list []*segment
	var orphans []string // indexes whose .log has not come yet, or is missing
	for _, e := range entries {
		name := e.Name()
		if strings.HasSuffix(name, deletedSuffix) || strings.HasSuffix(name, temporarySuffix) {
			if err := removeIfThere(l.fsys, filepath.Join(l.path, name)); err != nil {
				return err
			}
			continue
		}
		base, suffix, ok := parseOffsetName(name)
		if ok && slices.Contains(segmentSuffixes(), suffix) && suffix != logSuffix {
			orphans = append(orphans, name)
		}
		if !ok || suffix != logSuffix {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if info.Size() > maxSegmentBytes {
			return fmt.Errorf("segment %s has %d bytes; positions end at %d", name, info.Size(), maxSegmentBytes)
		}
		list = append(list, l.storedSegment(base, info.Size(), info.ModTime(), c))
	}
	l.replaceSegments(list)
	return l.removeOrphans(orphans)
}

// removeOrphans removes indexes without a .log, which a crash may leave of a new segment: a segment that begins at
// the same offset would take them for its own.
func (l *Log) removeOrphans(indexes []string) error {
	for _, name := range indexes {
		base, _, _ := parseOffsetName(name)
		if _, has := slices.BinarySearchFunc(l.list(), base, func(s *segment, base int64) int { return cmp.Compare(s.base, base) }); has {
			continue
		}
		l.options().Logger.Warn("removing an index without a log", "file", filepath.Join(l.path, name))
		if err := removeIfThere(l.fsys, filepath.Join(l.path, name)); err != nil {
			return err
		}
	}
	return nil
}

// loadClean finds where each segment ends without reading more than the last batches of the last one. Another end than
// the recovery point (0: not known) is a CorruptionError: something is missing or damaged.
func (l *Log) loadClean(point int64) error {
	list := l.list()
	for i, s := range list {
		if i+1 < len(list) {
			s.state.next = list[i+1].base
			continue
		}
		if err := s.findNext(point); err != nil {
			return err
		}
		if s.state.next < point {
			return &CorruptionError{File: s.name(), Position: s.size(), Reason: fmt.Sprintf("the log ends at offset %d, below its recovery point %d", s.state.next, point)}
		}
	}
	return nil
}

// findNext walks from the last index entry to the end of the segment, which is not beyond the offset end; 0 sets no limit.
func (s *segment) findNext(end int64) error {
	s.state.next = s.base
	size := s.size()
	if size == 0 {
		return nil
	}
	f, _, err := s.useLog()
	if err != nil {
		return err
	}
	defer f.done()
	position := int64(0)
	// The index is whole only if the file is longer than one interval; its entries are checked by what they name.
	if size > s.interval {
		content, err := ReadFile(s.fsys, s.stem+offsetIndexSuffix, maxIndexBytes)
		if entries, whole := parseOffsetIndex(content, size); err == nil && whole && len(entries) > 0 {
			position = unpackEntry(s.base, entries[len(entries)-1]).position
		}
	}
	scan := s.walkThrough(f, pageBytes)
	scan.next = end
	least := s.base
	for position < size {
		b, err := scan.headerFrom(position, least)
		if err != nil {
			return err
		}
		least = b.LastOffset() + 1
		s.state.next = least
		position += int64(b.Length())
	}
	return nil
}

// settle gives a loaded log its offsets and its producers.
func (l *Log) settle(c checkpointed) error {
	now := l.dir.options.Now()
	list := l.list()
	if len(list) == 0 {
		list = []*segment{l.newSegment(c.start, l.config.Load(), now)}
		l.replaceSegments(list)
	}
	var size int64
	for _, s := range list {
		size += s.size()
	}
	l.size.Store(size)
	_, end := list[len(list)-1].end()
	start := max(c.start, list[0].base)
	if start > end {
		l.options().Logger.Warn("log ends before its start offset; it goes on at its start", "partition", l.tp.String(), "start", start, "end", end)
		list = append(list[:len(list):len(list)], l.newSegment(start, l.config.Load(), now))
		l.replaceSegments(list)
		end = start
	}
	l.start.Store(start)
	l.end.Store(end)
	l.high.Store(max(start, min(c.high, end)))
	l.flushed.Store(end)
	l.stable.Store(end)
	l.checkpointed.Store(min(c.recoveryPoint, end))
	if c.cleaned <= end {
		l.cleaned.Store(c.cleaned)
	}
	l.epochs.cutEnd(end)
	l.epochs.cutStart(start)
	limit := end
	if !c.clean {
		limit = min(end, c.recoveryPoint)
		if err := l.removeSnapshotsAfter(limit); err != nil {
			return err
		}
	}
	if !c.clean {
		// The index may tell of markers in the tail that was lost.
		if _, err := l.loadAborted(l.active()); err != nil {
			return err
		}
	}
	err := l.rebuildProducers(limit)
	if reason, damaged := errors.AsType[*CorruptionError](err); damaged && l.mu.refused == nil {
		l.damaged(reason, c.recoveryPoint)
	}
	if found, any := l.Damage(); any && found.Corrupt != nil && ignoreCorruption(err) == nil {
		l.undecided.Store(l.undecidedBecause(found.Corrupt))
		return nil
	}
	return err
}
