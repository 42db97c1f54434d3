package group

import (
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// TestMetadataHash: what hash4j, the library that Kafka uses, makes of the same topics. A group from a Kafka data directory
// would otherwise begin with a rebalance, and the other way round.
func TestMetadataHash(t *testing.T) {
	b := newBench(t)
	first := kafka.UUID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	rackA, rackB := "a", "bö"
	b.change(
		&wire.RegisterBrokerRecord{BrokerID: 1, BrokerEpoch: 1, Rack: &rackB},
		&wire.RegisterBrokerRecord{BrokerID: 2, BrokerEpoch: 2, Rack: &rackA},
		&wire.RegisterBrokerRecord{BrokerID: 3, BrokerEpoch: 3},
		&wire.TopicRecord{Name: "tö😀", TopicID: first},
		&wire.PartitionRecord{TopicID: first, PartitionID: 0, Replicas: []int32{1, 2, 3}, Isr: []int32{1}, Leader: 1},
		&wire.PartitionRecord{TopicID: first, PartitionID: 1, Replicas: []int32{3}, Isr: []int32{3}, Leader: 3},
		&wire.TopicRecord{Name: "u", TopicID: kafka.UUID{15: 1}},
		&wire.PartitionRecord{TopicID: kafka.UUID{15: 1}, PartitionID: 0, Replicas: []int32{3}, Isr: []int32{3}, Leader: 3},
	)
	for name, want := range map[string]uint64{"tö😀": 2186438212962777806, "u": 2669664242377984801} {
		if got := hashTopic(b.image, b.image.Topic(name)); got != want {
			t.Errorf("hash of %s: %d, want %d", name, got, want)
		}
	}
	hashes := topicHashes{}
	for range 2 { // the second time from what is kept
		if got := hashes.sum(b.image, []string{"no such topic", "tö😀", "u"}); got != -1157736879569740603 {
			t.Errorf("hash of both: %d", got)
		}
	}
	b.change(&wire.PartitionRecord{TopicID: kafka.UUID{15: 1}, PartitionID: 1, Replicas: []int32{3}, Isr: []int32{3}, Leader: 3})
	if got := hashes.sum(b.image, []string{"tö😀", "u"}); got == -1157736879569740603 {
		t.Error("another partition does not change the hash")
	}
	if got := hashes.sum(b.image, []string{"no such topic"}); got != 0 {
		t.Errorf("no topics: %d, want 0", got)
	}
}
