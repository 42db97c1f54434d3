package controller

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/wire"
)

// drawRecord is a metadata record in one short line.
func (k *cluster) drawRecord(m wire.Message) string {
	name := func(id kafka.UUID) string {
		if t := k.c.Image().TopicByID(id); t != nil {
			return t.Name
		}
		return k.drawID(id)
	}
	switch r := m.(type) {
	case *wire.TopicRecord:
		return "topic " + r.Name
	case *wire.RemoveTopicRecord:
		return "remove topic " + name(r.TopicID)
	case *wire.PartitionRecord:
		return fmt.Sprintf("partition %s-%d %s", name(r.TopicID), r.PartitionID, k.drawPartition(metadata.PartitionOf(r)))
	case *wire.PartitionChangeRecord:
		return fmt.Sprintf("change %s-%d%s", name(r.TopicID), r.PartitionID, k.drawChange(r))
	case *wire.ConfigRecord:
		if r.Value == nil {
			return fmt.Sprintf("config %d/%s %s removed", r.ResourceType, r.ResourceName, r.Name)
		}
		return fmt.Sprintf("config %d/%s %s=%s", r.ResourceType, r.ResourceName, r.Name, *r.Value)
	case *wire.ClearElrRecord:
		return fmt.Sprintf("clear elr %q", r.TopicName)
	case *wire.FeatureLevelRecord:
		return fmt.Sprintf("feature %s=%d", r.Name, r.FeatureLevel)
	case *wire.RegisterBrokerRecord:
		return fmt.Sprintf("register broker %d epoch %d fenced=%v", r.BrokerID, r.BrokerEpoch, r.Fenced)
	case *wire.UnregisterBrokerRecord:
		return fmt.Sprintf("unregister broker %d epoch %d", r.BrokerID, r.BrokerEpoch)
	case *wire.BrokerRegistrationChangeRecord:
		return fmt.Sprintf("broker %d%s", r.BrokerID, k.drawRegistrationChange(r))
	case *wire.ProducerIdsRecord:
		return fmt.Sprintf("producer ids below %d to broker %d", r.NextProducerID, r.BrokerID)
	}
	return fmt.Sprintf("%T", m)
}

func (k *cluster) drawRegistrationChange(r *wire.BrokerRegistrationChangeRecord) (text string) {
	switch {
	case r.Fenced > 0:
		text += " fenced"
	case r.Fenced < 0:
		text += " unfenced"
	}
	if r.InControlledShutdown > 0 {
		text += " shutting down"
	}
	if len(r.LogDirs) > 0 {
		text += " log dirs " + k.drawIDs(r.LogDirs)
	}
	if r.CordonedLogDirs != nil {
		text += " cordoned " + k.drawIDs(r.CordonedLogDirs)
	}
	return text
}

func (k *cluster) drawChange(r *wire.PartitionChangeRecord) (text string) {
	list := func(name string, ids []int32) {
		if ids != nil {
			text += fmt.Sprintf(" %s=%v", name, ids)
		}
	}
	if r.Leader != metadata.NoLeaderChange {
		text += fmt.Sprintf(" leader=%d", r.Leader)
	}
	list("isr", r.Isr)
	list("elr", r.EligibleLeaderReplicas)
	list("last", r.LastKnownElr)
	list("replicas", r.Replicas)
	list("adding", r.AddingReplicas)
	list("removing", r.RemovingReplicas)
	if r.LeaderRecoveryState >= 0 {
		text += fmt.Sprintf(" recovery=%d", r.LeaderRecoveryState)
	}
	if r.Directories != nil {
		text += " dirs=" + k.drawIDs(r.Directories)
	}
	return text
}

func (k *cluster) drawPartition(p *metadata.Partition) string {
	text := fmt.Sprintf("leader=%d/%d replicas=%v isr=%v", p.Leader, p.LeaderEpoch, p.Replicas, p.ISR)
	list := func(name string, ids []int32) {
		if len(ids) > 0 {
			text += fmt.Sprintf(" %s=%v", name, ids)
		}
	}
	list("elr", p.ELR)
	list("last", p.LastKnownELR)
	list("adding", p.Adding)
	list("removing", p.Removing)
	if p.LeaderRecovery == metadata.Recovering {
		text += " recovering"
	}
	return text
}

// drawID shows a log directory as dBROKER or dBROKER.N, and anything else as a number.
func (k *cluster) drawID(id kafka.UUID) string {
	switch {
	case id[0] == 0xd1 && id[14] > 0:
		return fmt.Sprintf("d%d.%d", id[15], id[14])
	case id[0] == 0xd1:
		return fmt.Sprintf("d%d", id[15])
	}
	return fmt.Sprint(id[15])
}

func (k *cluster) drawIDs(ids []kafka.UUID) string {
	var parts []string
	for _, id := range ids {
		parts = append(parts, k.drawID(id))
	}
	slices.Sort(parts)
	return "[" + strings.Join(parts, " ") + "]"
}
