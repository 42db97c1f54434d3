package record

import (
	"sync"

	"github.com/klauspost/compress/zstd"
)

var (
	zstdReaders  sync.Pool    // of *zstdReader
	zstdEncoders [5]sync.Pool // of *zstd.Encoder, by zstd.EncoderLevel (1 to 4)
)

// zstdFar is the decoder for windows above zstdNearWindow, up to 128 MiB.
var zstdFar shared[zstdReader]

const (
	// zstdMaxWindow is the largest window that Java's zstd accepts by default (2^27).
	zstdMaxWindow = 128 << 20
	// zstdNearWindow is the largest window that a stream gets before it has shown that it needs more. The
	// format's specification asks decoders for that much, and the levels up to 19 stay below it.
	zstdNearWindow = 8 << 20
	// zstdMinWindow is the smallest that a larger one is cut down to.
	zstdMinWindow = 1 << 20
	// zstdMaxBlock is the most that one block can decode to, and zstdMaxRatio what that makes of each byte: a
	// block has at least four.
	zstdMaxBlock = 128 << 10
	zstdMaxRatio = zstdMaxBlock / 4
	// zstdWhole is how much may be decompressed in one piece: up to there that is faster than through a window.
	zstdWhole = 1 << 20
	// zstdSlack is what the decoder wants behind its output to copy in words.
	zstdSlack = 16
)

// zstdReader decompresses one stream at a time.
type zstdReader struct {
	decoder *zstd.Decoder
	input   zstdInput
}

func newZstdReader() (*zstdReader, error) {
	// Decoding in one piece it is limited to the capacity of the output, so that neither a declared size nor a
	// window makes it allocate. As a stream it takes the window that is declared: zstdInput sees to that.
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxWindow(zstdMaxWindow))
	return &zstdReader{decoder: d}, err
}

// decompressZstd passes on the frames of src. The window that it keeps is the smallest of what the frame declares,
// what its blocks can hold, and zstdNearWindow. Only a stream that does not come out right with that, and would
// have more, is tried again with all the window that it asks for, when no other such stream is being read.
func decompressZstd(o *output, src []byte) error {
	r, _ := zstdReaders.Get().(*zstdReader)
	if r == nil {
		var err error
		if r, err = newZstdReader(); err != nil {
			return err
		}
	}
	defer zstdReaders.Put(r)
	if size, ok := zstdBound(src); ok && size <= min(zstdWhole, o.left) {
		return r.whole(o, src, size)
	}
	err := r.stream(o, src, zstdNearWindow)
	if err == nil || err == errBudget || err == errStop || !r.input.cut {
		return err
	}
	zstdFar.Lock()
	far := zstdFar.value()
	if far == nil {
		if far, err = newZstdReader(); err != nil {
			zstdFar.Unlock()
			return err
		}
	}
	defer zstdFar.give(far)
	o.restart()
	return far.stream(o, src, zstdMaxWindow)
}

// whole decompresses frames that hold size bytes at most in one piece.
func (r *zstdReader) whole(o *output, src []byte, size int) error {
	space := o.to.space(size + zstdSlack)
	out, err := r.decoder.DecodeAll(src, space[:0:len(space)])
	if err != nil {
		return err
	}
	if len(out) > 0 && &out[0] != &space[0] { // the decoder took memory of its own
		copy(space, out)
	}
	return o.accept(len(out))
}

// stream decompresses frames through a window of at most that many bytes.
func (r *zstdReader) stream(o *output, src []byte, window int) error {
	r.input = zstdInput{rest: src, size: len(src), window: window, output: o}
	defer func() {
		r.decoder.Reset(nil) // its error only says that there is nothing to read
		r.input = zstdInput{cut: r.input.cut}
	}()
	if err := r.decoder.Reset(&r.input); err != nil {
		return err
	}
	return readAll(o, r.decoder, zstdMaxBlock)
}

func compressZstd(dst, src []byte, level int) ([]byte, error) {
	at := zstd.EncoderLevelFromZstd(level)
	e, _ := zstdEncoders[at].Get().(*zstd.Encoder)
	if e == nil {
		var err error
		e, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(at),
			zstd.WithEncoderCRC(false), zstd.WithZeroFrames(true))
		if err != nil {
			return dst, err
		}
	}
	defer zstdEncoders[at].Put(e)
	return e.EncodeAll(src, dst), nil
}
