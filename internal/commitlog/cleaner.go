package commitlog

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/compaction"
	"github.com/ottla/ottla/internal/vfs"
)

// CleanerSettings are the settings of a Cleaner, all of which may change while it runs.
type CleanerSettings struct {
	Threads        int           // log.cleaner.threads: how many logs are compacted at once
	DedupeBytes    int64         // log.cleaner.dedupe.buffer.size: for the tables of keys of all of them, while they run
	LoadFactor     float64       // log.cleaner.io.buffer.load.factor: the share of a table that is used
	BufferBytes    int           // log.cleaner.io.buffer.size: for reading and writing of all of them, while they run
	BytesPerSecond float64       // log.cleaner.io.max.bytes.per.second: read and written by all of them
	Backoff        time.Duration // log.cleaner.backoff.ms: the pause when there is nothing to compact
}

// Cleaner compacts the logs of log directories that have Config.CleanupCompact, the dirtiest one first (Kafka's
// LogCleaner). Its goroutines sleep while nothing is due, and hold memory only while they compact.
type Cleaner struct {
	dirs   []*Dir
	logger *slog.Logger
	pace   pace
	stop   chan struct{}

	maxDirty atomic.Int64 // thousandths

	choosing sync.Mutex // so that two do not choose the same log
	mu       struct {
		sync.Mutex
		settings CleanerSettings
		running  []bool // by number of the goroutine
		changed  chan struct{}
		inUse    int64 // bytes of tables
	}
	running sync.WaitGroup
}

// StartCleaner starts compacting.
func StartCleaner(dirs []*Dir, s CleanerSettings, logger *slog.Logger) *Cleaner {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	c := &Cleaner{dirs: dirs, logger: logger, stop: make(chan struct{})}
	c.mu.changed = make(chan struct{})
	c.Configure(s)
	return c
}

// Configure changes the settings. A compaction that runs keeps the memory that it has.
func (c *Cleaner) Configure(s CleanerSettings) {
	c.pace.setRate(s.BytesPerSecond, time.Now())
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.settings == s || c.stopped() {
		return
	}
	c.mu.settings = s
	close(c.mu.changed)
	c.mu.changed = make(chan struct{})
	for i := range s.Threads {
		if i == len(c.mu.running) {
			c.mu.running = append(c.mu.running, false)
		}
		if !c.mu.running[i] {
			c.mu.running[i] = true
			c.running.Go(func() { c.work(i) })
		}
	}
}

// Stop ends compactions where they are, and returns when the goroutines are gone.
func (c *Cleaner) Stop() {
	c.mu.Lock()
	close(c.stop)
	c.mu.Unlock()
	c.running.Wait()
}

// MaxDirtyPercent is the dirty share of the dirtiest log, as of the last look (Kafka's max-dirty-percent).
func (c *Cleaner) MaxDirtyPercent() int { return int(c.maxDirty.Load() / 10) }

// Uncleanable counts the logs of a directory that are not compacted any more because they cannot be read (Kafka's
// uncleanable-partitions-count).
func (d *Dir) Uncleanable() (n int) {
	for _, l := range d.Logs() {
		if l.uncleanable.Load() != nil {
			n++
		}
	}
	return n
}

// work is one goroutine.
func (c *Cleaner) work(i int) {
	for {
		s, changed, on := c.settings(i)
		if !on {
			return
		}
		if c.cleanOne(s) {
			continue
		}
		timer := time.NewTimer(max(s.Backoff, time.Millisecond))
		select {
		case <-c.stop:
		case <-changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// settings returns those in force; on is false if goroutine i is to end.
func (c *Cleaner) settings(i int) (s CleanerSettings, changed <-chan struct{}, on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i >= c.mu.settings.Threads || c.stopped() {
		c.mu.running[i] = false
		return s, nil, false
	}
	return c.mu.settings, c.mu.changed, true
}

func (c *Cleaner) stopped() bool {
	select {
	case <-c.stop:
		return true
	default:
		return false
	}
}

// cleanOne compacts the dirtiest log, and reports whether it is worth to look for another one at once.
func (c *Cleaner) cleanOne(s CleanerSettings) bool {
	keyBytes := c.takeMemory(s)
	if keyBytes < compaction.EntryBytes {
		return false
	}
	defer c.giveMemory(keyBytes)
	k := c.choose(compactionLimits{keyBytes: keyBytes, loadFactor: s.LoadFactor, bufferBytes: s.BufferBytes / s.Threads / 2, pace: c.paced})
	if k == nil {
		return false
	}
	began := time.Now()
	result, err := k.run()
	name := k.log.tp.String()
	switch {
	case err == nil:
		c.logger.Info("compacted a log", "partition", name, "from", result.first, "to", result.end, "keys", result.keys, "bytesBefore", result.before, "bytesAfter", result.after, "took", time.Since(began))
	case errors.Is(err, errAborted), k.log.dir.Failed() != nil:
		c.logger.Debug("compaction was aborted", "partition", name, "error", err)
	case vfs.IsNoSpace(err):
		c.logger.Warn("compaction waits for space on the disk", "partition", name, "error", err)
	default:
		c.setAside(k.log, err)
	}
	return err == nil
}

// setAside stops compacting a log.
func (c *Cleaner) setAside(l *Log, err error) {
	l.uncleanable.Store(&err)
	if reason, corrupt := errors.AsType[*CorruptionError](err); corrupt {
		l.noteDamage(reason)
	}
	c.logger.Warn("log cannot be compacted and is set aside; it grows until the broker is restarted or the damage is truncated", "partition", l.tp.String(), "error", err)
}

// choose begins a compaction of the dirtiest log; nil if none is due.
func (c *Cleaner) choose(limits compactionLimits) *compacting {
	c.choosing.Lock()
	defer c.choosing.Unlock()
	var dirtiest *Log
	most, due := 0.0, 0.0
	for _, d := range c.dirs {
		if d.Failed() != nil {
			continue
		}
		now := d.options.Now()
		for _, l := range d.Logs() {
			part, isDue, err := l.dirt(now)
			if err != nil {
				c.setAside(l, err)
				continue
			}
			ratio := part.ratio()
			most = max(most, ratio)
			if isDue && (dirtiest == nil || ratio > due) {
				dirtiest, due = l, ratio
			}
		}
	}
	c.maxDirty.Store(int64(most * 1000))
	if dirtiest == nil || c.stopped() {
		return nil
	}
	k, err := dirtiest.beginCompaction(dirtiest.dir.options.Now(), limits)
	if err != nil {
		c.setAside(dirtiest, err)
	}
	return k
}

// takeMemory takes a goroutine's share of what tables of keys may have, or what is left of it.
func (c *Cleaner) takeMemory(s CleanerSettings) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := max(0, min(s.DedupeBytes/int64(s.Threads), s.DedupeBytes-c.mu.inUse))
	c.mu.inUse += n
	return n
}

func (c *Cleaner) giveMemory(n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.inUse -= n
}

// paced waits while too much was read and written.
func (c *Cleaner) paced(bytes int) error {
	wait := c.pace.add(bytes, time.Now())
	for wait > 0 && !c.stopped() {
		timer := time.NewTimer(wait)
		select {
		case <-c.stop:
		case <-timer.C:
		}
		timer.Stop()
		wait = c.pace.add(0, time.Now())
	}
	if c.stopped() {
		return errAborted
	}
	return nil
}
