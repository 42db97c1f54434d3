package storagecheck

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/ottla/ottla/internal/vfs"
)

// journal is what the redo journal of a directory has. A journal is made with its first file, filled by turns: one file has a
// generation of frames, the other the next. A frame is acknowledged when it is on the disk whole; the next is written only then.
// So of all frames that a redo needs the last alone may be torn, and whatever else is missing was acknowledged.
type journal struct {
	path  string
	files [2]vfs.File // nil: not there
	sizes [2]int64
	id    journalID
	heads int // damaged ones of files that have a good one

	frames  []frame // that a redo needs, in the order of their writing
	retired [2]int  // frames that none needs, by file
	gaps    []frameGap
	torn    *frame // after the last: what was not written to its end; flipped says nothing
	blank   bool   // no head can be read, but there are frames
	redo    map[string]*logRedo
	lacking []bool // by frame: whether segments lack something of it
	buffer  []byte
}

// frameGap is where an acknowledged frame is missing.
type frameGap struct {
	before   int // number of the frame that follows
	file     int
	position int64
	bytes    int64 // up to the next frame, None if that is in the other file
	sequence uint64
}

func journalName(i int) string { return fmt.Sprint(journalPrefix, i) }

// openJournal reads the frames of a directory's journal. Without the first file there is none, and the result is nil.
func openJournal(fsys vfs.FS, dir string) (*journal, error) {
	j := &journal{path: dir, redo: map[string]*logRedo{}}
	for i := range j.files {
		f, err := fsys.OpenFile(filepath.Join(dir, journalName(i)), os.O_RDONLY, 0)
		if errors.Is(err, fs.ErrNotExist) {
			if i == 0 {
				return nil, nil
			}
			continue
		}
		if err == nil {
			j.files[i] = f
			j.sizes[i], err = f.Size()
		}
		if err != nil {
			return nil, errors.Join(err, j.close())
		}
	}
	err := j.findID()
	for i := range j.files {
		if err == nil && !j.blank {
			err = j.scanFile(i)
		}
	}
	if err != nil {
		return nil, errors.Join(err, j.close())
	}
	j.order()
	return j, nil
}

func (j *journal) close() error {
	if j == nil {
		return nil
	}
	var errs [2]error
	for i, f := range j.files {
		if f != nil {
			errs[i] = f.Close()
		}
	}
	return errors.Join(errs[:]...)
}

// read returns the bytes that are there, valid until the next call.
func (j *journal) read(i int, at int64, n int) ([]byte, error) {
	n = int(max(0, min(int64(n), j.sizes[i]-at)))
	if n == 0 {
		return nil, nil
	}
	j.buffer = slices.Grow(j.buffer[:0], n)[:n]
	got, err := j.files[i].ReadAt(j.buffer, at)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return j.buffer[:got], err
}

// findID takes the id of the first head that is good. One of a second file with another id is left over from an older journal.
func (j *journal) findID() error {
	found, used := false, false
	for i := range j.files {
		for at := int64(0); at < journalHeads; at += journalBlock {
			b, err := j.read(i, at, journalHeadSize)
			if err != nil {
				return err
			}
			id, ok := parseJournalHead(b)
			switch {
			case !ok && slices.ContainsFunc(b, func(x byte) bool { return x != 0 }):
				j.heads++
			case ok && !found:
				j.id, found = id, true
			}
		}
		b, err := j.read(i, journalHeads, frameHeadSize)
		if err != nil {
			return err
		}
		used = used || i == 0 && slices.ContainsFunc(b, func(x byte) bool { return x != 0 })
	}
	// A file whose making was cut short has zeros; one that was written to has more.
	j.blank = !found && used
	return nil
}

// scanFile collects the frames of a file, of whatever generation.
func (j *journal) scanFile(i int) error {
	for at := int64(journalHeads); at < j.sizes[i]; {
		f, ok, err := j.frameAt(i, at)
		if err != nil {
			return err
		}
		if ok {
			j.frames = append(j.frames, f)
			at = f.end()
		} else {
			at += journalBlock
		}
	}
	return nil
}

// frameAt returns the frame at a position, mended if it has to be.
func (j *journal) frameAt(i int, at int64) (f frame, ok bool, err error) {
	b, err := j.read(i, at, frameHeadSize)
	if err != nil || !looksLikeFrame(b, j.id, at) {
		return f, false, err
	}
	if f, ok = parseFrame(b, j.id, at); ok {
		if b, err = j.read(i, at, f.length); err != nil {
			return f, false, err
		}
		ok = len(b) == f.length && frameError(b) == 0
	}
	if !ok {
		if b, err = j.read(i, at, maxFrameBytes); err != nil {
			return f, false, err
		}
		f, ok = mendFrame(b, j.id, at)
	}
	f.file = i
	return f, ok, nil
}

// order brings the frames into the order of their writing, drops those of generations that are given up, and finds out which are
// missing.
func (j *journal) order() {
	slices.SortFunc(j.frames, func(a, b frame) int { return cmp.Compare(a.sequence, b.sequence) })
	if len(j.frames) == 0 {
		return
	}
	last := j.frames[len(j.frames)-1]
	j.frames = slices.DeleteFunc(j.frames, func(f frame) bool {
		if f.generation < last.oldest {
			j.retired[f.file]++
		}
		return f.generation < last.oldest
	})
	at, file := int64(journalHeads), fileOfGeneration(last.oldest)
	for n, f := range j.frames {
		follows := f.file == file && f.position == at
		if n > 0 {
			before := j.frames[n-1]
			follows = f.sequence == before.sequence+1 && (follows && f.generation == before.generation || f.generation == before.generation+1 && f.position == journalHeads)
		}
		if !follows {
			g := frameGap{before: n, file: file, position: at, bytes: None, sequence: f.sequence - 1}
			if f.file == file && f.position > at {
				g.bytes = f.position - at
			}
			j.gaps = append(j.gaps, g)
		}
		at, file = f.end(), f.file
	}
}

// fileOfGeneration is the file of a generation: the first is in the first file.
func fileOfGeneration(generation uint64) int { return int(generation+1) & 1 }

// load returns the bytes of a frame, mended, until the next call.
func (j *journal) load(f frame) ([]byte, error) {
	b, err := j.read(f.file, f.position, f.length)
	if err != nil {
		return nil, err
	}
	if len(b) == f.length && f.mask != 0 {
		b[f.flipped-f.position] ^= f.mask
	}
	if len(b) < f.length || frameError(b) != 0 {
		return nil, fmt.Errorf("%s: the frame at position %d changes while it is read", journalName(f.file), f.position)
	}
	return b, nil
}

// findTorn looks behind the last frame for one whose writing was cut short: its head says that it would have been the next.
func (j *journal) findTorn() error {
	want, places := uint64(1), [][2]int64{{0, journalHeads}}
	if n := len(j.frames); n > 0 {
		last := j.frames[n-1]
		want, places = last.sequence+1, [][2]int64{{int64(last.file), last.end()}, {int64(fileOfGeneration(last.generation + 1)), journalHeads}}
	}
	for _, place := range places {
		b, err := j.read(int(place[0]), place[1], frameHeadSize)
		if err != nil {
			return err
		}
		if f, ok := parseFrame(b, j.id, place[1]); ok && f.sequence == want {
			f.file = int(place[0])
			j.torn = &f
			return nil
		}
	}
	return nil
}
