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

func decompressSnappy(dst, src []byte, maxBytes int) ([]byte, error) {
	if len(src) < len(xerialHeader) || string(src[:len(xerialMagic)]) != xerialMagic {
		return decompressBlock(dst, src, maxBytes)
	}
	start := len(dst)
	for len(src) > 0 {
		if len(src) >= len(xerialHeader) && string(src[:len(xerialMagic)]) == xerialMagic {
			src = src[len(xerialHeader):]
			continue
		}
		if len(src) < 4 {
			return dst[:start], errSnappy
		}
		size := binary.BigEndian.Uint32(src)
		if src = src[4:]; uint64(size) > uint64(len(src)) {
			return dst[:start], errSnappy
		}
		var err error
		if dst, err = decompressBlock(dst, src[:size], maxBytes-(len(dst)-start)); err != nil {
			return dst[:start], err
		}
		src = src[size:]
	}
	return dst, nil
}

// decompressBlock appends one raw block. The length that it declares is believed only as far as the
// best possible ratio goes: a copy of three bytes makes at most 64.
func decompressBlock(dst, block []byte, maxBytes int) ([]byte, error) {
	size, err := s2.DecodedLen(block)
	if err != nil {
		return dst, err
	}
	if size > maxBytes {
		return dst, errBudget
	}
	if size > 64*len(block) || !isSnappy(block) {
		return dst, errSnappy
	}
	start := len(dst)
	if cap(dst)-start < size {
		next := make([]byte, start, max(start+size, min(2*cap(dst), start+maxBytes)))
		copy(next, dst)
		dst = next
	}
	// The capacity is cut to the block's size, so that the decoder writes in place or fails.
	out, err := s2.Decode(dst[start:start:start+size], block)
	if err != nil || len(out) != size {
		return dst, errSnappy
	}
	return dst[:start+size], nil
}

// isSnappy tells snappy from S2, an extension that our decoder also knows and other clients do not:
// only S2 has copies with offset 0.
func isSnappy(block []byte) bool {
	_, at := binary.Uvarint(block)
	for at < len(block) {
		tag := block[at]
		switch tag & 3 {
		case 0:
			n := int(tag >> 2)
			if extra := n - 59; extra > 0 {
				if at+extra >= len(block) {
					return false
				}
				n = 0
				for i := extra; i > 0; i-- {
					n = n<<8 | int(block[at+i])
				}
				at += extra
			}
			at += n + 2
		case 1:
			if at+1 >= len(block) || tag>>5 == 0 && block[at+1] == 0 {
				return false
			}
			at += 2
		case 2:
			at += 3
		case 3:
			at += 5
		}
	}
	return at == len(block)
}
