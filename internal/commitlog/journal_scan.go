package commitlog

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/ottla/ottla/internal/vfs"
)

// journalFrame is a good frame that a scan found.
type journalFrame struct {
	frameHead
	file   int
	mended bool // a bit of it is wrong on the disk
}

// journalScan reads the two files of a journal.
type journalScan struct {
	dir    string
	files  [2]vfs.File // nil: not there
	sizes  [2]int64
	id     journalID
	frames []journalFrame // that a redo needs, in the order in which they were written
	// suspect is the number of the leading frames after which something acknowledged is missing.
	suspect int
	damage  []*CorruptionError
	buffer  []byte
}

// scanJournal finds what of a journal is to be redone. Without a first file there is no journal, and the scan is empty. Damage is
// no error.
func scanJournal(fsys vfs.FS, dir string) (*journalScan, error) {
	s := &journalScan{dir: dir}
	for i := range s.files {
		f, err := fsys.OpenFile(journalName(dir, i), os.O_RDONLY, 0)
		if errors.Is(err, fs.ErrNotExist) {
			if i == 0 {
				break
			}
			continue
		}
		if err != nil {
			return s, errors.Join(err, s.close())
		}
		s.files[i] = f
		if s.sizes[i], err = f.Size(); err != nil {
			return s, errors.Join(err, s.close())
		}
	}
	if err := s.scan(); err != nil {
		return s, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *journalScan) close() error {
	var errs [2]error
	for i, f := range s.files {
		if f != nil {
			errs[i] = f.Close()
		}
	}
	return errors.Join(errs[:]...)
}

func (s *journalScan) scan() error {
	found, err := s.findID()
	if err != nil || !found {
		return err
	}
	for i := range s.files {
		if err := s.scanFile(i); err != nil {
			return err
		}
	}
	s.order()
	return nil
}

// findID reads the id from the first head that is good: the first file's count before the second's, which may be left over from an
// older journal.
func (s *journalScan) findID() (found bool, err error) {
	for i := range s.files {
		for at := int64(0); at < journalHeads; at += journalBlock {
			b, err := s.read(i, at, headSize)
			if err != nil {
				return false, err
			}
			if id, ok := parseHead(b); ok {
				s.id = id
				return true, nil
			}
		}
	}
	// A file whose making the crash interrupted has zeros only, or nothing. One that was written to has more.
	b, err := s.read(0, journalHeads, frameHeadSize)
	if err == nil && len(b) > 0 && slices.ContainsFunc(b, func(x byte) bool { return x != 0 }) {
		s.damaged(0, 0, "both heads are damaged: nothing of the journal can be redone")
	}
	return false, err
}

// read returns the bytes that are there, valid until the next call.
func (s *journalScan) read(i int, at int64, n int) ([]byte, error) {
	if s.files[i] == nil || at >= s.sizes[i] {
		return nil, nil
	}
	s.buffer = slices.Grow(s.buffer[:0], n)[:min(int64(n), s.sizes[i]-at)]
	got, err := s.files[i].ReadAt(s.buffer, at)
	if isEOF(err) {
		err = nil
	}
	return s.buffer[:got], err
}

func (s *journalScan) damaged(file int, position int64, reason string) {
	s.damage = append(s.damage, &CorruptionError{File: journalName(s.dir, file), Position: position, Reason: reason})
}

// scanFile collects all good frames of a file, of whatever generation.
func (s *journalScan) scanFile(i int) error {
	for at := int64(journalHeads); at < s.sizes[i]; {
		b, err := s.read(i, at, frameHeadSize)
		if err != nil {
			return err
		}
		if h, ok := parseFrameHead(b, s.id, at); ok {
			if b, err = s.read(i, at, h.length); err != nil {
				return err
			}
			if len(b) == h.length && frameIsWhole(b) {
				s.frames = append(s.frames, journalFrame{h, i, false})
				at += blocks(int64(h.length))
				continue
			}
		}
		f, ok, err := s.mend(i, at)
		if err != nil {
			return err
		}
		if ok {
			s.frames = append(s.frames, f)
			at += blocks(int64(f.length))
			continue
		}
		at += journalBlock
	}
	return nil
}

// order brings the frames into the order of their writing, drops those of retired generations, and looks for what is missing
// between them. What is missing at the end was never acknowledged.
func (s *journalScan) order() {
	slices.SortFunc(s.frames, func(a, b journalFrame) int { return cmp.Compare(a.sequence, b.sequence) })
	if len(s.frames) == 0 {
		return
	}
	oldest := s.frames[len(s.frames)-1].oldest
	s.frames = slices.DeleteFunc(s.frames, func(f journalFrame) bool { return f.generation < oldest })
	before := journalFrame{frameHead{generation: oldest, position: journalHeads}, fileOf(oldest), false}
	for i, f := range s.frames {
		follows := f.generation == before.generation && f.position == before.position+blocks(int64(before.length))
		if i > 0 {
			follows = f.sequence == before.sequence+1 && (follows || f.generation == before.generation+1 && f.position == journalHeads)
		}
		if !follows {
			s.suspect = i
			s.damaged(before.file, before.position+blocks(int64(before.length)), fmt.Sprintf("a frame that was acknowledged cannot be read; the next good one is number %d, in file %s at position %d", f.sequence, journalName(s.dir, f.file), f.position))
		}
		before = f
	}
}

// load reads a frame that was found good.
func (s *journalScan) load(f journalFrame) ([]byte, error) {
	b, err := s.read(f.file, f.position, f.length)
	if err == nil && f.mended {
		mendFrame(b, s.id, f.position)
	}
	if err == nil && (len(b) < f.length || !frameIsWhole(b)) {
		err = &CorruptionError{File: journalName(s.dir, f.file), Position: f.position, Reason: "a frame changes while it is read"}
	}
	return b, err
}

func isEOF(err error) bool { return errors.Is(err, io.EOF) }
