package metadata

import (
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/planted"
	"github.com/ottla/ottla/internal/wire"
)

// NoLeader is the leader of a partition that has none. NoLeaderChange in a PartitionChangeRecord leaves
// leader and leader epoch as they are (org.apache.kafka.metadata.LeaderConstants).
const (
	NoLeader       int32 = -1
	NoLeaderChange int32 = -2
)

// LeaderRecovery says whether the leader was elected from outside the eligible replicas and has not yet
// recovered (KIP-704).
type LeaderRecovery int8

// The recovery states. RecoveryUnchanged appears only in PartitionChangeRecords.
const (
	RecoveryUnchanged LeaderRecovery = -1
	Recovered         LeaderRecovery = 0
	Recovering        LeaderRecovery = 1
)

// Reserved directory ids (org.apache.kafka.common.DirectoryId, KIP-858).
var (
	DirectoryMigrating  = kafka.UUID{}
	DirectoryUnassigned = kafka.UUID{15: 1}
	DirectoryLost       = kafka.UUID{15: 2}
)

// Partition is the state of one partition. It is never changed: Merge makes the next one.
type Partition struct {
	Leader         int32 // broker id or NoLeader
	LeaderEpoch    int32 // grows with every election
	PartitionEpoch int32 // grows with every change
	LeaderRecovery LeaderRecovery
	Replicas       []int32      // the preferred leader first
	ISR            []int32      // in-sync replicas
	ELR            []int32      // eligible leader replicas: out of the ISR, but with all committed data (KIP-966)
	LastKnownELR   []int32      // with one member: the last leader of a partition that has none
	Adding         []int32      // replicas that a reassignment adds
	Removing       []int32      // replicas that a reassignment removes
	Directories    []kafka.UUID // log directory of each of Replicas, or a reserved id
}

// PartitionOf returns the partition that a PartitionRecord describes.
func PartitionOf(r *wire.PartitionRecord) *Partition {
	return &Partition{
		Leader:         r.Leader,
		LeaderEpoch:    r.LeaderEpoch,
		PartitionEpoch: r.PartitionEpoch,
		LeaderRecovery: LeaderRecovery(r.LeaderRecoveryState),
		Replicas:       slices.Clone(r.Replicas),
		ISR:            slices.Clone(r.Isr),
		ELR:            slices.Clone(r.EligibleLeaderReplicas),
		LastKnownELR:   slices.Clone(r.LastKnownElr),
		Adding:         slices.Clone(r.AddingReplicas),
		Removing:       slices.Clone(r.RemovingReplicas),
		Directories:    directoriesOf(r.Directories, len(r.Replicas)),
	}
}

// directoriesOf fills up what records from before KIP-858 leave out.
func directoriesOf(given []kafka.UUID, replicas int) []kafka.UUID {
	if len(given) == 0 {
		return make([]kafka.UUID, replicas)
	}
	return slices.Clone(given)
}

// Merge returns the partition after a PartitionChangeRecord: a null list or -2 leader changes nothing, a
// leader, even the same, raises the leader epoch, and the partition epoch always grows by one.
func (p *Partition) Merge(r *wire.PartitionChangeRecord) *Partition {
	next := *p
	next.PartitionEpoch++
	if r.Leader != NoLeaderChange {
		next.Leader = r.Leader
		if !planted.In(planted.ReuseEpoch) {
			next.LeaderEpoch++
		}
	}
	if r.LeaderRecoveryState != int8(RecoveryUnchanged) {
		next.LeaderRecovery = LeaderRecovery(r.LeaderRecoveryState)
	}
	replace := func(field *[]int32, given []int32) {
		if given != nil {
			*field = slices.Clone(given)
		}
	}
	replace(&next.Replicas, r.Replicas)
	replace(&next.ISR, r.Isr)
	replace(&next.ELR, r.EligibleLeaderReplicas)
	replace(&next.LastKnownELR, r.LastKnownElr)
	replace(&next.Adding, r.AddingReplicas)
	replace(&next.Removing, r.RemovingReplicas)
	if r.Directories != nil || len(next.Directories) != len(next.Replicas) {
		next.Directories = directoriesOf(r.Directories, len(next.Replicas))
	}
	return &next
}

// withoutELR returns the partition with empty ELR fields, as a ClearElrRecord makes it: p itself if they
// are empty already.
func (p *Partition) withoutELR() *Partition {
	if len(p.ELR) == 0 && len(p.LastKnownELR) == 0 {
		return p
	}
	next := *p
	next.ELR, next.LastKnownELR = nil, nil
	next.PartitionEpoch++
	return &next
}

// Record returns the PartitionRecord that describes the partition from nothing.
func (p *Partition) Record(topicID kafka.UUID, id int32) *wire.PartitionRecord {
	r := &wire.PartitionRecord{
		PartitionID:         id,
		TopicID:             topicID,
		Replicas:            p.Replicas,
		Isr:                 p.ISR,
		RemovingReplicas:    p.Removing,
		AddingReplicas:      p.Adding,
		Leader:              p.Leader,
		LeaderRecoveryState: int8(p.LeaderRecovery),
		LeaderEpoch:         p.LeaderEpoch,
		PartitionEpoch:      p.PartitionEpoch,
		Directories:         p.Directories,
	}
	// Tagged fields: written only where there is something to say, as Kafka does to save space.
	if len(p.ELR) > 0 {
		r.EligibleLeaderReplicas = p.ELR
	}
	if len(p.LastKnownELR) > 0 {
		r.LastKnownElr = p.LastKnownELR
	}
	return r
}

// PreferredLeader is the first replica, or NoLeader if there is none.
func (p *Partition) PreferredLeader() int32 {
	if len(p.Replicas) == 0 {
		return NoLeader
	}
	return p.Replicas[0]
}

// Reassigning reports whether replicas are being added or removed.
func (p *Partition) Reassigning() bool { return len(p.Adding) > 0 || len(p.Removing) > 0 }

// IsReplica reports whether the broker holds a replica.
func (p *Partition) IsReplica(broker int32) bool { return slices.Contains(p.Replicas, broker) }

// InSync reports whether the broker is in the ISR.
func (p *Partition) InSync(broker int32) bool { return slices.Contains(p.ISR, broker) }

// Directory returns the log directory of a broker's replica; found is false if it has none.
func (p *Partition) Directory(broker int32) (dir kafka.UUID, found bool) {
	i := slices.Index(p.Replicas, broker)
	if i < 0 || i >= len(p.Directories) {
		return kafka.UUID{}, false
	}
	return p.Directories[i], true
}
