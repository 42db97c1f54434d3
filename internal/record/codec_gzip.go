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

func decompressGzip(o *output, src []byte) error {
	r, _ := gzipReaders.Get().(*gzipReader)
	if r == nil {
		r = new(gzipReader)
	}
	defer gzipReaders.Put(r)
	r.input.Reset(src)
	if err := r.gzip.Reset(&r.input); err != nil {
		return err
	}
	defer r.input.Reset(nil)
	return readAll(o, &r.gzip, maxPiece)
}

// readAll passes on what r gives, size bytes at most at a time.
func readAll(o *output, r io.Reader, size int) error {
	for {
		n, err := r.Read(o.piece(size))
		if err := o.accept(n); err != nil {
			return err
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
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
