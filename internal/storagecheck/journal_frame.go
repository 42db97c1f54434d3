package storagecheck

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/bits"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// The redo journal is two files of blocks: two blocks with the same head, then frames, each of which begins at a block and
// names its place. Numbers are big-endian; CRCs are Castagnoli's.
//
//	head:  magic, version, id, CRC of what is before it
//	frame: magic, CRC of all that follows, id, generation, sequence, oldest generation needed, position, length, entries
//	entry: kind, topic id, partition, length of the topic's name, name; if it is bytes: base offset of the segment, position
//	       in it, first offset, offset after the last, length, bytes
const (
	journalBlock     = 4096
	journalHeads     = 2 * journalBlock // where the first frame begins
	journalHeadMagic = 0x4f524a48       // ORJH
	journalHeadSize  = 28
	journalVersion   = 1
	frameMagic       = 0x4f524a46 // ORJF
	frameHeadSize    = 64
	frameChecked     = 8 // where the part begins that the CRC covers
	frameLengthAt    = 56
	maxFrameBytes    = 4 << 20
	entryHeadSize    = 23
	entryPlaceSize   = 36
	entryIsBytes     = 1
	entryIsForget    = 2
)

type journalID [16]byte

func parseJournalHead(b []byte) (id journalID, ok bool) {
	if len(b) < journalHeadSize || binary.BigEndian.Uint32(b) != journalHeadMagic || binary.BigEndian.Uint32(b[4:]) != journalVersion ||
		binary.BigEndian.Uint32(b[24:]) != crc32.Checksum(b[:24], castagnoli) {
		return id, false
	}
	return journalID(b[8:24]), true
}

// frame is a frame of the journal that is whole, or would be but for one bit.
type frame struct {
	file       int
	position   int64 // in the file
	generation uint64
	sequence   uint64
	oldest     uint64
	length     int
	entries    int
	flipped    int64 // position in the file of the byte in which a bit is flipped; None: it is as it was written
	mask       byte  // the bit
}

// end is where the next frame of the same generation begins.
func (f *frame) end() int64 {
	return f.position + (int64(f.length)+journalBlock-1)/journalBlock*journalBlock
}

// parseFrame reads what may be the head of a frame of a journal at a position; the CRC is not looked at.
func parseFrame(b []byte, id journalID, position int64) (f frame, ok bool) {
	if len(b) < frameHeadSize || binary.BigEndian.Uint32(b) != frameMagic || journalID(b[8:24]) != id || int64(binary.BigEndian.Uint64(b[48:])) != position {
		return f, false
	}
	f = frame{position: position, generation: binary.BigEndian.Uint64(b[24:]), sequence: binary.BigEndian.Uint64(b[32:]), oldest: binary.BigEndian.Uint64(b[40:]),
		length: int(binary.BigEndian.Uint32(b[56:])), entries: int(binary.BigEndian.Uint32(b[60:])), flipped: None}
	return f, f.length >= frameHeadSize && f.length <= maxFrameBytes && f.oldest <= f.generation
}

// frameError compares the CRC of a frame's bytes: what must be flipped in it to make it right, 0 if it is.
func frameError(b []byte) uint32 { return crcError(b, frameChecked-crcBytes, frameChecked) }

// looksLikeFrame reports whether a head is one, but for one bit, as far as that can be said without the CRC.
func looksLikeFrame(b []byte, id journalID, position int64) bool {
	if len(b) < frameHeadSize {
		return false
	}
	wrong := bits.OnesCount32(binary.BigEndian.Uint32(b)^frameMagic) + bits.OnesCount64(binary.BigEndian.Uint64(b[48:])^uint64(position))
	for i, x := range id {
		wrong += bits.OnesCount8(b[8+i] ^ x)
	}
	return wrong <= 1
}

// mendFrame finds the one bit of a frame at the beginning of b, which a disk or a memory flipped, and flips it back. A frame that
// was not written to its end differs in more. b is what the file has from the position on, up to maxFrameBytes.
func mendFrame(b []byte, id journalID, position int64) (frame, bool) {
	if !looksLikeFrame(b, id, position) {
		return frame{}, false
	}
	f, ok := parseFrame(b, id, position)
	if ok && f.length <= len(b) {
		if at, mask := flippedBit(b[:f.length], frameChecked-crcBytes, frameChecked); mask != 0 {
			if f, ok := mended(b, id, position, at, mask); ok {
				return f, true
			}
		}
	}
	for at := range frameHeadSize {
		if ok && (at < frameLengthAt || at >= frameLengthAt+4) {
			continue // the CRC would have told of it; but not how far it reaches
		}
		for bit := range 8 {
			if f, ok := mended(b, id, position, at, 1<<bit); ok {
				return f, true
			}
		}
	}
	return frame{}, false
}

// mended flips a bit if that makes a frame whole.
func mended(b []byte, id journalID, position int64, at int, mask byte) (frame, bool) {
	b[at] ^= mask
	f, ok := parseFrame(b, id, position)
	if ok && f.length <= len(b) && frameError(b[:f.length]) == 0 && batchesAreWhole(b[:f.length], f) {
		f.flipped, f.mask = position+int64(at), mask
		return f, true
	}
	b[at] ^= mask
	return frame{}, false
}

// batchesAreWhole reports whether the entries of a frame have what they must have: whole batches. It tells a frame that was mended
// from one of which a part happens to have the CRC.
func batchesAreWhole(b []byte, f frame) bool {
	whole := true
	err := parseEntries(b, f, func(e journalEntry) {
		for batch, err := range record.Batches(b[e.at : e.at+e.length]) {
			whole = whole && err == nil && batch.CheckCRC() == nil
		}
	})
	return err == nil && whole
}

// journalEntry is bytes of a segment, or says that what the journal had of a log so far is not to be redone.
type journalEntry struct {
	forget      bool
	topicID     kafka.UUID
	tp          kafka.TopicPartition
	base        int64 // of the segment
	position    int64 // in the segment
	first, next int64 // offsets
	length      int
	at          int // where the bytes are in the frame
}

func (e *journalEntry) segment() string { return offsetName(e.base) + logSuffix }

// parseEntries calls entry with the entries of a frame, as far as they can be read.
func parseEntries(b []byte, f frame, entry func(journalEntry)) error {
	at := frameHeadSize
	for i := range f.entries {
		e, size, ok := parseEntry(b, at)
		if !ok {
			return fmt.Errorf("entry %d of %d, at byte %d, is none", i, f.entries, at)
		}
		entry(e)
		at += size
	}
	if at != len(b) {
		return fmt.Errorf("%d entries end at byte %d of %d", f.entries, at, len(b))
	}
	return nil
}

func parseEntry(frame []byte, at int) (e journalEntry, size int, ok bool) {
	b := frame[at:]
	if len(b) < entryHeadSize {
		return e, 0, false
	}
	size = entryHeadSize + int(binary.BigEndian.Uint16(b[21:]))
	if len(b) < size {
		return e, 0, false
	}
	e.topicID = kafka.UUID(b[1:17])
	e.tp = kafka.TopicPartition{Topic: string(b[entryHeadSize:size]), Partition: int32(binary.BigEndian.Uint32(b[17:]))}
	switch b[0] {
	case entryIsForget:
		e.forget = true
		return e, size, true
	case entryIsBytes:
	default:
		return e, 0, false
	}
	if len(b) < size+entryPlaceSize {
		return e, 0, false
	}
	for i, n := range [...]*int64{&e.base, &e.position, &e.first, &e.next} {
		*n = int64(binary.BigEndian.Uint64(b[size+8*i:]))
	}
	e.length = int(binary.BigEndian.Uint32(b[size+32:]))
	size += entryPlaceSize
	e.at = at + size
	size += e.length
	return e, size, e.length >= 0 && size <= len(b) && e.base >= 0 && e.first >= e.base && e.next > e.first && e.position >= 0 && e.position <= maxSegmentBytes
}

// maxSegmentBytes is where positions in a segment end, which indexes keep in 31 bits.
const maxSegmentBytes = 1<<31 - 1
