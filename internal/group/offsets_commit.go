package group

import (
	"time"
	"unicode/utf16"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// noRetention is the retention time of a commit that does not set one of its own; only versions 2 to 4 could.
const noRetention = -1

// CommitOffsets commits offsets of a group, of a member of the current generation or, for an empty group, of anybody
// who assigns partitions by himself: their first commit creates the group. The answer's results follow the request's
// topics and partitions. A member of a group that does not exist gets GROUP_ID_NOT_FOUND, which clients before version 9
// do not know. Members of the new protocol need at least version 9. Nothing of rq is used after CommitOffsets has returned.
func (c *Coordinator) CommitOffsets(now time.Time, from causes.Client, version int16, rq *wire.OffsetCommitRequest, answer func(*wire.OffsetCommitResponse, error)) statemachine.Output {
	out := c.begun(now)
	response, err := new(wire.OffsetCommitResponse), c.checkCommit(now, version, rq)
	if err != nil {
		c.noteFenced(now, rq.GroupID, whoIs(from, rq.MemberID, rq.GroupInstanceID), rq.GenerationIDOrMemberEpoch, err)
	} else {
		c.noteReset(&out, from, rq)
		c.commit(&out, now, rq, response)
	}
	out.then(func(failed error) {
		if failed != nil {
			answer(new(wire.OffsetCommitResponse), failed)
			return
		}
		answer(response, err)
	})
	return out.Output
}

// noteReset keeps that somebody who is no member sets offsets of a group that otherwise has members.
func (c *Coordinator) noteReset(out *outcome, from causes.Client, rq *wire.OffsetCommitRequest) {
	g := c.groups[rq.GroupID]
	if g == nil || rq.GenerationIDOrMemberEpoch >= 0 {
		return
	}
	if _, protocolType, _ := g.kind.list(); protocolType == "" {
		return // it only keeps offsets
	}
	n := 0
	for i := range rq.Topics {
		n += len(rq.Topics[i].Partitions)
	}
	c.noteCommitted(out, g.id, Cause{Kind: OffsetsSet, Member: whoIs(from, rq.MemberID, rq.GroupInstanceID), Value: int64(n)})
}

// checkCommit says why nobody may commit this, or nil.
func (c *Coordinator) checkCommit(now time.Time, version int16, rq *wire.OffsetCommitRequest) error {
	g := c.groups[rq.GroupID]
	if g == nil {
		if rq.GenerationIDOrMemberEpoch >= 0 {
			return errNoGroup(rq.GroupID)
		}
		return nil
	}
	return g.kind.checkCommit(c, now, version, rq)
}

// commit writes the offsets, and what becomes of each into the response.
func (c *Coordinator) commit(out *outcome, now time.Time, rq *wire.OffsetCommitRequest, response *wire.OffsetCommitResponse) {
	c.encoder.reset()
	out.Records = c.recordRoom[:0]
	limit := -1 // not asked for yet: most commits have no metadata
	expires := int64(-1)
	if rq.RetentionTimeMs != noRetention {
		expires = now.UnixMilli() + rq.RetentionTimeMs
	}
	response.Topics = make([]wire.OffsetCommitResponseTopic, len(rq.Topics))
	for i := range rq.Topics {
		topic, results := &rq.Topics[i], &response.Topics[i]
		results.Name, results.TopicID = topic.Name, topic.TopicID
		results.Partitions = make([]wire.OffsetCommitResponsePartition, len(topic.Partitions))
		for j := range topic.Partitions {
			p, result := &topic.Partitions[j], &results.Partitions[j]
			result.PartitionIndex = p.PartitionIndex
			metadata := textOf(p.CommittedMetadata)
			if metadata != "" && limit < 0 {
				limit = c.options.Settings().MaxMetadataBytes
			}
			if metadata != "" && tooLong(metadata, limit) {
				result.ErrorCode = int16(kafka.OffsetMetadataTooLarge)
				continue
			}
			out.write(c.encoder.record(rq.GroupID, kafka.TopicPartition{Topic: topic.Name, Partition: p.PartitionIndex}, committed{
				offset: p.CommittedOffset, leaderEpoch: p.CommittedLeaderEpoch, metadata: metadata,
				at: now.UnixMilli(), expires: expires, topicID: topic.TopicID,
			}))
		}
	}
	if cap(out.Records) <= maxStepRecords {
		c.recordRoom = out.Records
	}
}

// tooLong reports whether a text has more than limit UTF-16 units.
func tooLong(text string, limit int) bool {
	if len(text) <= limit { // a unit takes at least a byte
		return false
	}
	units := 0
	for _, r := range text {
		units += utf16.RuneLen(r) // never negative: what is not UTF-8 comes as the replacement character
	}
	return units > limit
}
