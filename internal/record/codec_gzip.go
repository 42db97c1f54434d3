package record

import (
	"bytes"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// The pools in this package are caches of scratch memory, nothing else: the garbage collector may
// empty them at any time.
var (
	gzipReaders sync.Pool     // of *gzipReader
	gzipWriters [10]sync.Pool // of *gzip.Writer, by level; 0 is the default level
)

type gzipReader struct {
	input bytes.Reader
	gzip  gzip.Reader
}

func decompressGzip(dst, src []byte, maxBytes int) ([]byte, error) {
	r, _ := gzipReaders.Get().(*gzipReader)
	if r == nil {
		r = new(gzipReader)
	}
	defer gzipReaders.Put(r)
	r.input.Reset(src)
	if err := r.gzip.Reset(&r.input); err != nil {
		return dst, err
	}
	defer r.input.Reset(nil)
	return readAll(dst, &r.gzip, maxBytes)
}

// readAll appends what r gives to dst; the buffer grows only as bytes come, to maxBytes and one more.
func readAll(dst []byte, r io.Reader, maxBytes int) ([]byte, error) {
	start := len(dst)
	for {
		if len(dst) == cap(dst) {
			dst = grow(dst, start, maxBytes)
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if len(dst)-start > maxBytes {
			return dst[:start], errBudget
		}
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst[:start], err
		}
	}
}

// grow returns dst with at least one byte of room: doubled, but not beyond maxBytes+1 after start.
func grow(dst []byte, start, maxBytes int) []byte {
	size := min(max(2*cap(dst), 16<<10), start+maxBytes+1)
	next := make([]byte, len(dst), max(size, len(dst)+1))
	copy(next, dst)
	return next
}

func compressGzip(dst, src []byte, level int) ([]byte, error) {
	if level < gzip.BestSpeed || level > gzip.BestCompression {
		level = 0
	}
	out := &appender{dst}
	w, _ := gzipWriters[level].Get().(*gzip.Writer)
	if w == nil {
		at := level
		if at == 0 {
			at = gzip.DefaultCompression
		}
		var err error
		if w, err = gzip.NewWriterLevel(out, at); err != nil {
			return dst, err
		}
	} else {
		w.Reset(out)
	}
	defer gzipWriters[level].Put(w)
	if _, err := w.Write(src); err != nil {
		return dst, err
	}
	if err := w.Close(); err != nil {
		return dst, err
	}
	w.Reset(nil)
	return out.bytes, nil
}

// appender is an io.Writer at the end of a slice.
type appender struct{ bytes []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.bytes = append(a.bytes, p...)
	return len(p), nil
}
