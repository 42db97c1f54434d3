package controller

import (
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/planted"
	"github.com/ottla/ottla/internal/wire"
)

// election says how far to go for a leader.
type election int8

const (
	electOnline    election = iota // the leader stays if it can, else any eligible replica
	electPreferred                 // the first replica if it is eligible
	electUnclean                   // rather a replica that lost records than none
)

// partitionChange builds the record that takes a partition to a wished state: it completes a reassignment that
// is done, keeps ELR and last known leader (KIP-966), and elects a leader. It is Kafka's PartitionChangeBuilder,
// with the last known leader kept for balanced recovery, as Kafka is shipped.
type partitionChange struct {
	topicID   kafka.UUID
	id        int32
	was       *metadata.Partition
	minISR    int
	elr       bool                    // eligible leader replicas are kept
	mayLead   func(broker int32) bool // alive and with the replica's directory online
	election  election
	directory func(broker int32) kafka.UUID // where a new replica goes

	// The wished state.
	isr, replicas, removing, adding, targetELR []int32
	recovery                                   metadata.LeaderRecovery
	directories                                map[int32]kafka.UUID // replicas that change theirs
	lostData                                   int32                // broker that shut down uncleanly, or NoLeader
}

// change begins a partitionChange that wishes for what is there.
func (c *Controller) change(t *metadata.Topic, id int32, p *metadata.Partition) *partitionChange {
	b := &partitionChange{
		topicID: t.ID, id: id, was: p, minISR: c.minISR(t), elr: c.elrEnabled(), directory: c.defaultDir,
		isr: p.ISR, replicas: p.Replicas, removing: p.Removing, adding: p.Adding, targetELR: p.ELR,
		recovery: p.LeaderRecovery, lostData: metadata.NoLeader,
	}
	b.acceptLeaders(c, c.isActive)
	return b
}

// acceptLeaders makes alive decide which brokers may lead, given that the directory of their replica is online: that which
// it is going to have, so that a replica can lead again whose directory was lost and that is back.
func (b *partitionChange) acceptLeaders(c *Controller, alive func(int32) bool) {
	b.mayLead = func(id int32) bool {
		broker := c.Image().Broker(id)
		if !alive(id) || broker == nil {
			return false
		}
		dir, found := b.directories[id]
		if !found {
			dir, found = b.was.Directory(id)
		}
		return !found || broker.HasOnlineDir(dir)
	}
}

// record returns the change, or nil if there is none.
func (b *partitionChange) record() *wire.PartitionChangeRecord {
	r := new(wire.PartitionChangeRecord)
	r.Reset()
	r.TopicID, r.PartitionID = b.topicID, b.id
	b.completeReassignment()
	b.populateELR()
	b.elect(r)
	if r.Leader == metadata.NoLeaderChange && !containsAll(b.replicas, b.was.Replicas) {
		r.Leader = b.was.Leader // a replica goes: the leader epoch must grow
	}
	b.setELR(r)
	if r.Isr == nil && (len(b.isr) > 0 || b.elr) && !slices.Equal(b.isr, b.was.ISR) {
		r.Isr = listed(b.isr)
	}
	b.setLastKnownLeader(r)
	b.setAssignment(r)
	if b.recovery != b.was.LeaderRecovery {
		r.LeaderRecoveryState = int8(b.recovery)
	}
	if b.empty(r) {
		return nil
	}
	return r
}

// listed copies a list so that an empty one is not null, which would mean no change.
func listed(ids []int32) []int32 { return append([]int32{}, ids...) }

func containsAll(list, wanted []int32) bool {
	return !slices.ContainsFunc(wanted, func(id int32) bool { return !slices.Contains(list, id) })
}

func without(list []int32, gone ...int32) []int32 {
	return slices.DeleteFunc(slices.Clone(list), func(id int32) bool { return slices.Contains(gone, id) })
}

func (b *partitionChange) empty(r *wire.PartitionChangeRecord) bool {
	return r.Isr == nil && r.EligibleLeaderReplicas == nil && r.Leader == metadata.NoLeaderChange && r.Replicas == nil &&
		r.RemovingReplicas == nil && r.AddingReplicas == nil && r.LastKnownElr == nil &&
		r.LeaderRecoveryState == int8(metadata.RecoveryUnchanged) && r.Directories == nil
}

// completeReassignment ends a reassignment whose new replicas have all joined the ISR.
func (b *partitionChange) completeReassignment() {
	if len(b.removing) == 0 && len(b.adding) == 0 {
		return
	}
	isr, replicas := without(b.isr, b.removing...), without(b.replicas, b.removing...)
	switch {
	case len(isr) == 0 || len(replicas) == 0:
		return
	case !containsAll(isr, b.adding):
		return
	case len(b.adding) < len(b.removing) && !containsAll(isr, replicas):
		return // fewer replicas than before: not with a smaller ISR than necessary
	}
	b.isr, b.replicas, b.removing, b.adding = isr, replicas, nil, nil
}

// populateELR works out the eligible leader replicas: who leaves an ISR below min.insync.replicas still has all
// committed records, unless it lost its disk cache.
func (b *partitionChange) populateELR() {
	if !b.elr {
		return
	}
	if len(b.isr) >= b.minISR {
		b.targetELR = nil
		return
	}
	candidates := slices.Concat(b.targetELR, b.was.ISR)
	slices.Sort(candidates)
	b.targetELR = without(slices.Compact(candidates), append(slices.Clone(b.isr), b.lostData)...)
}

func (b *partitionChange) eligible(id int32) bool {
	return (planted.In(planted.ElectOutOfISR) || slices.Contains(b.isr, id) || len(b.isr) == 0 && slices.Contains(b.targetELR, id)) && b.mayLead(id)
}

// electLeader returns the leader to be, and whether it may have lost records.
func (b *partitionChange) electLeader() (leader int32, unclean bool) {
	order := make([]int32, 0, len(b.replicas)+1)
	if b.election == electPreferred {
		order = append(order, b.replicas[:min(1, len(b.replicas))]...)
	}
	order = append(append(order, b.was.Leader), b.replicas...)
	if i := slices.IndexFunc(order, b.eligible); i >= 0 {
		return order[i], false
	}
	if b.lastKnownLeaderMayLead() {
		return b.was.LastKnownELR[0], true
	}
	if b.election == electUnclean {
		if i := slices.IndexFunc(b.replicas, b.mayLead); i >= 0 {
			return b.replicas[i], true
		}
	}
	return metadata.NoLeader, false
}

// lastKnownLeaderMayLead: with ISR and ELR empty, the last leader has the most records (balanced recovery).
func (b *partitionChange) lastKnownLeaderMayLead() bool {
	return b.elr && len(b.targetELR) == 0 && len(b.isr) == 0 &&
		len(b.was.LastKnownELR) == 1 && b.mayLead(b.was.LastKnownELR[0])
}

func (b *partitionChange) elect(r *wire.PartitionChangeRecord) {
	leader, unclean := b.electLeader()
	if leader == b.was.Leader {
		return
	}
	if slices.Contains(b.targetELR, leader) {
		b.isr = []int32{leader}
		b.targetELR = without(b.targetELR, leader)
	}
	r.Leader = leader
	if unclean {
		r.Isr = []int32{leader}
		if b.was.LeaderRecovery != metadata.Recovering {
			r.LeaderRecoveryState = int8(metadata.Recovering)
		}
	}
}

func (b *partitionChange) setELR(r *wire.PartitionChangeRecord) {
	if r.Isr != nil || !b.elr { // an unclean election, which makes the ELR worthless
		b.targetELR = nil
	}
	if !slices.Equal(b.targetELR, b.was.ELR) {
		r.EligibleLeaderReplicas = listed(b.targetELR)
	}
}

// setLastKnownLeader remembers the leader of a partition that loses it, and forgets it when there is one again.
func (b *partitionChange) setLastKnownLeader(r *wire.PartitionChangeRecord) {
	switch {
	case !b.elr:
	case r.Leader == metadata.NoLeader && len(b.was.LastKnownELR) == 0:
		r.LastKnownElr = []int32{b.was.Leader}
	case r.Leader >= 0 && len(b.was.LastKnownELR) > 0:
		r.LastKnownElr = []int32{}
	}
}

func (b *partitionChange) setAssignment(r *wire.PartitionChangeRecord) {
	if len(b.replicas) > 0 {
		directories := make([]kafka.UUID, len(b.replicas))
		for i, id := range b.replicas {
			directories[i] = b.directoryOf(id)
		}
		if !slices.Equal(directories, b.was.Directories) {
			r.Directories = directories
		}
		if !slices.Equal(b.replicas, b.was.Replicas) {
			r.Replicas = listed(b.replicas)
		}
	}
	if !slices.Equal(b.removing, b.was.Removing) {
		r.RemovingReplicas = listed(b.removing)
	}
	if !slices.Equal(b.adding, b.was.Adding) {
		r.AddingReplicas = listed(b.adding)
	}
}

func (b *partitionChange) directoryOf(id int32) kafka.UUID {
	if dir, found := b.directories[id]; found {
		return dir
	}
	if dir, found := b.was.Directory(id); found {
		return dir
	}
	return b.directory(id)
}
