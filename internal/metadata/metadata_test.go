package metadata

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

func replayAll(t testing.TB, d *Delta, records ...wire.Message) {
	t.Helper()
	for _, r := range records {
		if err := d.Replay(r); err != nil {
			t.Fatal(err)
		}
	}
}

func topicRecords(n, partitions int) []wire.Message {
	var records []wire.Message
	for i := range n {
		id := kafka.UUID{byte(i * 7), byte(i >> 8), byte(i)}
		records = append(records, &wire.TopicRecord{Name: fmt.Sprintf("topic-%06d", i), TopicID: id})
		for p := range partitions {
			records = append(records, &wire.PartitionRecord{
				TopicID: id, PartitionID: int32(p), Replicas: []int32{1, 2, 3}, Isr: []int32{1, 2, 3}, Leader: 1,
				Directories: make([]kafka.UUID, 3),
			})
		}
	}
	return records
}

func TestChangesNameWhatChanged(t *testing.T) {
	d := Empty("c").Change()
	replayAll(t, d, topicRecords(500, 3)...)
	first := d.Apply(10, 1)
	changed := first.Topic("topic-000123")
	change := new(wire.PartitionChangeRecord)
	change.Reset()
	change.TopicID, change.PartitionID, change.Leader = changed.ID, 2, 3
	removed := first.Topic("topic-000007")
	value := "5"
	replayAll(t, d, change, &wire.RemoveTopicRecord{TopicID: removed.ID},
		&wire.TopicRecord{Name: removed.Name, TopicID: kafka.UUID{15: 77}},
		&wire.ConfigRecord{ResourceType: 2, ResourceName: changed.Name, Name: "retention.ms", Value: &value})
	second := d.Apply(14, 2)
	c := Diff(first, second)
	if len(c.TopicsCreated) != 1 || c.TopicsCreated[0].ID != (kafka.UUID{15: 77}) || len(c.TopicsDeleted) != 1 || c.TopicsDeleted[0] != removed {
		t.Errorf("created %v, deleted %v", c.TopicsCreated, c.TopicsDeleted)
	}
	if len(c.Partitions) != 1 || c.Partitions[0].ID != 2 || c.Partitions[0].Before.Leader != 1 || c.Partitions[0].After.Leader != 3 || c.Partitions[0].After.LeaderEpoch != 1 {
		t.Errorf("partitions %+v", c.Partitions)
	}
	if len(c.Configs) != 1 || c.Configs[0] != (ConfigResource{ConfigTopic, changed.Name}) || c.Features || c.ProducerIDs || c.Brokers != nil {
		t.Errorf("%+v", c)
	}
	if p := first.Partition(kafka.TopicPartition{Topic: changed.Name, Partition: 2}); p.Leader != 1 {
		t.Error("the first image changed")
	}
	if second.Offset() != 14 || second.Epoch() != 2 || first.Offset() != 10 {
		t.Error("offset or epoch is wrong")
	}
}

func TestBadRecordsAreErrorsAndChangeNothing(t *testing.T) {
	d := Empty("c").Change()
	replayAll(t, d, topicRecords(1, 2)...)
	replayAll(t, d, &wire.RegisterBrokerRecord{BrokerID: 1, BrokerEpoch: 5})
	id := kafka.UUID{}
	for text, m := range map[string]wire.Message{
		"TopicRecord: topic \"topic-000000\" exists already": &wire.TopicRecord{Name: "topic-000000", TopicID: kafka.UUID{9}},
		"belongs to topic \"topic-000000\"":                  &wire.TopicRecord{Name: "x", TopicID: id},
		"PartitionRecord: there is no topic":                 &wire.PartitionRecord{TopicID: kafka.UUID{9}},
		"its next partition is 2":                            &wire.PartitionRecord{TopicID: id, PartitionID: 2_000_000_000},
		"partition -1":                                       &wire.PartitionRecord{TopicID: id, PartitionID: -1},
		"has 1 directories for 2 replicas":                   &wire.PartitionRecord{TopicID: id, PartitionID: 2, Replicas: []int32{1, 2}, Directories: []kafka.UUID{{}}},
		"has no partition 7":                                 &wire.PartitionChangeRecord{TopicID: id, PartitionID: 7},
		"PartitionChangeRecord: partition 1 of topic \"topic-000000\" has 2 directories for": &wire.PartitionChangeRecord{TopicID: id, PartitionID: 1, Directories: make([]kafka.UUID, 2)},
		"RemoveTopicRecord: there is no topic":                                               &wire.RemoveTopicRecord{TopicID: kafka.UUID{9}},
		"ClearElrRecord: there is no topic \"x\"":                                            &wire.ClearElrRecord{TopicName: "x"},
		"UnregisterBrokerRecord: broker 2 is not registered":                                 &wire.UnregisterBrokerRecord{BrokerID: 2},
		"FenceBrokerRecord: broker 1 is registered with epoch 5; the record is for epoch 4":  &wire.FenceBrokerRecord{ID: 1, Epoch: 4},
		"BrokerRegistrationChangeRecord: fenced 9":                                           &wire.BrokerRegistrationChangeRecord{BrokerID: 1, BrokerEpoch: 5, Fenced: 9},
		"RemoveAccessControlEntryRecord: there is no access control":                         &wire.RemoveAccessControlEntryRecord{ID: kafka.UUID{9}},
		"EndTransactionRecord: no transaction":                                               &wire.EndTransactionRecord{},
		"AbortTransactionRecord: no transaction":                                             &wire.AbortTransactionRecord{},
		"ProduceRequest: not a record of the cluster metadata log":                           &wire.ProduceRequest{},
	} {
		before := draw(t, d.Apply(1, 1))
		err := d.ReplayAt(42, m)
		if err == nil || !strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), "offset 42") {
			t.Errorf("%s: got %v", text, err)
		}
		if draw(t, d.Apply(1, 1)) != before {
			t.Errorf("%s: changed the image", text)
		}
	}
	if err := d.Replay(nil); err == nil {
		t.Error("nil was replayed")
	}
}

func TestTransactionsCountWhenTheyEnd(t *testing.T) {
	d := Empty("c").Change()
	level := func(n int16) wire.Message { return &wire.FeatureLevelRecord{Name: "f", FeatureLevel: n} }
	replayAll(t, d, level(1), &wire.BeginTransactionRecord{}, level(2))
	if got := d.Apply(3, 1).Feature("f"); got != 1 || !d.InTransaction() {
		t.Errorf("in the transaction the level is %d", got)
	}
	if err := d.Replay(&wire.BeginTransactionRecord{}); err == nil {
		t.Error("a transaction began in another")
	}
	replayAll(t, d, &wire.EndTransactionRecord{})
	if got := d.Apply(4, 1).Feature("f"); got != 2 || d.InTransaction() {
		t.Errorf("after the transaction the level is %d", got)
	}
	replayAll(t, d, &wire.BeginTransactionRecord{}, level(3), &wire.AbortTransactionRecord{})
	if got := d.Apply(7, 1).Feature("f"); got != 2 {
		t.Errorf("after an aborted transaction the level is %d", got)
	}
}

func TestQuorumKeepsKRaftVersion(t *testing.T) {
	d := Empty("c").Change()
	replayAll(t, d, &wire.FeatureLevelRecord{Name: "kraft.version", FeatureLevel: 1})
	if d.Apply(1, 1).Feature("kraft.version") != 0 {
		t.Error("kraft.version is in the image (KAFKA-18979)")
	}
}

func TestRecordsMayBeReusedAfterReplay(t *testing.T) {
	d := Empty("c").Change()
	scram := &wire.UserScramCredentialRecord{Name: "u", Mechanism: 1, Salt: []byte("salt")}
	token := &wire.DelegationTokenRecord{TokenID: "t", Renewers: []string{"a"}}
	topic := topicRecords(1, 1)
	replayAll(t, d, append(topic, scram, token)...)
	im := d.Apply(1, 1)
	before := draw(t, im)
	scram.Salt[0] = 'x'
	token.Renewers[0] = "b"
	topic[1].(*wire.PartitionRecord).Replicas[0] = 9
	topic[1].(*wire.PartitionRecord).Isr[0] = 9
	if draw(t, im) != before {
		t.Error("the image shares memory with a record")
	}
}

func TestStoreTellsSubscribersInOrder(t *testing.T) {
	d := Empty("c").Change()
	replayAll(t, d, topicRecords(2, 1)...)
	s := NewStore(d.Apply(4, 1))
	var heard []string
	for _, name := range []string{"a", "b"} {
		s.Subscribe(func(prev, next *Image, c *Changes) {
			heard = append(heard, fmt.Sprintf("%s:%d->%d:%d", name, prev.TopicCount(), next.TopicCount(), len(c.TopicsCreated)))
			if s.Current() != next {
				t.Error("the current image is not the one told of")
			}
		})
	}
	replayAll(t, d, &wire.TopicRecord{Name: "new", TopicID: kafka.UUID{15: 1}})
	s.Publish(d.Apply(5, 1), nil)
	if got := strings.Join(heard, " "); got != "a:0->2:2 b:0->2:2 a:2->3:1 b:2->3:1" {
		t.Error(got)
	}
}

// BenchmarkChangeOneTopic is one partition's change in a cluster of 10,000 topics: replay, apply, diff.
func BenchmarkChangeOneTopic(b *testing.B) {
	d := Empty("c").Change()
	replayAll(b, d, topicRecords(10_000, 3)...)
	im := d.Apply(1, 1)
	change := new(wire.PartitionChangeRecord)
	change.Reset()
	change.TopicID, change.PartitionID, change.Leader = im.Topic("topic-005000").ID, 0, 2
	b.ReportAllocs()
	for b.Loop() {
		delta := im.Change()
		if err := delta.Replay(change); err != nil {
			b.Fatal(err)
		}
		next := delta.Apply(2, 1)
		if len(Diff(im, next).Partitions) != 1 {
			b.Fatal("not one change")
		}
	}
}

// BenchmarkLookUpTopic is what a Produce request pays per topic.
func BenchmarkLookUpTopic(b *testing.B) {
	d := Empty("c").Change()
	replayAll(b, d, topicRecords(10_000, 1)...)
	im := d.Apply(1, 1)
	for b.Loop() {
		if im.Topic("topic-005000") == nil {
			b.Fatal()
		}
	}
}
