package controller

import (
	"slices"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/planted"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// AlterPartition takes the ISR that a leader proposes (KIP-497), if the proposal is about the partition as it is
// and names replicas that are alive (KIP-841, KIP-903). Versions below 3 name them in NewIsr, without epochs.
func (c *Controller) AlterPartition(now time.Time, rq *wire.AlterPartitionRequest, reply Reply[*wire.AlterPartitionResponse]) statemachine.Output {
	if err := c.ready(); err != nil {
		return refused(err, reply)
	}
	response := new(wire.AlterPartitionResponse)
	if err := c.checkBrokerEpoch(rq.BrokerID, rq.BrokerEpoch); err != nil {
		response.ErrorCode = code(err)
		return decided(nil, response, reply)
	}
	var records []wire.Message
	for _, wanted := range rq.Topics {
		t := c.Image().TopicByID(wanted.TopicID)
		result := wire.AlterPartitionResponseTopicData{TopicID: wanted.TopicID}
		for i := range wanted.Partitions {
			answer := wire.AlterPartitionResponsePartitionData{PartitionIndex: wanted.Partitions[i].PartitionIndex}
			if t == nil {
				answer.ErrorCode = int16(kafka.UnknownTopicID)
			} else if r := c.alterPartition(rq.BrokerID, t, &wanted.Partitions[i], &answer); r != nil {
				records = append(records, r)
			}
			result.Partitions = append(result.Partitions, answer)
		}
		response.Topics = append(response.Topics, result)
	}
	return decided(records, response, reply)
}

// alterPartition decides on one partition: it fills in the answer and returns the change, if any.
func (c *Controller) alterPartition(leader int32, t *metadata.Topic, wanted *wire.AlterPartitionRequestPartitionData, answer *wire.AlterPartitionResponsePartitionData) wire.Message {
	p := t.Partition(wanted.PartitionIndex)
	isr := proposedISR(wanted)
	if refusal := c.checkProposal(leader, t, p, wanted, isr); refusal != kafka.None {
		answer.ErrorCode = int16(refusal)
		return nil
	}
	b := c.change(t, wanted.PartitionIndex, p)
	if c.uncleanAllowed(t.Name) {
		b.election = electUnclean
	}
	b.isr = nil
	for _, member := range isr {
		b.isr = append(b.isr, member.BrokerID)
	}
	b.recovery = metadata.LeaderRecovery(wanted.LeaderRecoveryState)
	record := b.record()
	if record != nil {
		p = p.Merge(record)
		if record.Leader != leader && record.Leader != metadata.NoLeaderChange {
			// The proposal completed a reassignment that takes the leadership away: changed, and refused.
			answer.ErrorCode = int16(kafka.NewLeaderElected)
			return record
		}
	}
	answer.LeaderID, answer.LeaderEpoch, answer.PartitionEpoch = p.Leader, p.LeaderEpoch, p.PartitionEpoch
	answer.Isr, answer.LeaderRecoveryState = p.ISR, int8(p.LeaderRecovery)
	if record == nil {
		return nil
	}
	return record
}

func proposedISR(wanted *wire.AlterPartitionRequestPartitionData) []wire.AlterPartitionRequestBrokerState {
	if len(wanted.NewIsrWithEpochs) > 0 {
		return wanted.NewIsrWithEpochs
	}
	var isr []wire.AlterPartitionRequestBrokerState
	for _, id := range wanted.NewIsr {
		isr = append(isr, wire.AlterPartitionRequestBrokerState{BrokerID: id, BrokerEpoch: -1})
	}
	return isr
}

// checkProposal returns the error of a proposal, None if it may be taken. A leader that is ahead of this
// controller gets NOT_CONTROLLER: there must be a newer controller.
func (c *Controller) checkProposal(leader int32, t *metadata.Topic, p *metadata.Partition, wanted *wire.AlterPartitionRequestPartitionData, isr []wire.AlterPartitionRequestBrokerState) kafka.ErrorCode {
	switch {
	case p == nil:
		return kafka.UnknownTopicOrPartition
	case wanted.LeaderEpoch > p.LeaderEpoch, wanted.PartitionEpoch > p.PartitionEpoch:
		return kafka.NotController
	case wanted.LeaderEpoch < p.LeaderEpoch:
		return kafka.FencedLeaderEpoch
	case leader != p.Leader:
		return kafka.InvalidRequest
	case wanted.PartitionEpoch < p.PartitionEpoch && !planted.In(planted.StaleISR):
		return kafka.InvalidUpdateVersion
	}
	recovery := metadata.LeaderRecovery(wanted.LeaderRecoveryState)
	switch {
	case !validISR(p, isr), !slices.ContainsFunc(isr, func(s wire.AlterPartitionRequestBrokerState) bool { return s.BrokerID == leader }):
		return kafka.InvalidRequest
	case recovery != metadata.Recovered && recovery != metadata.Recovering:
		return kafka.InvalidRequest
	case recovery == metadata.Recovering && (len(isr) > 1 || p.LeaderRecovery == metadata.Recovered):
		return kafka.InvalidRequest
	case slices.ContainsFunc(isr, c.ineligible):
		return kafka.IneligibleReplica
	case slices.ContainsFunc(isr, func(m wire.AlterPartitionRequestBrokerState) bool {
		return !p.InSync(m.BrokerID) && c.isShort(t, p, m.BrokerID)
	}):
		return kafka.IneligibleReplica
	}
	return kafka.None
}

// validISR: replicas of the partition, each once, at least one.
func validISR(p *metadata.Partition, isr []wire.AlterPartitionRequestBrokerState) bool {
	seen := map[int32]bool{}
	for _, member := range isr {
		if seen[member.BrokerID] || !p.IsReplica(member.BrokerID) {
			return false
		}
		seen[member.BrokerID] = true
	}
	return len(isr) > 0
}

// ineligible reports whether a broker may not be in an ISR: gone, going, or another incarnation than the leader
// has seen.
func (c *Controller) ineligible(member wire.AlterPartitionRequestBrokerState) bool {
	b := c.Image().Broker(member.BrokerID)
	return b == nil || !b.Active() || member.BrokerEpoch != -1 && member.BrokerEpoch != b.Epoch
}
