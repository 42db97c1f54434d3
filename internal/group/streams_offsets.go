package group

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// checkCommit implements kind: a member may commit at its epoch and, for tasks that it has had since then, at an older one;
// in a group without members everybody may.
func (g *streamsGroup) checkCommit(_ *Coordinator, _ time.Time, version int16, rq *wire.OffsetCommitRequest) error {
	epoch := rq.GenerationIDOrMemberEpoch
	if epoch < 0 && len(g.members) == 0 {
		return nil
	}
	m := g.members[rq.MemberID]
	if m == nil {
		return g.errUnknownMember(rq.MemberID)
	}
	if version < memberProtocolCommit {
		return kafka.Errorf(kafka.UnsupportedVersion, "OffsetCommit version %d or above must be used by members using the streams group protocol", memberProtocolCommit)
	}
	for i := range rq.Topics {
		topic := &rq.Topics[i]
		for j := range topic.Partitions {
			if err := g.checkTask(m, topic.Name, topic.Partitions[j].PartitionIndex, epoch); err != nil {
				return err
			}
		}
	}
	return m.checkNewer(epoch)
}

// checkTxnCommit implements kind: as checkCommit, but that old clients name neither member nor epoch, and that who is behind
// learns it in the words of the classic protocol (OffsetMetadataManager.validateTransactionalOffsetCommit).
func (g *streamsGroup) checkTxnCommit(_ *Coordinator, rq *wire.TxnOffsetCommitRequest) error {
	epoch := rq.GenerationID
	if epoch < 0 && (len(g.members) == 0 || rq.MemberID == "" && rq.GroupInstanceID == nil) {
		return nil
	}
	m := g.members[rq.MemberID]
	if m == nil {
		return g.errUnknownMember(rq.MemberID)
	}
	for i := range rq.Topics {
		topic := &rq.Topics[i]
		for j := range topic.Partitions {
			if err := g.checkTask(m, topic.Name, topic.Partitions[j].PartitionIndex, epoch); err != nil {
				return inClassicWords(err)
			}
		}
	}
	if err := m.checkNewer(epoch); err != nil {
		return inClassicWords(err)
	}
	return nil
}

// checkNewer refuses an epoch that the member has not reached.
func (m *streamsMember) checkNewer(epoch int32) error {
	if epoch > m.epoch {
		return kafka.Errorf(kafka.StaleMemberEpoch, "Received member epoch %d is newer than current member epoch %d.", epoch, m.epoch)
	}
	return nil
}

// checkTask refuses an older epoch than the one in which the task that reads a partition was assigned.
func (g *streamsGroup) checkTask(m *streamsMember, topic string, partition, epoch int32) error {
	if epoch == m.epoch {
		return nil
	}
	if err := m.checkNewer(epoch); err != nil {
		return err
	}
	if g.topology == nil {
		return kafka.Errorf(kafka.StaleMemberEpoch, "Topology is not available for offset commit validation.")
	}
	id, reads := g.topology.sources[topic]
	if !reads {
		return kafka.Errorf(kafka.StaleMemberEpoch, "Topic %s is not in the topology.", topic)
	}
	since, has := m.assigned.active[id][partition]
	if !has {
		since, has = m.revoking.active[id][partition]
	}
	switch {
	case !has:
		return kafka.Errorf(kafka.StaleMemberEpoch, "Task %s-%d is not assigned or pending revocation for member.", id, partition)
	case epoch < since:
		return kafka.Errorf(kafka.StaleMemberEpoch, "Received member epoch %d is older than assignment epoch %d for task %s-%d.", epoch, since, id, partition)
	}
	return nil
}

// checkFetch implements kind: who says that he is a member has to be one, and at its epoch.
func (g *streamsGroup) checkFetch(rq *wire.OffsetFetchRequestGroup) error {
	if rq.MemberID == nil && rq.MemberEpoch < 0 {
		return nil
	}
	m := g.members[textOf(rq.MemberID)]
	switch {
	case m == nil:
		return g.errUnknownMember(textOf(rq.MemberID))
	case m.epoch != rq.MemberEpoch:
		return kafka.Errorf(kafka.StaleMemberEpoch, "The received member epoch %d does not match the expected member epoch %d.", rq.MemberEpoch, m.epoch)
	}
	return nil
}
