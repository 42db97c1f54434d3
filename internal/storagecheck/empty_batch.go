package storagecheck

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/ottla/ottla/internal/record"
)

// emptyBatch stands for records that are lost, as compaction leaves it for those that it took: it has offsets, and no
// records. All that is not set is 0, or -1 for none.
func emptyBatch(e edit) record.Batch {
	const (
		lengthAt, magicAt, crcAt, attributesAt, lastDeltaAt = 8, magicPosition, 17, 21, 23
		timestampsAt, countAt                               = 27, 57
	)
	b := make(record.Batch, record.HeaderSize)
	put := binary.BigEndian
	put.PutUint32(b[lengthAt:], record.HeaderSize-record.LogOverhead)
	b[magicAt] = record.Magic
	put.PutUint32(b[lastDeltaAt:], uint32(e.next-e.first-1))
	for i := timestampsAt; i < countAt; i++ { // base and maximum timestamp, producer id, epoch, sequence
		b[i] = 0xff
	}
	put.PutUint32(b[crcAt:], crc32.Checksum(b[attributesAt:], crc32.MakeTable(crc32.Castagnoli)))
	b.SetBaseOffset(e.first)
	b.SetLeaderEpoch(e.epoch)
	return b
}
