package commitlog

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/bits"

	"github.com/ottla/ottla/internal/record"
)

// A frame of the journal in which one bit is wrong was written to its end, and may have been acknowledged: so it is no torn tail,
// which differs in more. Which bit it is, its CRC tells, and it is flipped back.

// frameLengthAt is where a frame's head says its length.
const frameLengthAt = 56

// mendFrame is for bytes that have the head of a frame, all but one bit of it, but are none. b is what the file has from the
// position on, up to maxFrameBytes; place is the byte of it that was mended.
func mendFrame(b []byte, id journalID, position int64) (h frameHead, place int, ok bool) {
	if len(b) < frameHeadSize || !nearlyFrame(b, id, position) {
		return h, 0, false
	}
	h, known := parseFrameHead(b, id, position)
	if known && h.length <= len(b) {
		if at, mask := wrongBit(b[:h.length]); mask != 0 {
			if h, ok := tryMend(b, id, position, at, mask); ok {
				return h, at, true
			}
		}
	}
	for at := range frameHeadSize {
		if known && (at < frameLengthAt || at >= frameLengthAt+4) {
			continue // what the CRC covers is known then, and it would have told
		}
		for bit := range 8 {
			if h, ok := tryMend(b, id, position, at, 1<<bit); ok {
				return h, at, true
			}
		}
	}
	return h, 0, false
}

// nearlyFrame reports whether at most one bit is wrong in what is known of a head before it is read.
func nearlyFrame(b []byte, id journalID, position int64) bool {
	wrong := bits.OnesCount32(binary.BigEndian.Uint32(b)^frameMagic) + bits.OnesCount64(binary.BigEndian.Uint64(b[48:])^uint64(position))
	for i, x := range id {
		wrong += bits.OnesCount8(b[8+i] ^ x)
	}
	return wrong <= 1
}

// tryMend flips a bit if that makes a frame whole, with whole batches: the CRC alone fits a part of a large frame by chance too often.
func tryMend(b []byte, id journalID, position int64, at int, mask byte) (frameHead, bool) {
	b[at] ^= mask
	h, ok := parseFrameHead(b, id, position)
	if ok && h.length <= len(b) && frameIsWhole(b[:h.length]) && hasWholeBatches(b[:h.length], h) {
		return h, true
	}
	b[at] ^= mask
	return h, false
}

func hasWholeBatches(frame []byte, h frameHead) bool {
	whole := true
	err := parseEntries(frame, h, func(e journalEntry) {
		for b, err := range record.Batches(frame[e.at : e.at+e.length]) {
			whole = whole && err == nil && b.CheckCRC() == nil
		}
	})
	return err == nil && whole
}

// wrongBit finds the only wrong bit of a frame, mask 0 if it is not one. CRCs are linear: the difference between the stored and
// the right one depends on the place of the bit alone.
func wrongBit(b []byte) (at int, mask byte) {
	difference := binary.BigEndian.Uint32(b[4:]) ^ crc32.Checksum(b[frameChecked:], castagnoli)
	if bits.OnesCount32(difference) == 1 { // in the CRC itself
		n := bits.TrailingZeros32(difference)
		return frameChecked - 1 - n/8, 1 << (n % 8)
	}
	of := uint32(crc32.Castagnoli) // the difference that the last bit makes
	for i := 8*len(b) - 1; i >= 8*frameChecked; i-- {
		if of == difference {
			return i / 8, 1 << (i % 8)
		}
		of = of>>1 ^ crc32.Castagnoli&-(of&1) // what the bit before makes
	}
	return 0, 0
}

// mend looks for a frame with one wrong bit where a whole one is not. The disk keeps the wrong bit.
func (s *journalScan) mend(i int, at int64) (journalFrame, bool, error) {
	b, err := s.read(i, at, frameHeadSize)
	if err != nil || len(b) < frameHeadSize || !nearlyFrame(b, s.id, at) {
		return journalFrame{}, false, err
	}
	if b, err = s.read(i, at, maxFrameBytes); err != nil {
		return journalFrame{}, false, err
	}
	h, place, ok := mendFrame(b, s.id, at)
	if ok {
		s.damaged(i, at+int64(place), fmt.Sprintf("a bit is flipped in frame %d, which is redone with the bit put right", h.sequence))
	}
	return journalFrame{h, i, ok}, ok, nil
}
