package storagecheck

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math/bits"

	"github.com/ottla/ottla/internal/record"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const (
	crcBytes = 4
	// batchCRCAt and batchChecked are where a batch has its CRC, and where that begins to count.
	batchCRCAt   = 17
	batchChecked = 21
)

// crcError compares a CRC-32C at a position with the bytes from another on: what must be flipped in it to make it right.
func crcError(b []byte, crcAt, checked int) uint32 {
	return binary.BigEndian.Uint32(b[crcAt:]) ^ crc32.Checksum(b[checked:], castagnoli)
}

// flippedBit returns the only bit of which the CRC at a position, of the bytes from another on, says that it is wrong; mask is 0 if
// it is not one bit that is wrong, or none. A CRC is linear: which bit it is, is seen from the difference alone. Of bytes that have
// nothing to do with their CRC, n of them, it takes n/2^29 for such.
func flippedBit(b []byte, crcAt, checked int) (at int, mask byte) {
	wrong := crcError(b, crcAt, checked)
	if wrong == 0 {
		return 0, 0
	}
	if bits.OnesCount32(wrong) == 1 { // in the CRC itself
		n := bits.TrailingZeros32(wrong)
		return crcAt + crcBytes - 1 - n/8, 1 << (n % 8)
	}
	s := uint32(crc32.Castagnoli) // what the last bit makes of a CRC; what those before make of it is shifted once more each
	for i := len(b)*8 - 1; i >= checked*8; i-- {
		if s == wrong {
			return i / 8, 1 << (i % 8)
		}
		s = s>>1 ^ crc32.Castagnoli&-(s&1)
	}
	return 0, 0
}

// oneBitOff reports whether the bytes at a position would be a whole batch but for one bit.
func (r *reader) oneBitOff(position int64, in bounds) bool {
	if r.size-position < record.HeaderSize {
		return false
	}
	raw, err := r.bytes(position, record.HeaderSize)
	if err != nil {
		return false
	}
	head := record.Batch(bytes.Clone(raw))
	for at := range batchCRCAt { // the CRC says nothing of these
		for bit := range 8 {
			head[at] ^= 1 << bit
			b, fits := r.bytesOf(head, position, in)
			if fits && crcError(b, batchCRCAt, batchChecked) == 0 {
				return true
			}
			head[at] ^= 1 << bit
		}
	}
	b, fits := r.bytesOf(head, position, in)
	if !fits {
		return false
	}
	_, mask := flippedBit(b, batchCRCAt, batchChecked)
	return mask != 0
}

// bytesOf returns the bytes of the batch at a position if it can have that head.
func (r *reader) bytesOf(head record.Batch, position int64, in bounds) ([]byte, bool) {
	size := int64(head.Length())
	if head.Magic() != record.Magic || size < record.HeaderSize || size > min(r.size-position, maxMendedBatch) || head.BaseOffset() < in.least || head.BaseOffset() >= in.limit {
		return nil, false
	}
	b, err := r.bytes(position, int(size))
	return b, err == nil
}

// maxMendedBatch bounds the search for a flipped bit.
const maxMendedBatch = 16 << 20
