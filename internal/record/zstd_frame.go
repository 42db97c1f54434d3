package record

import (
	"encoding/binary"
	"io"
	"math/bits"

	"github.com/klauspost/compress/zstd"
)

// A zstd frame, as far as one must look into it to know how much memory it takes (RFC 8878, little-endian):
//
//	28 B5 2F FD | descriptor | window (unless single segment) | dictionary id | content size | blocks | checksum
//	descriptor:  bits 7-6 size of the content size, 5 single segment, 3 reserved, 2 checksum, 1-0 size of the id
//	window:      2^(10 + bits 7-3), and bits 2-0 eighths of that
//	block:       3 bytes: bit 0 last, bits 2-1 type, the rest size; then its bytes
//
// A frame of a single segment has no window: its content must be kept whole.
const (
	zstdMagic          = "\x28\xb5\x2f\xfd"
	zstdSkippableMagic = "\x2a\x4d\x18" // after 50 to 5F; then a size uint32 and as many bytes
	zstdSingleSegment  = 1 << 5
	zstdReserved       = 1 << 3
	zstdChecksum       = 1 << 2
	zstdDictionary     = 3
)

// zstdFrame is what the headers of a frame say.
type zstdFrame struct {
	header   int    // bytes up to the first block
	size     int    // bytes of the whole frame, or of what is there of it
	window   uint64 // of a single segment the content size
	content  uint64 // that is declared
	declared bool   // whether content is
	bound    int    // what the blocks can hold at most
	complete bool   // whether all blocks and the checksum are there
}

// parseZstdFrame reads the headers of the frame at the start of src. ok is false for everything else: frames to
// skip, with dictionaries, cut or damaged.
func parseZstdFrame(src []byte) (f zstdFrame, ok bool) {
	if len(src) < 6 || string(src[:4]) != zstdMagic || src[4]&(zstdReserved|zstdDictionary) != 0 {
		return f, false
	}
	flags, at := src[4], 5
	single := flags&zstdSingleSegment != 0
	if !single {
		base := uint64(1) << (10 + src[5]>>3)
		f.window = base + base/8*uint64(src[5]&7)
		at++
	}
	var content [8]byte
	size := 1 << (flags >> 6)
	if f.declared = single || size > 1; f.declared {
		if len(src) < at+size {
			return f, false
		}
		copy(content[:], src[at:at+size])
		at += size
	}
	f.content = binary.LittleEndian.Uint64(content[:])
	if size == 2 {
		f.content += 256
	}
	if single {
		f.window = max(f.content, zstd.MinWindowSize)
	}
	f.header = at
	f.blocks(src)
	return f, true
}

// blocks adds up what the blocks can hold, up to the last one or the first that is no block.
func (f *zstdFrame) blocks(src []byte) {
	for at := f.header; ; {
		f.size = len(src)
		if len(src)-at < 3 {
			return
		}
		header := int(src[at]) | int(src[at+1])<<8 | int(src[at+2])<<16
		at += 3
		size := header >> 3
		switch header >> 1 & 3 {
		case 0: // raw
			f.bound += size
		case 1: // one byte, repeated
			f.bound += size
			size = 1
		case 2: // compressed
			f.bound += zstdMaxBlock
		default:
			return
		}
		if at += size; at > len(src) {
			return
		}
		if header&1 == 0 {
			continue
		}
		if src[4]&zstdChecksum != 0 {
			at += 4
		}
		if at <= len(src) {
			f.size, f.complete = at, true
		}
		return
	}
}

// zstdBound returns what the frames of src can hold at most. ok is false unless all of them are in order as far as
// their headers tell.
func zstdBound(src []byte) (size int, ok bool) {
	for len(src) > 0 {
		f, ok := parseZstdFrame(src)
		if !ok || !f.complete || f.content > uint64(f.bound) {
			return 0, false
		}
		size += f.bound
		src = src[f.size:]
	}
	return size, true
}

// zstdInput hands the frames of a stream to a decoder. As that takes memory for the whole window that a frame
// declares, it tells the decoder of a smaller one where the frame has no more content than that, or where that
// would be more than window.
type zstdInput struct {
	rest   []byte // frames not looked at
	head   []byte // rewritten header, to hand out first
	body   []byte // to hand out then
	size   int    // of the stream
	window int
	output *output
	cut    bool // some window may be too small
	header [18]byte
}

func (in *zstdInput) Read(p []byte) (n int, err error) {
	if len(in.head) == 0 && len(in.body) == 0 {
		if len(in.rest) == 0 {
			return 0, io.EOF
		}
		if err := in.next(); err != nil {
			return 0, err
		}
	}
	if len(in.head) > 0 {
		n = copy(p, in.head)
		in.head = in.head[n:]
		return n, nil
	}
	n = copy(p, in.body)
	in.body = in.body[n:]
	return n, nil
}

// next takes the next frame from rest.
func (in *zstdInput) next() error {
	f, ok := parseZstdFrame(in.rest)
	if !ok {
		n := skippable(in.rest)
		in.body, in.rest = in.rest[:n], in.rest[n:]
		return nil
	}
	if err := in.check(&f); err != nil {
		return err
	}
	frame := in.rest[:f.size]
	in.body, in.rest = frame, in.rest[f.size:]
	needed := min(f.bound, in.output.maxBytes)
	window := zstdMinWindow
	for window < min(needed, in.window) {
		window *= 2
	}
	if uint64(window) >= f.window {
		return nil
	}
	in.cut = in.cut || window < needed
	// Content sizes of one byte have no windows this large; with the others the header grows by one byte at most.
	in.head = append(in.header[:0], zstdMagic...)
	in.head = append(in.head, frame[4]&^zstdSingleSegment, byte(bits.TrailingZeros(uint(window))-10)<<3)
	if frame[4]&zstdSingleSegment != 0 {
		in.head = append(in.head, frame[5:f.header]...)
	} else {
		in.head = append(in.head, frame[6:f.header]...)
	}
	in.body = frame[f.header:]
	return nil
}

// check refuses what a frame declares before anything is done for it.
func (in *zstdInput) check(f *zstdFrame) error {
	if f.window > zstdMaxWindow {
		return zstd.ErrWindowSizeExceeded
	}
	o := in.output
	limit := min(o.maxBytes, zstdMaxRatio*in.size)
	switch {
	case f.content <= uint64(max(0, limit-(o.maxBytes-o.left))):
		return nil
	case limit == o.maxBytes:
		return errBudget
	}
	return zstd.ErrDecoderSizeExceeded
}

// skippable returns the length of the frame to skip that src begins with, or else of all of src.
func skippable(src []byte) int {
	if len(src) < 8 || src[0]&0xf0 != 0x50 || string(src[1:4]) != zstdSkippableMagic {
		return len(src)
	}
	return int(min(uint64(len(src)), 8+uint64(binary.LittleEndian.Uint32(src[4:]))))
}
