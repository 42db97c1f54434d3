package record

import (
	"errors"
	"sync"

	"github.com/klauspost/compress/zstd"
)

var (
	zstdDecoders sync.Pool    // of *zstd.Decoder
	zstdEncoders [5]sync.Pool // of *zstd.Encoder, by zstd.EncoderLevel (1 to 4)
)

// zstdMaxWindow is the largest window that Java's zstd accepts by default (2^27).
const zstdMaxWindow = 128 << 20

// zstdMaxBlock is the most that one block can decode to, and zstdMaxRatio what that makes of each byte: a
// block has at least four.
const (
	zstdMaxBlock = 128 << 10
	zstdMaxRatio = zstdMaxBlock / 4
)

func decompressZstd(dst, src []byte, maxBytes int) ([]byte, error) {
	d, _ := zstdDecoders.Get().(*zstd.Decoder)
	if d == nil {
		var err error
		// Limited to the capacity of the output: neither a declared size nor a window makes it allocate.
		d, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxWindow(zstdMaxWindow))
		if err != nil {
			return dst, err
		}
	}
	defer zstdDecoders.Put(d)
	start := len(dst)
	most := min(maxBytes, zstdMaxRatio*len(src))
	room := min(max(cap(dst)-start, 4*len(src), 4<<10), most)
	for {
		if cap(dst)-start < room {
			next := make([]byte, start, start+room)
			copy(next, dst)
			dst = next
		}
		out, err := d.DecodeAll(src, dst[start:start:start+room])
		switch {
		case err == nil:
			if len(out) > 0 && &out[0] != &dst[start : start+1][0] { // the decoder took memory of its own
				return append(dst, out...), nil
			}
			return dst[:start+len(out)], nil
		case !errors.Is(err, zstd.ErrDecoderSizeExceeded) && len(out)+zstdMaxBlock < room:
			return dst[:start], err // another block would have fitted: it is not for lack of room
		case room >= maxBytes:
			return dst[:start], errBudget
		case room >= most:
			return dst[:start], err
		}
		// Starting again costs at most a third more than knowing the size from the start.
		room = min(4*room, most)
	}
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
