package commitlog

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/ottla/ottla/internal/kafka"
)

// The redo journal is two files of blocks. The first two blocks of each hold the same head, which names the journal; then come
// frames, each beginning at a block, so that no block of a frame that was acknowledged is ever written again for another.
//
//	head:  magic, version, id, CRC
//	frame: magic, CRC of all that follows, id, generation, sequence, oldest, position, length, entries; then the entries
//	entry: kind, topic id, partition, length of the topic's name, name;
//	       if it is bytes: base offset of the segment, position in it, first offset, offset after the last, length, bytes
//
// Numbers are big-endian. A frame names its place, so that bytes that look like a frame are one only where a frame was written.
const (
	journalBlock  = 4096
	journalHeads  = 2 * journalBlock // where the first frame begins
	headMagic     = 0x4f524a48       // ORJH
	headSize      = 4 + 4 + 16 + 4
	headVersion   = 1
	frameMagic    = 0x4f524a46 // ORJF
	frameHeadSize = 4 + 4 + 16 + 8 + 8 + 8 + 8 + 4 + 4
	frameChecked  = 8       // where the checked part begins
	maxFrameBytes = 4 << 20 // a frame is checked and redone in memory
	entryHeadSize = 1 + 16 + 4 + 2
	entryBytes    = 1 // kinds of entries
	entryForget   = 2
	entryPlace    = 8 + 8 + 8 + 8 + 4
)

type journalID [16]byte

// frameHead is the beginning of a frame.
type frameHead struct {
	id         journalID
	generation uint64 // which filling of a file the frame belongs to; they take turns
	sequence   uint64 // one more than that of the frame written before, in whatever file
	oldest     uint64 // the oldest generation that a redo needs
	position   int64  // in the file
	length     int    // of head and entries
	entries    int
}

// journalEntry is bytes of a segment, or says that what the journal had of a log so far is not to be redone.
type journalEntry struct {
	forget  bool
	topicID kafka.UUID
	tp      kafka.TopicPartition

	base        int64 // of the segment
	position    int64 // in the segment
	first, next int64 // offsets
	length      int   // bytes
	at          int   // where the bytes are in the frame
}

func putHead(b []byte, id journalID) {
	binary.BigEndian.PutUint32(b, headMagic)
	binary.BigEndian.PutUint32(b[4:], headVersion)
	copy(b[8:], id[:])
	binary.BigEndian.PutUint32(b[24:], crc32.Checksum(b[:24], castagnoli))
}

func parseHead(b []byte) (id journalID, ok bool) {
	if len(b) < headSize || binary.BigEndian.Uint32(b) != headMagic || binary.BigEndian.Uint32(b[4:]) != headVersion ||
		binary.BigEndian.Uint32(b[24:]) != crc32.Checksum(b[:24], castagnoli) {
		return id, false
	}
	return journalID(b[8:24]), true
}

// putFrameHead completes a frame whose entries follow the room for its head.
func putFrameHead(b []byte, h frameHead) {
	binary.BigEndian.PutUint32(b, frameMagic)
	copy(b[8:], h.id[:])
	binary.BigEndian.PutUint64(b[24:], h.generation)
	binary.BigEndian.PutUint64(b[32:], h.sequence)
	binary.BigEndian.PutUint64(b[40:], h.oldest)
	binary.BigEndian.PutUint64(b[48:], uint64(h.position))
	binary.BigEndian.PutUint32(b[56:], uint32(h.length))
	binary.BigEndian.PutUint32(b[60:], uint32(h.entries))
	binary.BigEndian.PutUint32(b[4:], crc32.Checksum(b[frameChecked:h.length], castagnoli))
}

// parseFrameHead reads what may be the head of a frame of the journal at position. The CRC is not looked at.
func parseFrameHead(b []byte, id journalID, position int64) (h frameHead, ok bool) {
	if len(b) < frameHeadSize || binary.BigEndian.Uint32(b) != frameMagic || journalID(b[8:24]) != id {
		return h, false
	}
	h = frameHead{
		id:         id,
		generation: binary.BigEndian.Uint64(b[24:]), sequence: binary.BigEndian.Uint64(b[32:]), oldest: binary.BigEndian.Uint64(b[40:]),
		position: int64(binary.BigEndian.Uint64(b[48:])), length: int(binary.BigEndian.Uint32(b[56:])), entries: int(binary.BigEndian.Uint32(b[60:])),
	}
	return h, h.position == position && h.length >= frameHeadSize && h.length <= maxFrameBytes && h.oldest <= h.generation
}

// frameIsWhole checks the CRC of a frame's bytes.
func frameIsWhole(b []byte) bool {
	return binary.BigEndian.Uint32(b[4:]) == crc32.Checksum(b[frameChecked:], castagnoli)
}

// entrySize is how many bytes appendEntry adds, and the entry's own bytes.
func entrySize(e *journalEntry) int {
	n := entryHeadSize + len(e.tp.Topic)
	if !e.forget {
		n += entryPlace + e.length
	}
	return n
}

// appendEntry adds an entry but for its bytes, which follow.
func appendEntry(b []byte, e *journalEntry) []byte {
	kind := byte(entryBytes)
	if e.forget {
		kind = entryForget
	}
	b = append(append(b, kind), e.topicID[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(e.tp.Partition))
	b = binary.BigEndian.AppendUint16(b, uint16(len(e.tp.Topic)))
	b = append(b, e.tp.Topic...)
	if e.forget {
		return b
	}
	for _, n := range [...]int64{e.base, e.position, e.first, e.next} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return binary.BigEndian.AppendUint32(b, uint32(e.length))
}

// parseEntries calls entry with each entry of a whole frame. An error means that the frame was written wrongly: its CRC is right.
func parseEntries(frame []byte, h frameHead, entry func(journalEntry)) error {
	at := frameHeadSize
	for i := range h.entries {
		e, n, ok := parseEntry(frame, at)
		if !ok {
			return fmt.Errorf("entry %d of %d, at byte %d of the frame, is none", i, h.entries, at)
		}
		entry(e)
		at += n
	}
	if at != len(frame) {
		return fmt.Errorf("%d entries end at byte %d of a frame of %d", h.entries, at, len(frame))
	}
	return nil
}

// parseEntry reads the entry at a byte of a frame and returns its size.
func parseEntry(frame []byte, at int) (e journalEntry, size int, ok bool) {
	b := frame[at:]
	if len(b) < entryHeadSize || b[0] != entryBytes && b[0] != entryForget {
		return e, 0, false
	}
	e.forget = b[0] == entryForget
	e.topicID = kafka.UUID(b[1:17])
	e.tp.Partition = int32(binary.BigEndian.Uint32(b[17:]))
	size = entryHeadSize + int(binary.BigEndian.Uint16(b[21:]))
	if len(b) < size {
		return e, 0, false
	}
	e.tp.Topic = string(b[entryHeadSize:size])
	if e.forget {
		return e, size, true
	}
	if len(b) < size+entryPlace {
		return e, 0, false
	}
	for i, n := range [...]*int64{&e.base, &e.position, &e.first, &e.next} {
		*n = int64(binary.BigEndian.Uint64(b[size+8*i:]))
	}
	e.length = int(binary.BigEndian.Uint32(b[size+32:]))
	size += entryPlace
	e.at = at + size
	size += e.length
	good := size <= len(b) && e.base >= 0 && e.first >= e.base && e.next > e.first && e.position >= 0 && e.position <= maxSegmentBytes
	return e, size, good
}

// blocks rounds up to whole blocks.
func blocks(n int64) int64 { return (n + journalBlock - 1) / journalBlock * journalBlock }
