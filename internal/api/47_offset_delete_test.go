package api

import (
	"fmt"
	"slices"
	"testing"

	"github.com/ottla/ottla/internal/wire"
)

func TestMissingPartitionsJoinTheirTopic(t *testing.T) {
	topic := func(name string, ids ...int32) (r wire.OffsetDeleteResponseTopic) {
		r.Name = name
		for _, id := range ids {
			r.Partitions = append(r.Partitions, wire.OffsetDeleteResponsePartition{PartitionIndex: id})
		}
		return r
	}
	got := ""
	for _, topic := range withMissing([]wire.OffsetDeleteResponseTopic{topic("a", 0), topic("b", 0)}, []wire.OffsetDeleteResponseTopic{topic("b", 7), topic("c", 8), topic("c", 9)}) {
		got += " " + topic.Name
		for _, p := range topic.Partitions {
			got += fmt.Sprint(p.PartitionIndex)
		}
	}
	if got != " a0 b07 c89" {
		t.Errorf("topics%s", got)
	}
}

func TestDistinct(t *testing.T) {
	if got := distinct([]string{"b", "a", "b", "", "a", ""}); !slices.Equal(got, []string{"b", "a", ""}) {
		t.Errorf("%q", got)
	}
}
