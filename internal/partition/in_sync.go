package partition

import (
	"slices"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// The in-sync set belongs to the controller. A leader proposes changes (AlterPartition, KIP-497), one at a time, and until it
// knows the outcome it reckons with the larger of both sets, the maximal ISR: who is about to join holds the high watermark
// back already, who is about to leave still does.

// Proposal is an in-sync set that the leader of a partition wants.
type Proposal struct {
	Name    kafka.TopicPartition
	TopicID kafka.UUID
	// LeaderEpoch and PartitionEpoch are those of the state that the proposal changes.
	LeaderEpoch    int32
	PartitionEpoch int32
	ISR            []InSync
}

// InSync is a member of a proposed in-sync set.
type InSync struct {
	Broker int32
	// Epoch is the registration under which the broker has fetched, -1 if it has not fetched from this leader: the controller
	// refuses a member that has another one by then (KIP-903).
	Epoch int64
}

// Verdict is the controller's answer to a Proposal.
type Verdict struct {
	LeaderEpoch    int32
	PartitionEpoch int32
	ISR            []int32
	// Code is why the proposal was refused, kafka.None if it was taken. NETWORK_EXCEPTION and the like, of which nobody knows
	// whether they changed something, do not occur here: who asks the controller asks again until it has answered.
	Code kafka.ErrorCode
}

// inSyncChange is a proposal whose outcome is not known.
type inSyncChange struct {
	proposal Proposal
	joining  []int32
	expands  bool
}

// inMaximalISR: the caller holds p.mu.
func (p *Partition) inMaximalISR(state *metadata.Partition, broker int32) bool {
	return state.InSync(broker) || p.mu.pending != nil && slices.Contains(p.mu.pending.joining, broker)
}

// mayJoin reports whether a broker may be in an in-sync set: registered as the follower says, not fenced, not about to leave,
// and not taken out of the set since it has fetched all.
func (p *Partition) mayJoin(broker int32, f *follower) bool {
	if f.brokerEpoch == noBrokerEpoch || f.out {
		return false
	}
	b := p.set.currentImage().Broker(broker)
	return b != nil && b.Active() && (f.brokerEpoch == -1 || f.brokerEpoch == b.Epoch)
}

// awaitsJoin reports whether the high watermark waits for a follower that is not in sync, but on the point of being so: else
// it would run away from it for ever.
func (p *Partition) awaitsJoin(id int32, f *follower, leaderEnd int64, now time.Time) bool {
	return f.isCaughtUp(leaderEnd, now, p.set.options.ReplicaLag()) && p.mayJoin(id, f)
}

// expansion begins a change that takes in the followers that have everything up to the high watermark, and what this leader
// found in its log when it began (before, its history could still differ); nil if there is none, or one is under way. The
// caller holds p.mu and passes the result to propose.
func (p *Partition) expansion(state *metadata.Partition, now time.Time) *inSyncChange {
	if p.mu.pending != nil || state.Leader != p.node || p.gone.Load() != nil || len(state.ISR) == len(state.Replicas) {
		return nil
	}
	reached := max(p.Log().HighWatermark(), p.mu.epochStart)
	isr := slices.Clone(state.ISR)
	var joining []int32
	for _, id := range state.Replicas {
		f := p.mu.followers[id]
		if f != nil && !state.InSync(id) && f.end >= reached && p.mayJoin(id, f) {
			isr, joining = append(isr, id), append(joining, id)
		}
	}
	if len(joining) == 0 {
		return nil
	}
	return p.begin(state, isr, joining)
}

// begin makes a change to a set, which tools show in the order of the ids. The caller holds p.mu.
func (p *Partition) begin(state *metadata.Partition, isr, joining []int32) *inSyncChange {
	c := &inSyncChange{joining: joining, expands: len(joining) > 0, proposal: Proposal{
		Name: p.name, TopicID: p.topicID, LeaderEpoch: state.LeaderEpoch, PartitionEpoch: state.PartitionEpoch,
	}}
	for _, id := range slices.Sorted(slices.Values(isr)) { // as Kafka's leader, which keeps a set, has them
		member := InSync{Broker: id, Epoch: -1}
		if f := p.mu.followers[id]; f != nil && f.brokerEpoch != noBrokerEpoch {
			member.Epoch = f.brokerEpoch
		} else if id == p.node {
			member.Epoch = p.set.options.BrokerEpoch()
		}
		c.proposal.ISR = append(c.proposal.ISR, member)
	}
	p.mu.pending = c
	return c
}

// ShrinkInSync has this broker's leaders propose to leave out followers that have not caught up for replica.lag.time.max.ms:
// the broker calls it about twice in that time.
func (s *Set) ShrinkInSync(now time.Time) {
	for p := range s.All() {
		p.shrink(now)
	}
}

func (p *Partition) shrink(now time.Time) {
	if p.state.Load().Leader != p.node {
		return
	}
	p.mu.Lock()
	state := p.state.Load()
	var change *inSyncChange
	if isr, out := p.outOfSync(state, now); len(out) > 0 {
		p.set.options.Logger.Info("Shrinking ISR: replicas have not caught up for replica.lag.time.max.ms", "partition", p.name.String(),
			"from", state.ISR, "to", isr, "highWatermark", p.Log().HighWatermark(), "endOffset", p.Log().EndOffset(), "lag", p.set.options.ReplicaLag())
		change = p.begin(state, isr, nil)
	}
	p.mu.Unlock()
	p.propose(change)
}

// outOfSync: the caller holds p.mu.
func (p *Partition) outOfSync(state *metadata.Partition, now time.Time) (isr, out []int32) {
	if p.mu.pending != nil || state.Leader != p.node || p.gone.Load() != nil {
		return nil, nil
	}
	end, lag := p.Log().EndOffset(), p.set.options.ReplicaLag()
	for _, id := range state.ISR {
		if f := p.mu.followers[id]; id != p.node && (f == nil || !f.isCaughtUp(end, now, lag)) {
			out = append(out, id)
			continue
		}
		isr = append(isr, id)
	}
	return isr, out
}

// propose sends a change, if there is one. The caller holds no lock.
func (p *Partition) propose(c *inSyncChange) {
	if c != nil {
		p.set.options.Propose(c.proposal, func(v Verdict) { p.settle(c, v) })
	}
}

// settle takes the outcome of a proposal, unless the image has told of a later state meanwhile. What is refused because
// this broker does not know the current state stays pending until the image tells of it; a retried request may be
// refused for that reason though its first copy was taken.
func (p *Partition) settle(c *inSyncChange, v Verdict) {
	p.leadership.Lock()
	p.mu.Lock()
	if p.mu.pending != c {
		p.mu.Unlock()
		p.leadership.Unlock()
		if v.Code == kafka.None {
			p.set.inSync.count(c) // the image was faster
		}
		return
	}
	state := p.state.Load()
	switch {
	case v.Code == kafka.IneligibleReplica || v.Code == kafka.OperationNotAttempted:
		for _, id := range c.joining {
			if f := p.mu.followers[id]; f != nil {
				f.out = true
			}
		}
		p.mu.pending = nil // the controller has looked at the current state, and left it as it was
		p.set.inSync.failed.Inc()
	case v.Code != kafka.None || v.LeaderEpoch != state.LeaderEpoch || v.PartitionEpoch < state.PartitionEpoch:
		p.set.inSync.failed.Inc()
	default:
		next := *state
		next.ISR, next.PartitionEpoch, next.LeaderRecovery = slices.Clone(v.ISR), v.PartitionEpoch, metadata.Recovered
		p.state.Store(&next)
		p.mu.pending = nil
		p.set.inSync.count(c)
	}
	p.mu.Unlock()
	p.leadership.Unlock()
	p.set.options.Logger.Debug("the controller has decided on an in-sync set", "partition", p.name.String(), "proposed", c.proposal.ISR, "code", v.Code, "isr", v.ISR, "partitionEpoch", v.PartitionEpoch)
	p.advance()
	if v.Code == kafka.None {
		p.expand(time.Now())
	}
}

// expand proposes to take in those that have all that is committed. After a change of the in-sync set the high watermark
// moves first: who has just been left out does not have all then.
func (p *Partition) expand(now time.Time) {
	p.mu.Lock()
	change := p.expansion(p.state.Load(), now)
	p.mu.Unlock()
	p.propose(change)
}
