package record

import (
	"encoding/binary"
	"hash/crc32"
	"iter"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
)

// Legacy is a view over one entry of the message formats v0 and v1, which brokers before Kafka 0.11 wrote and which may still lie in
// old segments: a record, or a wrapper whose value is a compressed run of records. Nothing here writes it.
//
//	 0        8      12    16      17     18           (26)
//	+--------+------+-----+-------+------+------------+-----+-----+--------+-------+
//	| offset | size | crc | magic | attr | timestamp  | key | key | value  | value |
//	|        |      |     | 0, 1  |      | (v1 only)  | size|     |  size  |       |
//	+--------+------+-----+-------+------+------------+-----+-----+--------+-------+
//
// attr has the codec in bits 0-2 and, in v1, the timestamp type in bit 3. The CRC-32 (IEEE) covers everything from the magic on. The
// offset of a wrapper is that of its last record; in v1 the records inside count from 0.
type Legacy []byte

const (
	// MinLegacySize is the size of the smallest entry after offset and size.
	MinLegacySize = 14
	legacyCRC     = LogOverhead
	legacyMagic   = legacyCRC + 4
	legacyAttr    = legacyMagic + 1
	legacyTime    = legacyAttr + 1
)

// Offset is that of the record, or of the last one in a wrapper.
func (l Legacy) Offset() int64 { return int64(binary.BigEndian.Uint64(l)) }

// Magic is the number of the message format.
func (l Legacy) Magic() int8 { return int8(l[legacyMagic]) }

// Codec returns the number of the codec, which Codec.Known may not know.
func (l Legacy) Codec() Codec { return Codec(l[legacyAttr] & 7) }

// CRC is the stored CRC-32.
func (l Legacy) CRC() uint32 { return binary.BigEndian.Uint32(l[legacyCRC:]) }

// Valid reports whether the stored CRC is that of the bytes.
func (l Legacy) Valid() bool { return l.CRC() == crc32.ChecksumIEEE(l[legacyMagic:]) }

// TimestampType says what the timestamp means; ok is false in format v0, which has none.
func (l Legacy) TimestampType() (t TimestampType, ok bool) {
	if l[legacyAttr]&8 != 0 && l.Magic() != 0 {
		return LogAppendTime, true
	}
	return CreateTime, l.Magic() != 0
}

// Timestamp is in milliseconds, NoTimestamp in format v0. A wrapper has the largest of its records.
func (l Legacy) Timestamp() int64 {
	if l.Magic() == 0 || len(l) < legacyTime+8 {
		return NoTimestamp
	}
	return int64(binary.BigEndian.Uint64(l[legacyTime:]))
}

// keyValue returns key and value, nil for null. ok is false if the bytes are not there.
func (l Legacy) keyValue() (key, value []byte, ok bool) {
	rest := l[legacyTime:]
	if l.Magic() != 0 {
		rest = rest[min(8, len(rest)):]
	}
	field := func() []byte {
		if ok = len(rest) >= 4; !ok {
			return nil
		}
		size := int(int32(binary.BigEndian.Uint32(rest)))
		rest = rest[4:]
		if ok = size <= len(rest); !ok || size < 0 {
			return nil
		}
		taken := rest[:size:size]
		rest = rest[size:]
		return taken
	}
	if key = field(); ok {
		value = field()
	}
	return key, value, ok
}

// A LegacyRecord is a record of format v0 or v1. Key and Value are nil for null.
type LegacyRecord struct {
	Offset, Timestamp int64
	Key, Value        []byte
	CRC               uint32
	Valid             bool // whether its own CRC is right
}

// FirstLegacy splits the first entry off b. It returns ErrIncomplete for too few bytes, CORRUPT_MESSAGE for a size that no entry has.
func FirstLegacy(b []byte) (l Legacy, rest []byte, err error) {
	if len(b) < LogOverhead {
		return nil, b, ErrIncomplete
	}
	size := int(int32(binary.BigEndian.Uint32(b[8:])))
	if size < MinLegacySize {
		return nil, b, kafka.Errorf(kafka.CorruptMessage, "Record size is less than the minimum record overhead (%d)", MinLegacySize)
	}
	if size > len(b)-LogOverhead {
		return nil, b, ErrIncomplete
	}
	end := LogOverhead + size
	return Legacy(b[:end:end]), b[end:], nil
}

// Records walks over the records of the entry: itself, or those of a wrapper, with their places in the log. Decompression takes at
// most maxBytes (0: DefaultMaxDecompressedBytes). Errors are INVALID_RECORD and CORRUPT_MESSAGE; after one it stops.
func (l Legacy) Records(maxBytes int) iter.Seq2[LegacyRecord, error] {
	return func(yield func(LegacyRecord, error) bool) {
		if l.Codec() == None {
			yield(l.record(l.Offset(), l.Timestamp()))
			return
		}
		inner, base, err := l.unwrap(maxBytes)
		if err != nil {
			yield(LegacyRecord{}, err)
			return
		}
		for _, entry := range inner {
			if entry.Codec() != None {
				yield(LegacyRecord{}, kafka.Errorf(kafka.InvalidRecord, "Inner messages must not be compressed"))
				return
			}
			timestamp := entry.Timestamp()
			if t, ok := l.TimestampType(); ok && t == LogAppendTime && entry.Magic() == 1 {
				timestamp = l.Timestamp()
			}
			if r, err := entry.record(base+entry.Offset(), timestamp); !yield(r, err) || err != nil {
				return
			}
		}
	}
}

func (l Legacy) record(offset, timestamp int64) (LegacyRecord, error) {
	key, value, ok := l.keyValue()
	if !ok {
		return LegacyRecord{}, kafka.Errorf(kafka.InvalidRecord, "Key or value of the record at offset %d is longer than the %d bytes of the record", offset, len(l))
	}
	return LegacyRecord{offset, timestamp, key, value, l.CRC(), l.Valid()}, nil
}

// unwrap returns the entries inside of a wrapper, and what their offsets count from.
func (l Legacy) unwrap(maxBytes int) (inner []Legacy, base int64, err error) {
	_, value, ok := l.keyValue()
	switch {
	case l.Magic() != 0 && l.Magic() != 1:
		return nil, 0, kafka.Errorf(kafka.InvalidRecord, "Invalid wrapper magic found in legacy deep record iterator %d", l.Magic())
	case l.Codec() == Zstd:
		return nil, 0, kafka.Errorf(kafka.InvalidRecord, "Invalid wrapper compressionType found in legacy deep record iterator %d", l.Magic())
	case !ok || value == nil:
		return nil, 0, kafka.Errorf(kafka.InvalidRecord, "Found invalid compressed record set with null value (magic = %d)", l.Magic())
	}
	if maxBytes <= 0 {
		maxBytes = DefaultMaxDecompressedBytes
	}
	if l.Codec() == LZ4 && l.Magic() == 0 {
		value = withLZ4Checksum(value)
	}
	data, err := Decompress(nil, l.Codec(), value, maxBytes)
	for err == nil {
		var entry Legacy
		if entry, data, err = FirstLegacy(data); err == nil {
			inner = append(inner, entry)
		}
	}
	switch {
	case err != ErrIncomplete: // a cut at the end is passed over, as Kafka does
		return nil, 0, err
	case len(inner) == 0:
		return nil, 0, kafka.Errorf(kafka.InvalidRecord, "Found invalid compressed record set with no inner records")
	case l.Magic() == 0 || l.Offset() == 0: // some clients left the wrapper's offset at 0
		return inner, 0, nil
	}
	last := inner[len(inner)-1].Offset()
	if l.Offset() < last {
		return nil, 0, kafka.Errorf(kafka.InvalidRecord, "Found invalid wrapper offset in compressed v1 message set, wrapper offset '%d' is less than "+
			"the last inner message offset '%d' and it is not zero.", l.Offset(), last)
	}
	return inner, l.Offset() - last, nil
}

// withLZ4Checksum returns a frame with the right checksum of its descriptor: in format v0 the Java client got that wrong, and so
// nobody looks at it (KAFKA-3160).
func withLZ4Checksum(frame []byte) []byte {
	if len(frame) < len(lz4Header) {
		return frame
	}
	end := 6
	if frame[4]&lz4ContentSize != 0 {
		end += 8
	}
	if len(frame) <= end {
		return frame
	}
	frame = slices.Clone(frame)
	frame[end] = byte(xxh32(frame[4:end]) >> 8)
	return frame
}
