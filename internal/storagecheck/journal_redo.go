package storagecheck

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// logRedo is what the journal has of one log.
type logRedo struct {
	tp      kafka.TopicPartition
	entries []redoEntry
	// proven is the offset up to which the entries say that the log was acknowledged; 0 if they say nothing.
	proven  int64
	patches map[int64][]patch // by base of the segment: what it lacks
	missing int64             // bytes of patches
	// first to next are the offsets of what the segments lack.
	first, next int64
}

// redoEntry is an entry of the frame with that number.
type redoEntry struct {
	journalEntry
	frame   int
	suspect bool // an acknowledged frame that followed cannot be read: the log may have been cut
}

// patch is bytes of a segment that only the journal has.
type patch struct {
	position int64 // in the segment
	length   int
	source   io.ReaderAt
	at       int64 // in source
}

func (p *patch) end() int64 { return p.position + int64(p.length) }

// readEntries collects what the frames have of each log, by the rules of the broker's recovery: what an entry says is not to be
// redone is not, nor is what came before offsets went back; that was cut, and the entry that said so cannot be read.
func (j *journal) readEntries() error {
	suspect := 0
	for _, g := range j.gaps {
		suspect = max(suspect, g.before)
	}
	for n, f := range j.frames {
		b, err := j.load(f)
		if err != nil {
			return err
		}
		err = parseEntries(b, f, func(e journalEntry) {
			name := e.tp.String()
			if e.forget {
				delete(j.redo, name)
				return
			}
			r := j.redo[name]
			if r == nil {
				r = &logRedo{tp: e.tp}
				j.redo[name] = r
			}
			if k := len(r.entries); k > 0 && e.first < r.entries[k-1].next {
				r.entries = nil
			}
			r.entries = append(r.entries, redoEntry{e, n, n < suspect})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// fit finds out what the segments of a log lack of what the journal has. point is the recovery point: what lies below is in
// place. What lies in a segment that is not there is below the log's start, and gone.
func (j *journal) fit(fsys vfs.FS, name string, point int64) error {
	r := j.redo[name]
	if r == nil {
		return nil
	}
	folder := filepath.Join(j.path, name)
	id := storedTopicID(fsys, folder)
	r.patches = map[int64][]patch{}
	var view patchedFile
	defer view.end()
	base := None
	for _, e := range r.entries {
		if e.next <= point || e.topicID != id && !e.topicID.IsZero() && !id.IsZero() {
			continue
		}
		r.proven = max(r.proven, e.next)
		if e.base != base {
			base = e.base
			if err := view.begin(fsys, filepath.Join(folder, e.segment()), r.patches[base]); err != nil {
				return err
			}
		}
		if view.File == nil {
			continue
		}
		p, err := j.patchOf(e, &view)
		if err != nil {
			return err
		}
		if p == nil {
			continue
		}
		if r.missing == 0 {
			r.first = e.first
		}
		r.missing += int64(p.length)
		r.next = e.next
		j.lacking[e.frame] = true
		r.patches[base] = append(r.patches[base], *p)
		view.patch(*p)
	}
	return nil
}

// patchOf returns what a segment lacks of an entry, nil if it has it all.
func (j *journal) patchOf(e redoEntry, view *patchedFile) (*patch, error) {
	f := j.frames[e.frame]
	p := &patch{position: e.position, length: e.length, source: j.files[f.file], at: f.position + int64(e.at)}
	if f.mask != 0 {
		b, err := j.load(f)
		if err != nil {
			return nil, err
		}
		p.source, p.at = bytes.NewReader(bytes.Clone(b)), int64(e.at)
	}
	fresh, old := make([]byte, e.length), make([]byte, e.length)
	if _, err := p.source.ReadAt(fresh, p.at); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	n, err := view.ReadAt(old, e.position)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if n == e.length && bytes.Equal(old, fresh) {
		return nil, nil
	}
	if e.suspect && beginsWithBatch(old[:n], e.base) {
		return nil, nil // it came later
	}
	return p, nil
}

// beginsWithBatch reports whether bytes of a segment begin with a whole batch.
func beginsWithBatch(b []byte, base int64) bool {
	r := reader{file: memoryFile{b}, size: int64(len(b))}
	_, err := r.batch(0, bounds{base, base, segmentLimit(base, None)})
	return err == nil
}

// memoryFile reads bytes as a file.
type memoryFile struct{ b []byte }

func (m memoryFile) ReadAt(p []byte, at int64) (int, error) {
	return bytes.NewReader(m.b).ReadAt(p, at)
}
func (m memoryFile) Close() error { return nil }

// storedTopicID is what partition.metadata says; zero if it does not.
func storedTopicID(fsys vfs.FS, folder string) kafka.UUID {
	content, err := readWhole(fsys, filepath.Join(folder, partitionFile), maxTextBytes)
	if err != nil {
		return kafka.ZeroUUID
	}
	id, err := parseTopicID(string(content))
	if err != nil {
		return kafka.ZeroUUID
	}
	return id
}

// patchedFile is a segment as a recovery will leave it before it looks at it.
type patchedFile struct {
	vfs.File
	own, size int64
	patches   []patch
	mixed     bool // patches do not ascend
}

// begin opens the segment; File is nil if it is not there.
func (f *patchedFile) begin(fsys vfs.FS, path string, patches []patch) error {
	f.end()
	file, err := fsys.OpenFile(path, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	f.File, f.patches, f.mixed = file, nil, false
	if f.own, err = file.Size(); err != nil {
		return err
	}
	f.size = f.own
	for _, p := range patches {
		f.patch(p)
	}
	return nil
}

func (f *patchedFile) end() {
	if f.File != nil {
		f.File.Close()
	}
	f.File = nil
}

func (f *patchedFile) patch(p patch) {
	if n := len(f.patches); n > 0 && p.position < f.patches[n-1].end() {
		f.mixed = true
	}
	f.patches = append(f.patches, p)
	f.size = max(f.size, p.end())
}

func (f *patchedFile) Size() (int64, error) { return f.size, nil }

// ReadAt reads the file, zeros beyond its end, and what the patches say over both.
func (f *patchedFile) ReadAt(b []byte, at int64) (int, error) {
	n := int(max(0, min(int64(len(b)), f.size-at)))
	part := b[:n]
	got := 0
	if own := int(max(0, min(int64(n), f.own-at))); own > 0 {
		var err error
		if got, err = f.File.ReadAt(part[:own], at); err != nil && !errors.Is(err, io.EOF) {
			return got, err
		}
	}
	clear(part[got:])
	first := 0
	if !f.mixed {
		first, _ = slices.BinarySearchFunc(f.patches, at, func(p patch, at int64) int { return cmp.Compare(p.end(), at) })
	}
	for _, p := range f.patches[first:] {
		from, to := max(at, p.position), min(at+int64(n), p.end())
		if !f.mixed && p.position >= at+int64(n) {
			break
		}
		if from >= to {
			continue
		}
		want := part[from-at : to-at]
		if got, err := p.source.ReadAt(want, p.at+from-p.position); got < len(want) {
			return int(from - at), errors.Join(err, io.ErrUnexpectedEOF)
		}
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}
