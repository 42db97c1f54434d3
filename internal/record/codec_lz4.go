package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/pierrec/lz4/v4"
)

// The LZ4 frame format, as far as Java's Lz4BlockInputStream reads it (so as far as consumers can):
//
//	04 22 4D 18 | FLG | BD | content size int64 (if FLG bit 3) | descriptor checksum
//	then:         size uint32 (top bit: stored) | block | xxh32 of it (if FLG bit 4)
//	end:          00 00 00 00 | xxh32 of the content (if FLG bit 2; Java does not check it)
//
// Frame integers are little-endian. Blocks must be independent (FLG bit 5). What follows the end of
// the frame is not read.
const (
	lz4Magic       = 0x184D2204
	lz4BlockSize   = 64 << 10
	lz4Stored      = 1 << 31
	lz4Version     = 0x40
	lz4Independent = 0x20
	lz4BlockSums   = 0x10
	lz4ContentSize = 0x08
	lz4ContentSum  = 0x04
	lz4Reserved    = 0x03
	// lz4FastLevel is the level for which Kafka takes the fast compressor.
	lz4FastLevel = 9
)

// lz4Header opens every frame we write: version 1, independent blocks of 64 KiB, no checksums. The
// last byte is the second of the xxh32 of the two before.
const lz4Header = "\x04\x22\x4D\x18\x60\x40\x82"

var (
	lz4Fast sync.Pool // of *lz4.Compressor
	lz4High sync.Pool // of *lz4.CompressorHC

	errLZ4Short = errors.New("lz4 frame ends prematurely")
)

func compressLZ4(dst, src []byte, level int) ([]byte, error) {
	compress, release := lz4Compressor(level)
	defer release()
	dst = append(dst, lz4Header...)
	for len(src) > 0 {
		block := src[:min(lz4BlockSize, len(src))]
		src = src[len(block):]
		at := len(dst)
		dst = append(dst, make([]byte, 4+lz4.CompressBlockBound(len(block)))...)
		n, err := compress(block, dst[at+4:])
		if err != nil {
			return dst[:at], err
		}
		mark := uint32(n)
		if n == 0 || n >= len(block) {
			n = copy(dst[at+4:], block)
			mark = uint32(n) | lz4Stored
		}
		binary.LittleEndian.PutUint32(dst[at:], mark)
		dst = dst[:at+4+n]
	}
	return append(dst, 0, 0, 0, 0), nil
}

// lz4Compressor takes a compressor for a level from its pool. In lz4-java, which Kafka uses, a level
// of the high compressor stands for 2^(level-1) attempts per position.
func lz4Compressor(level int) (compress func(src, dst []byte) (int, error), release func()) {
	if level == lz4FastLevel || level < 1 || level > 17 {
		c, _ := lz4Fast.Get().(*lz4.Compressor)
		if c == nil {
			c = new(lz4.Compressor)
		}
		return c.CompressBlock, func() { lz4Fast.Put(c) }
	}
	c, _ := lz4High.Get().(*lz4.CompressorHC)
	if c == nil {
		c = new(lz4.CompressorHC)
	}
	c.Level = lz4.CompressionLevel(1 << (level - 1))
	return c.CompressBlock, func() { lz4High.Put(c) }
}

func decompressLZ4(o *output, src []byte) error {
	flags, blockSize, src, err := parseLZ4Header(src)
	if err != nil {
		return err
	}
	for {
		if len(src) < 4 {
			return errLZ4Short
		}
		mark := binary.LittleEndian.Uint32(src)
		src = src[4:]
		size := int(mark &^ lz4Stored)
		if size == 0 {
			if flags&lz4ContentSum != 0 && len(src) < 4 {
				return errLZ4Short
			}
			return nil
		}
		if size > blockSize {
			return fmt.Errorf("lz4 block size %d exceeded max: %d", size, blockSize)
		}
		if size > len(src) {
			return errLZ4Short
		}
		block := src[:size]
		src = src[size:]
		if err := decompressLZ4Block(o, block, mark&lz4Stored != 0, blockSize); err != nil {
			return err
		}
		if flags&lz4BlockSums != 0 {
			if len(src) < 4 {
				return errLZ4Short
			}
			if xxh32(block) != binary.LittleEndian.Uint32(src) {
				return errors.New("lz4 block checksum mismatch")
			}
			src = src[4:]
		}
	}
}

// decompressLZ4Block passes on one block, which may have blockSize bytes uncompressed.
func decompressLZ4Block(o *output, block []byte, stored bool, blockSize int) error {
	room := min(blockSize, o.left)
	if stored {
		if len(block) > room {
			return errBudget
		}
		return o.accept(copy(o.to.space(len(block)), block))
	}
	if room <= 0 {
		return errBudget // the decoder's assembly does not stand an output of no bytes
	}
	// A byte of a block stands for at most 255 bytes of output.
	n, err := lz4.UncompressBlock(block, o.to.space(min(room, 255*len(block))))
	if err != nil && o.left < blockSize {
		return errBudget // the block may be fine, but there was no room for all of it
	}
	if err != nil {
		return err
	}
	return o.accept(n)
}

func parseLZ4Header(src []byte) (flags byte, blockSize int, rest []byte, err error) {
	if len(src) < len(lz4Header) {
		return 0, 0, nil, errLZ4Short
	}
	if binary.LittleEndian.Uint32(src) != lz4Magic {
		return 0, 0, nil, errors.New("not an lz4 frame (invalid magic bytes)")
	}
	flags, bd := src[4], src[5]
	size := 2
	if flags&lz4ContentSize != 0 {
		size += 8
	}
	switch {
	case flags&0xc0 != lz4Version || flags&lz4Reserved != 0:
		return 0, 0, nil, fmt.Errorf("lz4 frame flags %#x are not supported", flags)
	case flags&lz4Independent == 0:
		return 0, 0, nil, errors.New("lz4 frame has dependent blocks, which Kafka's clients cannot read")
	case bd&0x8f != 0 || bd>>4 < 4:
		return 0, 0, nil, fmt.Errorf("lz4 block descriptor %#x is not supported", bd)
	case len(src) < 4+size+1:
		return 0, 0, nil, errLZ4Short
	case src[4+size] != byte(xxh32(src[4:4+size])>>8):
		return 0, 0, nil, errors.New("lz4 frame descriptor corrupted")
	}
	return flags, 1 << (2*(bd>>4) + 8), src[4+size+1:], nil
}
