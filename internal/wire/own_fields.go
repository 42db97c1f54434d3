package wire

import (
	"encoding/binary"

	"github.com/ottla/ottla/internal/kafka"
)

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

// shortLogDirsTag is the tag of ShortLogDirs in BrokerHeartbeat: directory ids, sixteen bytes each.
const shortLogDirsTag uint32 = 20001

// ShortLogDirs are the log directories that take no records of clients for lack of room (log.dir.reserve.bytes).
func (m *BrokerHeartbeatRequest) ShortLogDirs() (dirs []kafka.UUID) {
	for _, t := range m.UnknownTags {
		if t.Tag != shortLogDirsTag || len(t.Data)%len(kafka.UUID{}) != 0 {
			continue
		}
		for data := t.Data; len(data) > 0; data = data[len(kafka.UUID{}):] {
			dirs = append(dirs, kafka.UUID(data[:len(kafka.UUID{})]))
		}
	}
	return dirs
}

// SetShortLogDirs sets what ShortLogDirs returns.
func (m *BrokerHeartbeatRequest) SetShortLogDirs(dirs []kafka.UUID) {
	m.UnknownTags = m.UnknownTags[:0]
	if len(dirs) == 0 {
		return
	}
	var data []byte
	for _, id := range dirs {
		data = append(data, id[:]...)
	}
	m.UnknownTags = append(m.UnknownTags, Tag{shortLogDirsTag, data})
}
