package record

import (
	"encoding/binary"
	"errors"

	"github.com/klauspost/compress/s2"
)

// Snappy comes in two dresses. librdkafka and franz-go write one raw snappy block. Java's
// SnappyOutputStream writes a frame, called xerial after its library:
//
//	82 'S' 'N' 'A' 'P' 'P' 'Y' 00 | version int32 = 1 | compatible version int32 = 1
//	then per 32 KiB of input:       length int32 | raw block
//
// A header may come again between blocks (streams that were concatenated).
const (
	xerialMagic     = "\x82SNAPPY\x00"
	xerialHeader    = xerialMagic + "\x00\x00\x00\x01\x00\x00\x00\x01"
	xerialBlockSize = 32 << 10
)

var errSnappy = errors.New("corrupt snappy input")

func compressXerial(dst, src []byte) []byte {
	dst = append(dst, xerialHeader...)
	for len(src) > 0 {
		block := src[:min(xerialBlockSize, len(src))]
		src = src[len(block):]
		at := len(dst)
		dst = append(dst, make([]byte, 4+s2.MaxEncodedLen(len(block)))...)
		packed := s2.EncodeSnappy(dst[at+4:], block)
		binary.BigEndian.PutUint32(dst[at:], uint32(len(packed)))
		dst = dst[:at+4+len(packed)]
	}
	return dst
}

func decompressSnappy(o *output, src []byte) error {
	if len(src) < len(xerialHeader) || string(src[:len(xerialMagic)]) != xerialMagic {
		return decompressBlock(o, src)
	}
	for len(src) > 0 {
		if len(src) >= len(xerialHeader) && string(src[:len(xerialMagic)]) == xerialMagic {
			src = src[len(xerialHeader):]
			continue
		}
		if len(src) < 4 {
			return errSnappy
		}
		size := binary.BigEndian.Uint32(src)
		if src = src[4:]; uint64(size) > uint64(len(src)) {
			return errSnappy
		}
		if err := decompressBlock(o, src[:size]); err != nil {
			return err
		}
		src = src[size:]
	}
	return nil
}

// decompressBlock passes on one raw block. It takes memory for the length that the block declares only once
// its elements have been found to add up to it: a block of 1 MB makes at most 21 MB.
func decompressBlock(o *output, block []byte) error {
	size, err := s2.DecodedLen(block)
	if err != nil {
		return err
	}
	if size > o.left {
		return errBudget
	}
	if snappyLen(block) != size {
		return errSnappy
	}
	// The capacity is cut to the block's size, so that the decoder writes in place or fails.
	out, err := s2.Decode(o.to.space(size)[:0:size], block)
	if err != nil || len(out) != size {
		return errSnappy
	}
	return o.accept(size)
}

// snappyLen adds up how many bytes the literals and copies of a raw block make. It is -1 for a block that is cut
// and for S2, an extension that our decoder also knows and other clients do not: only S2 has copies with offset 0.
func snappyLen(block []byte) (size int) {
	_, at := binary.Uvarint(block)
	for at < len(block) {
		tag := block[at]
		n := int(tag>>2) + 1
		switch tag & 3 {
		case 0:
			if extra := n - 60; extra > 0 {
				if at+extra >= len(block) {
					return -1
				}
				n = 1
				for i := extra; i > 0; i-- {
					n += int(block[at+i]) << (8 * (i - 1))
				}
				at += extra
			}
			at += n + 1
		case 1:
			if at+1 >= len(block) || tag>>5 == 0 && block[at+1] == 0 {
				return -1
			}
			n = int(tag>>2&7) + 4
			at += 2
		case 2:
			at += 3
		case 3:
			at += 5
		}
		size += n
	}
	if at != len(block) {
		return -1
	}
	return size
}
