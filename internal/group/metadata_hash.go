package group

import (
	"encoding/binary"
	"slices"
	"unicode/utf16"

	"github.com/zeebo/xxh3"

	"github.com/ottla/ottla/internal/metadata"
)

// topicHashes are the hashes of the topics that a group is subscribed to, by name, as long as the topics stay what they are.
type topicHashes map[string]topicHash

type topicHash struct {
	of   *metadata.Topic
	hash uint64
}

// sum is the hash of the topics of these names, which are in order: it changes when one of them comes, goes or gets other
// partitions, and it is in the group's record. Topics that do not exist are left out; without any it is 0
// (org.apache.kafka.coordinator.group.Utils.computeGroupHash).
func (h topicHashes) sum(im *metadata.Image, names []string) int64 {
	var sums []byte
	for _, name := range names {
		topic := im.Topic(name)
		if topic == nil {
			delete(h, name)
			continue
		}
		known := h[name]
		if known.of != topic {
			known = topicHash{topic, hashTopic(im, topic)}
			h[name] = known
		}
		sums = binary.LittleEndian.AppendUint64(sums, known.hash)
	}
	if len(h) > 2*len(names) { // subscriptions change: forget what is not asked for any more
		clear(h)
	}
	if len(sums) == 0 {
		return 0
	}
	return int64(xxh3.Hash(sums))
}

// hashTopic is Utils.computeTopicHash: id, name, and for each partition the racks of its replicas.
func hashTopic(im *metadata.Image, topic *metadata.Topic) uint64 {
	b := []byte{0} // the version of the form
	b = binary.LittleEndian.AppendUint64(b, binary.BigEndian.Uint64(topic.ID[:8]))
	b = binary.LittleEndian.AppendUint64(b, binary.BigEndian.Uint64(topic.ID[8:]))
	b, _ = appendText(b, topic.Name)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(topic.Partitions)))
	for id, p := range topic.Partitions {
		b = binary.LittleEndian.AppendUint32(b, uint32(id))
		for _, rack := range racksOf(im, p) {
			text, units := appendText(nil, rack)
			b = binary.LittleEndian.AppendUint32(b, uint32(units))
			b = append(b, text...)
		}
	}
	return xxh3.Hash(b)
}

// racksOf lists the racks of a partition's replicas, in order.
func racksOf(im *metadata.Image, p *metadata.Partition) []string {
	var racks []string
	for _, id := range p.Replicas {
		if b := im.Broker(id); b != nil && b.Rack != nil {
			racks = append(racks, *b.Rack)
		}
	}
	slices.Sort(racks)
	return racks
}

// appendText appends a text as hash4j's putString does: UTF-16 units, then their number, which is also returned.
func appendText(b []byte, text string) ([]byte, int) {
	units := utf16.Encode([]rune(text))
	for _, u := range units {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return binary.LittleEndian.AppendUint32(b, uint32(len(units))), len(units)
}
