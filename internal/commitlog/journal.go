package commitlog

import (
	"crypto/rand"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/planted"
	"github.com/ottla/ottla/internal/vfs"
)

// journal is the redo journal of a Dir: it makes small appends to many segments durable with one write and one fdatasync,
// of blocks that were written before, which needs no commit of the file system. The segments are synced later, in the
// background, a whole generation at once. After a crash redo.go puts into the segments what they lack.
//
// The rules, each of which has a test that fails without it:
//
//   - A segment's first flush, and any that has names or closed files to bring to the disk, is done in place. So what the
//     journal has begins in a file that is there after a crash.
//   - A recovery point never passes what is durable in the segments themselves (Log.unsettled).
//   - A generation is given up (retired) after all that it has is durable in place, and is overwritten only after a frame
//     elsewhere says so, durably.
//   - Before anything in a log changes that the journal has (truncation, deletion, replaced files), the log leaves the
//     journal: it is synced in place, then an entry says that what came before is not to be redone. A frame with what was
//     read before that is not written any more (Log.left).
//     Sealing a segment changes nothing in its bytes, and retention takes only what is below a durable log start.
//   - A recovery syncs what it has redone and removes the journal before the first append; so does a clean stop. The first
//     file's name is what makes a journal: without it, and with a second file of another id, nothing is redone.
type journal struct {
	dir   *Dir
	limit int64 // bytes of each file
	after int   // rounds before the first file is made

	mu struct {
		sync.Mutex
		id         journalID
		files      [2]journalFile
		generation uint64 // 0: none yet
		oldest     uint64 // that is not retired
		durable    uint64 // oldest, as a recovery would read it
		sequence   uint64
		position   int64 // where the next frame of generation goes
		rounds     int
		began      time.Time // when generation did
		waitUntil  time.Time // when the disk was full
		frame      []byte    // room for a frame, of which the head's is there
		counts     journalCounts
	}

	// The background's own.
	works []placing

	stopping   atomic.Bool
	background sync.WaitGroup
}

// journalFile is one of the two files.
type journalFile struct {
	file vfs.File // nil: not made yet
	size int64    // bytes written, at least with zeros, and durable
	busy bool     // being made, or its generation is being synced in place
	logs []*Log   // that its generation has entries of
}

// journalCounts are for tests and measurements.
type journalCounts struct{ frames, entries, forgets, closings, retired, refused int }

const (
	defaultJournalBytes = 256 << 20
	firstJournalBytes   = 1 << 20
	// A directory that is hardly written to needs no journal.
	defaultJournalAfter = 16
	// maxJournaledBytes is where syncing a segment in place costs less than writing its bytes twice. Measured on ext4, one log:
	// 60 KB took 143 µs of CPU time in the journal and 222 in place, 120 KB 250 and 193.
	maxJournaledBytes = 64 << 10
	journalRetry      = time.Minute
)

// fileOf is the file of a generation: the first is in the first file.
func fileOf(generation uint64) int { return int(generation+1) & 1 }

// newJournal returns nil if the journal is off.
func newJournal(d *Dir) *journal {
	if d.options.JournalBytes < 0 {
		return nil
	}
	j := &journal{dir: d, limit: max(d.options.JournalBytes/2/journalBlock*journalBlock, journalHeads+2*journalBlock), after: d.options.journalAfter}
	j.mu.sequence = 1
	j.mu.frame = make([]byte, frameHeadSize)
	_, _ = rand.Read(j.mu.id[:]) // it never fails
	return j
}

// fits reports whether a frame has room in the current generation. The caller holds j.mu.
func (j *journal) fits(bytes int64) bool {
	s := &j.mu
	return s.generation > 0 && s.position+blocks(bytes) <= s.files[fileOf(s.generation)].size
}

// room is fits, but begins the next generation if that helps: if its file is ready, and what that had is durable in place.
// What is missing is begun in the background. The caller holds j.mu.
func (j *journal) room(bytes int64) (bool, error) {
	if j.fits(bytes) {
		return true, nil
	}
	s := &j.mu
	next := &s.files[fileOf(s.generation+1)]
	if next.size == 0 && s.rounds >= j.after {
		j.prepare(fileOf(s.generation + 1))
	}
	if next.busy || journalHeads+blocks(bytes) > next.size {
		return false, nil
	}
	return true, j.turn()
}

// turn begins the next generation. The caller holds j.mu.
func (j *journal) turn() error {
	s := &j.mu
	full := s.generation
	if full > 0 && s.durable < full {
		// The file's former generation was retired, but a recovery would still look for it.
		if err := j.commit(s.frame, 0); err != nil {
			return err
		}
		s.counts.closings++
	}
	lasted := time.Since(s.began)
	s.generation++
	s.position, s.began = journalHeads, time.Now()
	if full == 0 {
		s.oldest = s.generation
	} else {
		j.retire(full, lasted)
	}
	return nil
}

// commit completes a frame and makes it durable, beyond the room of the current generation if it must be: that costs more,
// but needs nothing else. The caller holds j.mu.
func (j *journal) commit(frame []byte, entries int) error {
	s := &j.mu
	file := &s.files[fileOf(s.generation)]
	length := len(frame)
	putFrameHead(frame, frameHead{id: s.id, generation: s.generation, sequence: s.sequence, oldest: s.oldest, position: s.position, length: length, entries: entries})
	frame = slices.Grow(frame, journalBlock)[:blocks(int64(length))]
	clear(frame[length:])
	s.frame = frame[:frameHeadSize]
	if _, err := file.file.WriteAt(frame, s.position); err != nil {
		return err
	}
	if planted.In(planted.SkipSync) {
	} else if err := file.file.SyncData(); err != nil {
		return err
	}
	s.position += int64(len(frame))
	file.size = max(file.size, s.position)
	s.sequence++
	s.durable = s.oldest
	s.counts.frames++
	return nil
}
