package group

import (
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// DeleteOffsets removes committed offsets of topics that the group does not consume at the moment (KIP-496). err of
// answer is set if nothing could be looked at: no such group, or members whose subscriptions are not known here.
func (c *Coordinator) DeleteOffsets(from causes.Client, rq *wire.OffsetDeleteRequest, answer func(*wire.OffsetDeleteResponse, error)) statemachine.Output {
	var out outcome
	response := new(wire.OffsetDeleteResponse)
	g, err := c.mayDeleteOffsets(rq.GroupID)
	if err == nil {
		for _, topic := range rq.Topics {
			response.Topics = append(response.Topics, g.deleteOffsets(&out, topic))
		}
		if n := len(out.Records); n > 0 {
			c.noteCommitted(&out, g.id, Cause{Kind: OffsetsDeleted, Member: whoIs(from, "", nil), Value: int64(n)})
		}
	}
	out.then(func(failed error) {
		if failed != nil {
			response, err = new(wire.OffsetDeleteResponse), failed
		}
		answer(response, err)
	})
	return out.Output
}

func (c *Coordinator) mayDeleteOffsets(groupID string) (*group, error) {
	g := c.groups[groupID]
	switch {
	case groupID == "":
		return nil, kafka.InvalidGroupID
	case g == nil:
		return nil, errNoGroup(groupID)
	}
	return g, g.kind.checkDeleteOffsets()
}

func (g *group) deleteOffsets(out *outcome, topic wire.OffsetDeleteRequestTopic) wire.OffsetDeleteResponseTopic {
	result := wire.OffsetDeleteResponseTopic{Name: topic.Name}
	for _, p := range topic.Partitions {
		tp := kafka.TopicPartition{Topic: topic.Name, Partition: p.PartitionIndex}
		code := kafka.None
		if g.kind.consumes(topic.Name) {
			code = kafka.GroupSubscribedToTopic
		} else if g.has(tp) {
			out.write(offsetTombstone(g.id, tp))
		}
		result.Partitions = append(result.Partitions, wire.OffsetDeleteResponsePartition{PartitionIndex: p.PartitionIndex, ErrorCode: int16(code)})
	}
	return result
}

// ForgetTopics removes the offsets of topics that were deleted, of all groups, in as many steps as it takes. deleted is
// kept until then.
func (c *Coordinator) ForgetTopics(deleted map[string]bool) statemachine.Output {
	var out outcome
	for _, g := range c.sorted() {
		before := len(out.Records)
		for _, tp := range g.knownOf(deleted) {
			if out.full() {
				c.noteForgotten(&out, g, before)
				out.then(func(err error) {
					if err == nil {
						c.options.Again(func(c *Coordinator, _ time.Time) statemachine.Output { return c.ForgetTopics(deleted) })
					}
				})
				return out.Output
			}
			out.write(offsetTombstone(g.id, tp))
		}
		c.noteForgotten(&out, g, before)
	}
	return out.Output
}

// noteForgotten keeps that the step has removed offsets of a group, with the records from the given one on.
func (c *Coordinator) noteForgotten(out *outcome, g *group, from int) {
	if n := len(out.Records) - from; n > 0 {
		c.noteCommitted(out, g.id, Cause{Kind: OffsetsDeleted, Value: int64(n), Reason: "their topics were deleted"})
	}
}
