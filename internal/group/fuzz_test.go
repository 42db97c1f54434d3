package group

import (
	"testing"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// FuzzReplay loads whatever the log may hold and then uses what has come of it: no panic, every request is answered, and
// what holds for groups holds.
func FuzzReplay(f *testing.F) {
	protocol, id, instance := "range", "a", "i"
	members := []wire.GroupMetadataValueMemberMetadata{
		{MemberID: id, GroupInstanceID: &instance, SessionTimeout: 10_000, RebalanceTimeout: 10_000, Subscription: subscriptionTo("t"), Assignment: []byte("A")},
		{MemberID: "b", SessionTimeout: 10_000, RebalanceTimeout: 10_000, Subscription: subscriptionTo("u")},
	}
	saved := value(f, &wire.GroupMetadataValue{ProtocolType: consumerProtocol, Generation: 3, Protocol: &protocol, Leader: &id, CurrentStateTimestamp: 9, Members: members}, 3)
	offset := offsetRecord("g", kafka.TopicPartition{Topic: "t", Partition: 1}, committed{offset: 5, expires: -1})
	f.Add(groupKey(f, "g"), saved, offset.Key, offset.Value)
	f.Add(offset.Key, offset.Value, groupKey(f, "g"), []byte(nil))
	f.Add(groupKey(f, "g"), saved, groupKey(f, "g"), saved)
	consumers := newConsumerGroup(&group{id: "g"})
	m := newConsumerMember("a")
	m.topics, m.regex, m.epoch, m.assigned, m.instanceID = []string{"t"}, "t.*", 3, partitions{topicID("t"): {0, 1}}.at(2), &instance
	current, about := consumers.currentRecord(m), consumers.memberRecord(m)
	f.Add(about.Key, about.Value, current.Key, current.Value)
	target, regex := consumers.targetRecord("a", partitions{topicID("t"): {0}}), consumers.regexRecord("t.*", resolvedRegex{topics: []string{"t"}})
	f.Add(target.Key, target.Value, regex.Key, regex.Value)
	f.Add(about.Key, about.Value, groupKey(f, "g"), saved)
	epoch := consumers.epochRecord(4, 5)
	f.Add(offset.Key, offset.Value, epoch.Key, epoch.Value)
	f.Add(current.Key, current.Value, epoch.Key, []byte(nil))
	f.Fuzz(func(t *testing.T, key1, value1, key2, value2 []byte) {
		b := newBench(t)
		b.createTopic("t", 3)
		for i, r := range []statemachine.Record{{Key: key1, Value: value1}, {Key: key2, Value: value2}} {
			if len(r.Value) == 0 {
				r.Value = nil
			}
			_ = b.machine.Replay(int64(i), r) // an error is as good: the log is not loaded then
		}
		m := &model{bench: b, seen: map[*classicGroup]int32{}}
		b.clock.Advance(time.Millisecond)
		m.check()
		asked, answered := 0, 0
		for _, shared := range b.machine.sorted() {
			id := shared.id
			if g := b.machine.consumer(id); g != nil {
				asked += useConsumerGroup(b, g, func() { answered++ })
				continue
			}
			asked += useGroup(b, id, b.machine.classic(id), func() { answered++ })
		}
		b.clock.Advance(time.Hour)
		m.check()
		b.engine.Stop(kafka.Errorf(kafka.NotCoordinator, "the end"))
		if asked != answered {
			t.Errorf("%d requests, %d answers", asked, answered)
		}
	})
}

// useGroup sends a request of each kind on behalf of each member, and returns how many.
func useGroup(b *bench, id string, g *classicGroup, answered func()) (asked int) {
	do := func(op func(c *Coordinator, now time.Time) statemachine.Output) {
		asked++
		b.do(op, func(error) { answered() })
	}
	do(func(c *Coordinator, _ time.Time) statemachine.Output {
		return c.Describe(id, func(wire.DescribeGroupsResponseDescribedGroup, error) { answered() })
	})
	do(func(c *Coordinator, _ time.Time) statemachine.Output {
		return c.FetchOffsets(&wire.OffsetFetchRequestGroup{GroupID: id}, false, func(*wire.OffsetFetchResponseGroup, error) { answered() })
	})
	for _, m := range g.ordered() {
		join := Join{
			GroupID: id, MemberID: m.id, InstanceID: m.instanceID, SessionTimeout: 10 * time.Second, Rebalance: 10 * time.Second,
			ProtocolType: g.protocolType, Reply: func(*wire.JoinGroupResponse) { answered() },
		}
		for _, p := range m.protocols {
			join.Protocols = append(join.Protocols, wire.JoinGroupRequestProtocol{Name: p.name, Metadata: p.metadata})
		}
		again := join
		again.MemberID = ""
		do(func(c *Coordinator, now time.Time) statemachine.Output { return c.Join(now, join) })
		do(func(c *Coordinator, now time.Time) statemachine.Output { return c.Join(now, again) })
		do(func(c *Coordinator, now time.Time) statemachine.Output {
			rq := &wire.SyncGroupRequest{GroupID: id, MemberID: m.id, GenerationID: g.generation, GroupInstanceID: m.instanceID}
			return c.Sync(now, causes.Client{}, rq, func(*wire.SyncGroupResponse) { answered() })
		})
	}
	return asked
}

// useConsumerGroup sends heartbeats of both protocols on behalf of each member, and has a newcomer join.
func useConsumerGroup(b *bench, g *consumerGroup, answered func()) (asked int) {
	do := func(op func(c *Coordinator, now time.Time) statemachine.Output) {
		asked++
		b.do(op, func(error) { answered() })
	}
	beat := func(rq wire.ConsumerGroupHeartbeatRequest) {
		rq.GroupID = g.id
		do(func(c *Coordinator, now time.Time) statemachine.Output {
			return c.ConsumerHeartbeat(now, ConsumerHeartbeat{ConsumerGroupHeartbeatRequest: &rq, Version: 1}, func(*wire.ConsumerGroupHeartbeatResponse, error) { answered() })
		})
	}
	nothing := []wire.ConsumerGroupHeartbeatRequestTopicPartitions{}
	beat(wire.ConsumerGroupHeartbeatRequest{MemberID: "new", RebalanceTimeoutMs: 1000, SubscribedTopicNames: []string{"t"}, TopicPartitions: nothing})
	for _, m := range orderedMembers(g.members) {
		beat(wire.ConsumerGroupHeartbeatRequest{MemberID: m.id, MemberEpoch: m.epoch, InstanceID: m.instanceID, RebalanceTimeoutMs: -1, TopicPartitions: nothing})
		do(func(c *Coordinator, now time.Time) statemachine.Output {
			return c.Heartbeat(now, causes.Client{}, &wire.HeartbeatRequest{GroupID: g.id, MemberID: m.id, GenerationID: m.epoch, GroupInstanceID: m.instanceID}, func(error) { answered() })
		})
		do(func(c *Coordinator, now time.Time) statemachine.Output {
			return c.Sync(now, causes.Client{}, &wire.SyncGroupRequest{GroupID: g.id, MemberID: m.id, GenerationID: m.epoch, GroupInstanceID: m.instanceID}, func(*wire.SyncGroupResponse) { answered() })
		})
		beat(wire.ConsumerGroupHeartbeatRequest{MemberID: m.id, MemberEpoch: leaving, InstanceID: m.instanceID, RebalanceTimeoutMs: -1})
	}
	do(func(c *Coordinator, _ time.Time) statemachine.Output {
		return c.DescribeConsumer(g.id, func(wire.ConsumerGroupDescribeResponseDescribedGroup, error) { answered() })
	})
	return asked
}
