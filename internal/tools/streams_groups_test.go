package tools

import (
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// TestStreamsTopics: only what Kafka Streams made for the application may be deleted with it.
func TestStreamsTopics(t *testing.T) {
	for topic, want := range map[string]bool{
		"app-counts-changelog": true, "app-x-repartition": true, "other-counts-changelog": false, "app": false, "app-input": false,
		"app-1-subscription-registration-topic": true, "app-1-subscription-response-topic": true,
		"app-KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-0000000007-topic": true, "app-KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-12-topic": true,
		"app-KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE--topic": false, "app-KTABLE-FK-JOIN-SUBSCRIPTION-12-topic": false,
	} {
		if got := isStreamsTopic("app", topic); got != want {
			t.Errorf("%s: %v", topic, got)
		}
	}
	g := testStreamsGroup()
	internal, others := g.internalTopics()
	if !slices.Equal(internal, []string{"app-r-repartition", "app-s-changelog"}) || !slices.Equal(others, []string{"named"}) {
		t.Errorf("internal %v, others %v", internal, others)
	}
}

func testStreamsGroup() *streamsGroup {
	g := &streamsGroup{}
	g.Group, g.State, g.Epoch, g.AssignmentEpoch = "app", "Stable", 3, 2
	g.Topology = &kmsg.StreamsGroupDescribeResponseGroupTopology{Subtopologies: []kmsg.StreamsGroupDescribeResponseGroupTopologySubtopology{
		{SubtopologyID: "0", SourceTopics: []string{"in"}, StateChangelogTopics: []kmsg.TopicInfo{{Topic: "in"}}},
		{SubtopologyID: "1", RepartitionSourceTopics: []kmsg.TopicInfo{{Topic: "app-r-repartition"}}, StateChangelogTopics: []kmsg.TopicInfo{{Topic: "app-s-changelog"}, {Topic: "named"}}},
	}}
	g.Members = []kmsg.StreamsGroupDescribeResponseGroupMember{{
		MemberID: "11111111-1111-1111-1111-111111111111", MemberEpoch: 2, ProcessID: "proc-1", ClientID: "kgo",
		Assignment:       kmsg.StreamsAssignment{ActiveTasks: []kmsg.TaskIDs{{SubtopologyID: "0", Partitions: []int32{0, 1}}, {SubtopologyID: "1", Partitions: []int32{1}}}},
		TargetAssignment: kmsg.StreamsAssignment{ActiveTasks: []kmsg.TaskIDs{{SubtopologyID: "0", Partitions: []int32{0, 1}}}, StandbyTasks: []kmsg.TaskIDs{{SubtopologyID: "1", Partitions: []int32{0}}}},
	}}
	return g
}

// TestStreamsMembers: the columns of Kafka 4.3.1, whose tool printed the same for a member with these epochs and tasks.
func TestStreamsMembers(t *testing.T) {
	var out strings.Builder
	tool := &streamsTool{resetter: resetter{invocation: &invocation{stdout: &out}}}
	tool.printMembers(testStreamsGroup(), true)
	tool.printMembers(testStreamsGroup(), false)
	want := `GROUP           TARGET-ASSIGNMENT-EPOCH   TOPOLOGY-EPOCH MEMBER                               MEMBER-PROTOCOL MEMBER-EPOCH    PROCESS         CLIENT-ID       ASSIGNMENTS
app             2                         0              11111111-1111-1111-1111-111111111111 streams         2               proc-1          kgo             ACTIVE: 0:[0,1]; 1:[1]; TARGET-ACTIVE: 0:[0,1]; TARGET-STANDBY: 1:[0]; ` + `
GROUP           MEMBER                               PROCESS         CLIENT-ID       ASSIGNMENTS
app             11111111-1111-1111-1111-111111111111 proc-1          kgo             ACTIVE: 0:[0,1]; 1:[1]; ` + `
`
	if out.String() != want {
		t.Errorf("got\n%s", out.String())
	}
}

func TestStreamsPartitions(t *testing.T) {
	g := testStreamsGroup()
	got, err := g.activePartitions()
	want := []kafka.TopicPartition{{Topic: "app-r-repartition", Partition: 1}, {Topic: "in"}, {Topic: "in", Partition: 1}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	if d := g.asDescribed(); len(d.members) != 1 || !slices.Equal(d.members[0].assigned, want) || *d.epoch != 3 {
		t.Errorf("as a group of any kind: %+v", d)
	}
	g.Members[0].Assignment.ActiveTasks[0].SubtopologyID = "9"
	if _, err := g.activePartitions(); err == nil || err.Error() != "Subtopology 9 not found in group description!" {
		t.Errorf("a task of no subtopology: %v", err)
	}
}
