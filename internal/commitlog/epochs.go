package commitlog

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"sync"

	"github.com/ottla/ottla/internal/vfs"
)

// epochCache knows at which offset each leader epoch began (Kafka's LeaderEpochFileCache). Epochs and offsets
// grow strictly. The file leader-epoch-checkpoint follows by the flusher, always before the recovery point
// passes an entry, and not sooner: later entries are found again in the batches that recovery reads, and an epoch without
// records, as each partition begins with, is not worth a file.
type epochCache struct {
	saving sync.Mutex // held while the file is written, so that the newest content is written last
	mu     struct {
		sync.RWMutex
		entries []epochEntry
		saved   int  // how many entries at the beginning the file has
		wrong   bool // the file has something else after them
		written int  // how many entries of what save is writing are as they were; -1 if none may be
	}
}

type epochEntry struct {
	epoch int32
	start int64
}

const noEpoch = -1

func (c *epochCache) latest() int32 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if n := len(c.mu.entries); n > 0 {
		return c.mu.entries[n-1].epoch
	}
	return noEpoch
}

// assign notes that epoch begins at start. Entries that contradict the new one go.
func (c *epochCache) assign(epoch int32, start int64) (changed bool) {
	if epoch < 0 || start < 0 {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	entries := c.mu.entries
	if n := len(entries); n > 0 && entries[n-1].epoch == epoch && start >= entries[n-1].start {
		return false
	}
	for n := len(entries); n > 0 && (entries[n-1].epoch >= epoch || entries[n-1].start >= start); n = len(entries) {
		entries = entries[:n-1]
	}
	c.keep(entries)
	c.mu.entries = append(entries, epochEntry{epoch, start})
	return true
}

// keep makes entries, which are some at the beginning of those there are, all there are. The caller holds c.mu.
func (c *epochCache) keep(entries []epochEntry) {
	c.mu.entries = entries
	c.mu.written = min(c.mu.written, len(entries))
	if len(entries) < c.mu.saved {
		c.mu.saved, c.mu.wrong = len(entries), true
	}
}

func (c *epochCache) endOf(epoch int32, logEnd int64) (int32, int64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	entries := c.mu.entries
	n := len(entries)
	if epoch < 0 || n == 0 {
		return noEpoch, noOffset
	}
	if entries[n-1].epoch == epoch {
		return epoch, logEnd
	}
	higher := c.find(epoch + 1)
	switch higher {
	case n:
		return noEpoch, noOffset
	case 0:
		return epoch, entries[0].start
	}
	return entries[higher-1].epoch, entries[higher].start
}

// find returns the first entry with at least this epoch. The caller holds c.mu.
func (c *epochCache) find(epoch int32) int {
	i, _ := slices.BinarySearchFunc(c.mu.entries, epoch, func(e epochEntry, epoch int32) int { return cmp.Compare(e.epoch, epoch) })
	return i
}

func (c *epochCache) at(offset int64) int32 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	i, _ := slices.BinarySearchFunc(c.mu.entries, offset+1, func(e epochEntry, offset int64) int { return cmp.Compare(e.start, offset) })
	if i == 0 {
		return noEpoch
	}
	return c.mu.entries[i-1].epoch
}

// cutEnd drops epochs that begin at or after end.
func (c *epochCache) cutEnd(end int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.mu.entries)
	for n > 0 && c.mu.entries[n-1].start >= end {
		n--
	}
	c.keep(c.mu.entries[:n])
}

// cutEndOnDisk is cutEnd, durably; after an error the epochs are as before.
func (c *epochCache) cutEndOnDisk(fsys vfs.FS, folder string, end int64) error {
	c.mu.RLock()
	before := slices.Clone(c.mu.entries)
	c.mu.RUnlock()
	c.cutEnd(end)
	err := c.save(fsys, folder, end)
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.mu.entries, c.mu.saved, c.mu.wrong, c.mu.written = before, 0, true, -1
	}
	return err
}

// cutStart drops epochs that ended before start; the one that holds start begins there from now on.
func (c *epochCache) cutStart(start int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for n < len(c.mu.entries) && c.mu.entries[n].start <= start {
		n++
	}
	if n == 0 || n == 1 && c.mu.entries[0].start == start {
		return
	}
	c.mu.entries = slices.Delete(c.mu.entries, 0, n-1)
	c.mu.entries[0].start = start
	c.mu.saved, c.mu.wrong, c.mu.written = 0, true, -1
}

// replace takes over all entries of another cache.
func (c *epochCache) replace(from *epochCache) {
	from.mu.RLock()
	entries := slices.Clone(from.mu.entries)
	from.mu.RUnlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.entries, c.mu.saved, c.mu.wrong = entries, 0, true
}

func (c *epochCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.entries, c.mu.saved, c.mu.wrong, c.mu.written = nil, 0, true, -1
}

// unsaved reports whether a recovery from point on would miss something of the epochs, or find what is wrong.
func (c *epochCache) unsaved(point int64) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.mu.wrong || c.mu.saved < len(c.mu.entries) && c.mu.entries[c.mu.saved].start < point
}

// save writes the checkpoint if a recovery from point on needs it.
func (c *epochCache) save(fsys vfs.FS, folder string, point int64) error {
	if !c.unsaved(point) {
		return nil
	}
	c.saving.Lock()
	defer c.saving.Unlock()
	if !c.unsaved(point) {
		return nil // another one has done it
	}
	c.mu.Lock()
	entries := slices.Clone(c.mu.entries)
	c.mu.written = len(entries)
	c.mu.Unlock()
	err := ReplaceFile(fsys, filepath.Join(folder, leaderEpochFile), formatCheckpoint(len(entries), func(b []byte, i int) []byte {
		b = append(strconv.AppendInt(b, int64(entries[i].epoch), 10), ' ')
		return strconv.AppendInt(b, entries[i].start, 10)
	}))
	// Not before it is on the disk: who finds everything saved lets the recovery point pass.
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil || c.mu.written < 0 {
		c.mu.saved, c.mu.wrong = 0, true
	} else {
		c.mu.saved, c.mu.wrong = c.mu.written, c.mu.written < len(entries)
	}
	return err
}

// load reads the checkpoint; a file that is not there has no entries.
func (c *epochCache) load(fsys vfs.FS, folder string) error {
	path := filepath.Join(folder, leaderEpochFile)
	content, err := ReadFile(fsys, path, maxCheckpointBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	err = parseCheckpoint(string(content), func(fields []string) error {
		if len(fields) != 2 {
			return errors.New("want epoch and offset")
		}
		epoch, err := strconv.ParseInt(fields[0], 10, 32)
		if err != nil {
			return err
		}
		start, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return err
		}
		c.assign(int32(epoch), start)
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.saved = len(c.mu.entries)
	return nil
}

// assignNewer is assign for a batch that is being appended or recovered: only a later epoch is news.
func (c *epochCache) assignNewer(epoch int32, start int64) {
	if epoch > c.latest() {
		c.assign(epoch, start)
	}
}
