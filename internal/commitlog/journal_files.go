package commitlog

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/ottla/ottla/internal/vfs"
)

// The files of the redo journal in a log directory. They are no folders, which Kafka would take for partitions.
func journalName(dir string, i int) string {
	return filepath.Join(dir, [2]string{journalFile0, journalFile1}[i])
}

// prepare has a file made in the background, unless the disk was full a moment ago. The caller holds j.mu.
func (j *journal) prepare(i int) {
	s := &j.mu
	file := &s.files[i]
	if file.busy || j.stopping.Load() || time.Now().Before(s.waitUntil) {
		return
	}
	file.busy = true
	size := min(j.limit, max(j.dir.options.journalFirst, 2*s.files[1-i].size))
	j.background.Go(func() {
		j.grow(i, size)
		j.mu.Lock()
		defer j.mu.Unlock()
		j.mu.files[i].busy = false
	})
}

// prepareNext has the second file made before the first is full. The caller holds j.mu.
func (j *journal) prepareNext() {
	s := &j.mu
	if s.generation > 0 && s.files[fileOf(s.generation+1)].size == 0 && 2*s.position > s.files[fileOf(s.generation)].size {
		j.prepare(fileOf(s.generation + 1))
	}
}

// grow writes zeros to a file that is busy, up to a size, and syncs them. A disk that has no room for it keeps the size as it is.
func (j *journal) grow(i int, size int64) {
	j.mu.Lock()
	file, old, id := j.mu.files[i].file, j.mu.files[i].size, j.mu.id
	j.mu.Unlock()
	if size <= old {
		return
	}
	err := j.ample(size - old)
	if err == nil && file == nil {
		if file, err = j.dir.fsys.OpenFile(journalName(j.dir.path, i), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644); err == nil {
			j.mu.Lock()
			j.mu.files[i].file = file
			j.mu.Unlock()
		}
	}
	if err == nil {
		err = j.fill(file, id, old, size)
	}
	if err == nil && old == 0 {
		err = j.dir.fsys.SyncDir(j.dir.path)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case err == nil:
		j.mu.files[i].size = size
	case errors.Is(err, errStopping):
	case vfs.IsNoSpace(err):
		j.mu.waitUntil = time.Now().Add(journalRetry)
		if file != nil {
			_ = file.Truncate(old) // what is left beyond does no harm
		}
		j.dir.options.Logger.Warn("no room for the redo journal; flushes go on without it, or with a smaller one", "dir", j.dir.path, "bytes", size, "error", err)
	default:
		j.dir.fail(err)
	}
}

// ample keeps the journal from taking the last room of a disk.
func (j *journal) ample(bytes int64) error {
	free, _, err := j.dir.Space()
	if err == nil && free < minFreeTimes*bytes {
		return vfs.ErrNoSpace
	}
	return err
}

// minFreeTimes is how many times the bytes that a journal wants to grow by must be free.
const minFreeTimes = 16

var errStopping = errors.New("the directory is being closed")

// fill writes a file's heads, if it is new, and zeros.
func (j *journal) fill(file vfs.File, id journalID, from, to int64) error {
	const chunk = 256 << 10
	zeros := make([]byte, min(chunk, to-from))
	for at := from; at < to; at += int64(len(zeros)) {
		if j.stopping.Load() {
			return errStopping
		}
		zeros = zeros[:min(int64(len(zeros)), to-at)]
		if _, err := file.WriteAt(zeros, at); err != nil {
			return err
		}
	}
	if from == 0 {
		head := make([]byte, headSize)
		putHead(head, id)
		for at := int64(0); at < journalHeads; at += journalBlock {
			if _, err := file.WriteAt(head, at); err != nil {
				return err
			}
		}
	}
	return file.Sync()
}

// stop ends what goes on in the background.
func (j *journal) stop() {
	if j != nil {
		j.stopping.Store(true)
		j.background.Wait()
	}
}

// close closes the files.
func (j *journal) close() {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range j.mu.files {
		if f := j.mu.files[i].file; f != nil {
			_ = f.Close() // what it has is synced, or not needed
		}
	}
}

// removeJournal takes a directory's journal away: nothing of it will be redone. All that it has is durable in place.
func removeJournal(fsys vfs.FS, path string) error {
	// The first file's name is what makes it a journal.
	for i := range 2 {
		name := journalName(path, i)
		if _, err := fsys.Stat(name); errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err := removeIfThere(fsys, name); err != nil {
			return err
		}
		if err := fsys.SyncDir(path); err != nil {
			return err
		}
	}
	return nil
}
