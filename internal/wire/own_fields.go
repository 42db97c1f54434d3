package wire

import "encoding/binary"

// Ottla's own fields travel in tag sections, under numbers that Kafka is far from. Who does not know them passes over them.

// durableOffsetTag is the tag of DurableOffset in the partitions of Fetch 12 and later: eight bytes, big endian.
const durableOffsetTag uint32 = 20000

// DurableOffset is up to where the follower that fetches has the partition's log on stable storage (in its page cache, for a
// topic with write.caching=true); -1 if it does not say.
func (m *FetchRequestFetchPartition) DurableOffset() int64 {
	for _, t := range m.UnknownTags {
		if t.Tag == durableOffsetTag && len(t.Data) == 8 {
			return max(-1, int64(binary.BigEndian.Uint64(t.Data)))
		}
	}
	return -1
}

// SetDurableOffset sets what DurableOffset returns. buffer is what it keeps the field in, and must not change before the
// request is encoded.
func (m *FetchRequestFetchPartition) SetDurableOffset(offset int64, buffer *[8]byte) {
	binary.BigEndian.PutUint64(buffer[:], uint64(offset))
	m.UnknownTags = append(m.UnknownTags[:0], Tag{durableOffsetTag, buffer[:]})
}
