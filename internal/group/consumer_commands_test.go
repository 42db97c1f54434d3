package group

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// commitID is the id that a commit names a topic by: none for topics that scripts have not created.
func (s *scenario) commitID(topic string) kafka.UUID {
	if t := s.image.Topic(topic); t != nil {
		return t.ID
	}
	return kafka.ZeroUUID
}

// heartbeat sends a ConsumerGroupHeartbeat. With "join" it is the first, with "own" it says that the client owns what it was
// given last; otherwise it tells only what options say.
func (s *scenario) heartbeat(c *command) {
	cl := s.client(c.Operand(0), c.Operand(1))
	rq := &wire.ConsumerGroupHeartbeatRequest{
		GroupID: c.Operand(0), MemberID: cl.memberID, MemberEpoch: cl.generation, RebalanceTimeoutMs: -1,
		InstanceID: c.Pointer("static"), RackID: c.Pointer("rack"), ServerAssignor: c.Pointer("assignor"), SubscribedTopicRegex: c.Pointer("regex"),
	}
	if cl.memberID == "" {
		rq.MemberID = cl.name
	}
	for _, word := range c.Operands[2:] {
		switch word {
		case "join":
			rq.MemberEpoch, rq.RebalanceTimeoutMs = joining, 60_000
			rq.TopicPartitions = []wire.ConsumerGroupHeartbeatRequestTopicPartitions{}
		case "own":
			rq.TopicPartitions = []wire.ConsumerGroupHeartbeatRequestTopicPartitions{}
			for _, topic := range topicsInOrder(cl.given) {
				rq.TopicPartitions = append(rq.TopicPartitions, wire.ConsumerGroupHeartbeatRequestTopicPartitions{TopicID: topic, Partitions: cl.given[topic]})
			}
		}
	}
	if c.Has("owned") {
		for text := range strings.SplitSeq(c.Text("owned", ""), "+") {
			tp := partition(s.t, text)
			rq.TopicPartitions = append(rq.TopicPartitions, wire.ConsumerGroupHeartbeatRequestTopicPartitions{TopicID: topicID(tp.Topic), Partitions: []int32{tp.Partition}})
		}
	}
	if c.Has("topics") {
		rq.SubscribedTopicNames = []string{}
		if topics := c.Text("topics", ""); topics != "" {
			rq.SubscribedTopicNames = strings.Split(topics, "+")
		}
	}
	rq.MemberID = c.Text("id", rq.MemberID)
	rq.MemberEpoch = int32(c.Number("epoch", int(rq.MemberEpoch)))
	if c.Has("rebalance") {
		rq.RebalanceTimeoutMs = int32(c.Duration("rebalance", 0).Milliseconds())
	}
	heartbeat := ConsumerHeartbeat{ConsumerGroupHeartbeatRequest: rq, Version: int16(c.Number("v", 1)), Client: causes.Client{ID: cl.name, Host: "/host"}}
	answer := func(r *wire.ConsumerGroupHeartbeatResponse, err error) {
		s.say("%s beats: %s", cl.name, s.beaten(cl, r, err))
	}
	if err := CheckHeartbeat(heartbeat, s.settings.Assignors); err != nil {
		answer(nil, err)
		return
	}
	s.do(func(g *Coordinator, now time.Time) statemachine.Output {
		return g.ConsumerHeartbeat(now, heartbeat, answer)
	}, s.refused)
}

// beaten has the client remember an answer, and prints it.
func (s *scenario) beaten(cl *client, r *wire.ConsumerGroupHeartbeatResponse, err error) string {
	if err != nil {
		return fmt.Sprintf("%v", err)
	}
	cl.memberID, cl.generation = *r.MemberID, r.MemberEpoch
	text := fmt.Sprintf("%s epoch=%d", *r.MemberID, r.MemberEpoch)
	if r.Assignment == nil {
		return text
	}
	cl.given = partitions{}
	for _, t := range r.Assignment.TopicPartitions {
		cl.given[t.TopicID] = t.Partitions
	}
	return text + " gets " + s.printPartitions(cl.given)
}

// printPartitions shows partitions by topic name.
func (b *bench) printPartitions(p partitions) string { return printTopics(p) }

func printTopics(p partitions) string {
	var texts []string
	for _, id := range topicsInOrder(p) {
		texts = append(texts, strings.TrimRight(strings.TrimPrefix(string(id[:]), "topic "), "\x00")+strings.ReplaceAll(fmt.Sprint(p[id]), " ", ","))
	}
	if len(texts) == 0 {
		return "nothing"
	}
	return strings.Join(texts, " ")
}

func (s *scenario) printConsumer(d wire.ConsumerGroupDescribeResponseDescribedGroup, err error) string {
	if err != nil {
		return fmt.Sprintf("%v", err)
	}
	text := fmt.Sprintf("%s epoch=%d assignment=%d assignor=%s", d.GroupState, d.GroupEpoch, d.AssignmentEpoch, d.AssignorName)
	given := func(a wire.ConsumerGroupDescribeResponseAssignment) string {
		p := partitions{}
		for _, t := range a.TopicPartitions {
			p[t.TopicID] = t.Partitions
		}
		return printTopics(p)
	}
	for _, m := range d.Members {
		text += fmt.Sprintf("\n\t  %s%s type=%d epoch=%d topics=%s regex=%q has %s, is to have %s", m.MemberID, instance(m.InstanceID), m.MemberType, m.MemberEpoch,
			strings.Join(m.SubscribedTopicNames, "+"), nullable(m.SubscribedTopicRegex), given(m.Assignment), given(m.TargetAssignment))
	}
	return text
}

// printConsumerRecord is a record of a consumer group in words, "" for others.
func printConsumerRecord(t testing.TB, r statemachine.Record) string {
	kind, name, err := consumerKey(r.Key)
	if err != nil {
		t.Fatal(err)
	}
	if kind >= streamsEpochRecord {
		return printStreamsRecord(t, kind, name, r)
	}
	text := fmt.Sprintf("%s %q", map[int16]string{
		consumerEpochRecord: "consumer group", consumerLegacyRecord: "subscription metadata of", consumerMemberRecord: "member of", consumerTargetEpochRecord: "target of",
		consumerTargetRecord: "member's target of", consumerCurrentRecord: "member's state of", consumerRegexRecord: "regex of",
	}[kind], consumerGroupOf(r.Key))
	if name != "" {
		text += " " + name
	}
	if r.Value == nil {
		return text + " deleted"
	}
	value := wire.NewGroupValue(kind)
	if _, err := wire.DecodeRecordValue(r.Value, value); err != nil {
		t.Fatal(err)
	}
	switch v := value.(type) {
	case *wire.ConsumerGroupMetadataValue:
		topics := "without topics"
		if v.MetadataHash != 0 {
			topics = "with topics"
		}
		return fmt.Sprintf("%s epoch=%d %s", text, v.Epoch, topics)
	case *wire.ConsumerGroupMemberMetadataValue:
		text += fmt.Sprintf("%s client=%s%s topics=%s regex=%q rebalance=%dms", instance(v.InstanceID), v.ClientID, v.ClientHost, strings.Join(v.SubscribedTopicNames, "+"), nullable(v.SubscribedTopicRegex), v.RebalanceTimeoutMs)
		if v.ServerAssignor != nil {
			text += " assignor=" + *v.ServerAssignor
		}
		if v.ClassicMemberMetadata != nil {
			text += fmt.Sprintf(" classic session=%dms", v.ClassicMemberMetadata.SessionTimeoutMs)
			for _, p := range v.ClassicMemberMetadata.SupportedProtocols {
				text += " " + p.Name
			}
		}
	case *wire.ConsumerGroupTargetAssignmentMetadataValue:
		return fmt.Sprintf("%s epoch=%d", text, v.AssignmentEpoch)
	case *wire.ConsumerGroupTargetAssignmentMemberValue:
		p := partitions{}
		for _, tp := range v.TopicPartitions {
			p[tp.TopicID] = tp.Partitions
		}
		return text + " = " + printTopics(p)
	case *wire.ConsumerGroupCurrentMemberAssignmentValue:
		text += fmt.Sprintf(" epoch=%d before=%d state=%d has %s", v.MemberEpoch, v.PreviousMemberEpoch, v.State, printTopics(heldOf(v.AssignedPartitions, v.MemberEpoch).partitions()))
		if len(v.PartitionsPendingRevocation) > 0 {
			text += " gives up " + printTopics(heldOf(v.PartitionsPendingRevocation, v.MemberEpoch).partitions())
		}
	case *wire.ConsumerGroupRegularExpressionValue:
		return fmt.Sprintf("%s = %s", text, strings.Join(v.Topics, "+"))
	}
	return text
}
