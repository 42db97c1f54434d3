package record

import "encoding/binary"

// Sizes of the parts of a batch, in bytes.
const (
	// LogOverhead is what the length field does not count: the base offset and the length itself.
	LogOverhead = 12
	// HeaderSize is the size of a batch without records.
	HeaderSize = 61
	// sizeUpToMagic is what must be there before the format of a batch can be told.
	sizeUpToMagic = 17
	// minLength is the smallest length that any message format had (magic 0: crc, magic, attributes,
	// two lengths). Kafka calls anything below it corrupt before it looks at the magic.
	minLength = 14
)

// Magic is the only message format that Kafka 4 writes.
const Magic = 2

// Values that stand for "none" in a batch.
const (
	NoTimestamp     int64 = -1
	NoProducerID    int64 = -1
	NoProducerEpoch int16 = -1
	NoSequence      int32 = -1
	NoLeaderEpoch   int32 = -1
)

// Positions of the fields.
const (
	atBaseOffset      = 0
	atLength          = 8
	atLeaderEpoch     = 12
	atMagic           = 16
	atCRC             = 17
	atAttributes      = 21
	atLastOffsetDelta = 23
	atBaseTimestamp   = 27
	atMaxTimestamp    = 35
	atProducerID      = 43
	atProducerEpoch   = 51
	atBaseSequence    = 53
	atCount           = 57
)

// Attributes are the flags of a batch.
type Attributes int16

const (
	codecMask         Attributes = 0x07
	logAppendTimeFlag Attributes = 0x08
	transactionalFlag Attributes = 0x10
	controlFlag       Attributes = 0x20
	deleteHorizonFlag Attributes = 0x40
)

// Codec returns the number of the codec, which Codec.Known may not know.
func (a Attributes) Codec() Codec { return Codec(a & codecMask) }

// TimestampType says what the timestamps of the batch mean.
func (a Attributes) TimestampType() TimestampType {
	if a&logAppendTimeFlag != 0 {
		return LogAppendTime
	}
	return CreateTime
}

// Transactional reports whether the batch belongs to a transaction; markers do too.
func (a Attributes) Transactional() bool { return a&transactionalFlag != 0 }

// Control reports whether the records are the broker's own.
func (a Attributes) Control() bool { return a&controlFlag != 0 }

// HasDeleteHorizon reports whether the base timestamp is a delete horizon.
func (a Attributes) HasDeleteHorizon() bool { return a&deleteHorizonFlag != 0 }

// TimestampType is message.timestamp.type.
type TimestampType int8

// CreateTime keeps the producer's timestamps; LogAppendTime overwrites them with the broker's clock.
const (
	CreateTime TimestampType = iota
	LogAppendTime
)

func (t TimestampType) String() string {
	if t == LogAppendTime {
		return "LogAppendTime"
	}
	return "CreateTime"
}

// Batch is a view over the bytes of one batch of format 2. Accessors of header fields need only the
// first HeaderSize bytes, so Batch(header) is a fair view of a header that was read alone. Take batches
// from Batches, First, Validate or Builder: these made sure that the bytes are there.
type Batch []byte

// BaseOffset is the offset of the first record, or of the first that was there before compaction.
func (b Batch) BaseOffset() int64 { return i64(b, atBaseOffset) }

// Length is the size of the whole batch in bytes, by its length field plus LogOverhead.
func (b Batch) Length() int { return LogOverhead + int(i32(b, atLength)) }

// LeaderEpoch is the epoch of the leader that appended the batch.
func (b Batch) LeaderEpoch() int32 { return i32(b, atLeaderEpoch) }

// Magic is the number of the message format.
func (b Batch) Magic() int8 { return int8(b[atMagic]) }

// CRC is the stored CRC-32C.
func (b Batch) CRC() uint32 { return binary.BigEndian.Uint32(b[atCRC:]) }

// Attributes are codec, timestamp type and flags.
func (b Batch) Attributes() Attributes { return Attributes(binary.BigEndian.Uint16(b[atAttributes:])) }

// LastOffsetDelta is LastOffset - BaseOffset. Compaction keeps it when it takes records out.
func (b Batch) LastOffsetDelta() int32 { return i32(b, atLastOffsetDelta) }

// LastOffset is the offset of the last record.
func (b Batch) LastOffset() int64 { return b.BaseOffset() + int64(b.LastOffsetDelta()) }

// FirstTimestamp is the base timestamp: records count from it. It is the first record's timestamp,
// or the delete horizon (DeleteHorizon).
func (b Batch) FirstTimestamp() int64 { return i64(b, atBaseTimestamp) }

// MaxTimestamp is the largest timestamp of the records, or the time of the append (LogAppendTime).
func (b Batch) MaxTimestamp() int64 { return i64(b, atMaxTimestamp) }

// DeleteHorizon is the time from which compaction may take out the tombstones and markers of this
// batch (KIP-534), in milliseconds.
func (b Batch) DeleteHorizon() (ms int64, ok bool) {
	if !b.Attributes().HasDeleteHorizon() {
		return 0, false
	}
	return b.FirstTimestamp(), true
}

// ProducerID is the idempotent producer's id or NoProducerID.
func (b Batch) ProducerID() int64 { return i64(b, atProducerID) }

// HasProducerID reports whether an idempotent producer, or the coordinator in its name, wrote this.
func (b Batch) HasProducerID() bool { return b.ProducerID() > NoProducerID }

// ProducerEpoch is the epoch of the producer or NoProducerEpoch.
func (b Batch) ProducerEpoch() int16 { return int16(binary.BigEndian.Uint16(b[atProducerEpoch:])) }

// BaseSequence is the sequence number of the first record or NoSequence.
func (b Batch) BaseSequence() int32 { return i32(b, atBaseSequence) }

// LastSequence is the sequence number of the last record or NoSequence. After 2147483647 comes 0.
func (b Batch) LastSequence() int32 {
	if b.BaseSequence() == NoSequence {
		return NoSequence
	}
	return AddSequence(b.BaseSequence(), b.LastOffsetDelta())
}

// Count is the number of records that the header claims.
func (b Batch) Count() int32 { return i32(b, atCount) }

// payload is what follows the header: records, compressed or not.
func (b Batch) payload() []byte { return b[HeaderSize:] }

// AddSequence returns the sequence number n steps after s; after 2147483647 comes 0.
func AddSequence(s, n int32) int32 {
	const last = 1<<31 - 1
	if s > last-n {
		return n - (last - s) - 1
	}
	return s + n
}

// SubtractSequence returns the sequence number n steps before s; before 0 comes 2147483647.
func SubtractSequence(s, n int32) int32 {
	const last = 1<<31 - 1
	if s < n {
		return last - (n - s) + 1
	}
	return s - n
}

func i32(b []byte, at int) int32 { return int32(binary.BigEndian.Uint32(b[at:])) }
func i64(b []byte, at int) int64 { return int64(binary.BigEndian.Uint64(b[at:])) }
