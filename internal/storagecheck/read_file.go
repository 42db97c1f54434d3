package storagecheck

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/ottla/ottla/internal/vfs"
)

// Sizes that files which are read whole do not have.
const (
	maxTextBytes       = 256 << 20
	maxSnapshotBytes   = 1 << 30
	maxCheckpointBytes = 1 << 30
)

// readWhole returns the content of a file of at most limit bytes.
func readWhole(fsys vfs.FS, path string, limit int64) ([]byte, error) {
	f, err := fsys.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, fmt.Errorf("it has %d bytes; nothing that belongs there has more than %d", size, limit)
	}
	content := make([]byte, size)
	if n, err := f.ReadAt(content, 0); int64(n) < size {
		return nil, errors.Join(err, io.ErrUnexpectedEOF)
	}
	return content, nil
}

// readerAtCloser is what a reader needs of a file.
type readerAtCloser interface {
	io.ReaderAt
	io.Closer
}

// reader reads a file front to back through one buffer, which it keeps for the next file.
type reader struct {
	file   readerAtCloser
	size   int64
	buffer []byte // what is in memory of the file
	start  int64  // position of buffer[0]
}

// readAhead is how much a reader takes at a time.
const readAhead = 1 << 20

// open begins a file; close it with end.
func (r *reader) open(fsys vfs.FS, path string) error {
	f, err := fsys.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	size, err := f.Size()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	r.begin(f, size)
	return nil
}

func (r *reader) begin(f readerAtCloser, size int64) {
	r.file, r.size, r.start, r.buffer = f, size, 0, r.buffer[:0]
}

func (r *reader) end() {
	if r.file != nil {
		r.file.Close()
	}
	r.file = nil
	if cap(r.buffer) > 4*readAhead {
		r.buffer = nil
	}
}

// blank reports whether there are zeros only.
func (r *reader) blank(position, n int64) bool {
	b, err := r.bytes(position, int(n))
	return err == nil && !slices.ContainsFunc(b, func(x byte) bool { return x != 0 })
}

// bytes returns n bytes at position, which the file has by its size; they are valid until the next call.
func (r *reader) bytes(position int64, n int) ([]byte, error) {
	if from := position - r.start; from >= 0 && from+int64(n) <= int64(len(r.buffer)) {
		return r.buffer[from : from+int64(n)], nil
	}
	if want := max(n, int(min(readAhead, r.size))); cap(r.buffer) < want {
		r.buffer = make([]byte, 0, want)
	}
	b := r.buffer[:min(int64(cap(r.buffer)), r.size-position)]
	got, err := r.file.ReadAt(b, position)
	r.buffer, r.start = b[:got], position
	if got >= n {
		return b[:n], nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return nil, err
}
