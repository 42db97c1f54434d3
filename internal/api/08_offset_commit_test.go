package api

import (
	"slices"
	"testing"

	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/wire"
)

func TestExistingPartitions(t *testing.T) {
	topic := &metadata.Topic{Partitions: []*metadata.Partition{{}, {}}}
	var asked []wire.OffsetCommitRequestPartition
	for _, id := range []int32{7, 1, -1, 0, 2} {
		asked = append(asked, wire.OffsetCommitRequestPartition{PartitionIndex: id})
	}
	found, at := existing(topic, asked)
	if len(found) != 2 || found[0].PartitionIndex != 1 || found[1].PartitionIndex != 0 || !slices.Equal(at, []int{1, 3}) {
		t.Errorf("found %v at %v", found, at)
	}
}
