package record

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/ottla/ottla/internal/kafka"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// SetBaseOffset moves the batch to its place in the log. The CRC does not cover it.
func (b Batch) SetBaseOffset(offset int64) {
	binary.BigEndian.PutUint64(b[atBaseOffset:], uint64(offset))
}

// SetLeaderEpoch stamps the epoch of the appending leader. The CRC does not cover it.
func (b Batch) SetLeaderEpoch(epoch int32) {
	binary.BigEndian.PutUint32(b[atLeaderEpoch:], uint32(epoch))
}

// SetMaxTimestamp sets the timestamp type and the maximum timestamp, and the CRC if anything changed.
// With LogAppendTime every record reads as having this timestamp.
func (b Batch) SetMaxTimestamp(t TimestampType, ms int64) {
	if b.Attributes().TimestampType() == t && b.MaxTimestamp() == ms {
		return
	}
	a := b.Attributes() &^ logAppendTimeFlag
	if t == LogAppendTime {
		a |= logAppendTimeFlag
	}
	binary.BigEndian.PutUint16(b[atAttributes:], uint16(a))
	binary.BigEndian.PutUint64(b[atMaxTimestamp:], uint64(ms))
	b.stampCRC()
}

// CheckCRC returns a CORRUPT_MESSAGE error unless the stored CRC is that of the bytes.
func (b Batch) CheckCRC() error {
	if len(b) < HeaderSize {
		return kafka.Errorf(kafka.CorruptMessage, "Record batch is corrupt (the size %d is smaller than the minimum allowed overhead %d)", len(b), HeaderSize)
	}
	if computed := b.computeCRC(); computed != b.CRC() {
		return kafka.Errorf(kafka.CorruptMessage, "Record is corrupt (stored crc = %d, computed crc = %d)", b.CRC(), computed)
	}
	return nil
}

func (b Batch) computeCRC() uint32 { return crc32.Checksum(b[atAttributes:], castagnoli) }

func (b Batch) stampCRC() { binary.BigEndian.PutUint32(b[atCRC:], b.computeCRC()) }
