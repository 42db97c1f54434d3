package group

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// memberProtocolCommit is the first version of OffsetCommit that knows member epochs.
const memberProtocolCommit = 9

// checkCommit implements kind: a member may commit at its epoch and, for partitions that it has had since then, at an older
// one; in a group without members everybody may.
func (g *consumerGroup) checkCommit(_ *Coordinator, _ time.Time, version int16, rq *wire.OffsetCommitRequest) error {
	epoch := rq.GenerationIDOrMemberEpoch
	if epoch < 0 && len(g.members) == 0 {
		return nil
	}
	m := g.members[rq.MemberID]
	switch {
	case m == nil:
		return g.errUnknownMember(rq.MemberID)
	case m.classic == nil && version < memberProtocolCommit:
		return kafka.Errorf(kafka.UnsupportedVersion, "OffsetCommit version %d or above must be used by members using the consumer group protocol", memberProtocolCommit)
	case epoch == m.epoch:
		return nil
	case epoch > m.epoch:
		return m.errStale("Received %s %d is newer than current member epoch %d.", epoch, m.epoch)
	}
	for i := range rq.Topics {
		topic := &rq.Topics[i]
		for j := range topic.Partitions {
			if err := m.checkPartition(topic, topic.Partitions[j].PartitionIndex, epoch); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkTxnCommit implements kind: as checkCommit, but that old clients name neither member nor epoch, and that who is behind
// learns it in the words of the classic protocol (OffsetMetadataManager.validateTransactionalOffsetCommit).
func (g *consumerGroup) checkTxnCommit(c *Coordinator, rq *wire.TxnOffsetCommitRequest) error {
	if rq.GenerationID < 0 && (len(g.members) == 0 || rq.MemberID == "" && rq.GroupInstanceID == nil) {
		return nil
	}
	m := g.members[rq.MemberID]
	switch {
	case m == nil:
		return g.errUnknownMember(rq.MemberID)
	case rq.GenerationID == m.epoch:
		return nil
	case rq.GenerationID > m.epoch:
		return inClassicWords(m.errStale("Received %s %d is newer than current member epoch %d.", rq.GenerationID, m.epoch))
	}
	for i := range rq.Topics {
		topic := wire.OffsetCommitRequestTopic{Name: rq.Topics[i].Name}
		if known := c.look().Topic(topic.Name); known != nil {
			topic.TopicID = known.ID
		}
		for j := range rq.Topics[i].Partitions {
			if err := m.checkPartition(&topic, rq.Topics[i].Partitions[j].PartitionIndex, rq.GenerationID); err != nil {
				return inClassicWords(err)
			}
		}
	}
	return nil
}

// inClassicWords says ILLEGAL_GENERATION instead of STALE_MEMBER_EPOCH.
func inClassicWords(err error) error {
	return kafka.Errorf(kafka.IllegalGeneration, "%s", textOf(kafka.MessageOf(err)))
}

// checkPartition refuses an older epoch than the one in which a partition was assigned.
func (m *consumerMember) checkPartition(topic *wire.OffsetCommitRequestTopic, id, epoch int32) error {
	since, has := m.assigned[topic.TopicID][id]
	if !has {
		since, has = m.revoking[topic.TopicID][id]
	}
	switch {
	case !has:
		return kafka.Errorf(m.staleCode(), "Partition %s-%d is not assigned or pending revocation for member.", topic.Name, id)
	case epoch < since:
		return m.errStale("Received %s %d is older than assignment epoch %d for partition %s-%d.", epoch, since, topic.Name, id)
	}
	return nil
}

// errStale is how a member learns that it is not at its epoch; the text's first two arguments are what its protocol calls
// that, and the one that it gave.
func (m *consumerMember) errStale(format string, epoch int32, args ...any) error {
	word := "member epoch"
	if m.classic != nil {
		word = "generation id"
	}
	return kafka.Errorf(m.staleCode(), format, append([]any{word, epoch}, args...)...)
}

func (m *consumerMember) staleCode() kafka.ErrorCode {
	if m.classic != nil {
		return kafka.IllegalGeneration
	}
	return kafka.StaleMemberEpoch
}

// checkFetch implements kind: who says that he is a member has to be one, and at its epoch.
func (g *consumerGroup) checkFetch(rq *wire.OffsetFetchRequestGroup) error {
	if rq.MemberID == nil && rq.MemberEpoch < 0 {
		return nil
	}
	m := g.members[textOf(rq.MemberID)]
	switch {
	case m == nil:
		return g.errUnknownMember(textOf(rq.MemberID))
	case m.epoch != rq.MemberEpoch:
		return m.errStale("The received %s %d does not match the expected member epoch %d.", rq.MemberEpoch, m.epoch)
	}
	return nil
}
