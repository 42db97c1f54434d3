package metadata

import (
	"fmt"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

func (d *Delta) createTopic(r *wire.TopicRecord) error {
	if old, found := d.topics.get(r.Name); found {
		return fmt.Errorf("topic %q exists already, with id %s; the record has id %s", r.Name, old.ID, r.TopicID)
	}
	if old, found := d.topicsByID.get(r.TopicID); found {
		return fmt.Errorf("topic id %s of %q belongs to topic %q", r.TopicID, r.Name, old.Name)
	}
	d.putTopic(&Topic{Name: r.Name, ID: r.TopicID, owner: d.edit})
	return nil
}

func (d *Delta) putTopic(t *Topic) {
	d.topics = d.topics.set(t.Name, t, d.edit)
	d.topicsByID = d.topicsByID.set(t.ID, t, d.edit)
}

// ownTopic returns a topic whose list of partitions may be written to.
func (d *Delta) ownTopic(id kafka.UUID) (*Topic, error) {
	t, found := d.topicsByID.get(id)
	if !found {
		return nil, fmt.Errorf("there is no topic with id %s", id)
	}
	if t.owner != d.edit {
		t = &Topic{t.Name, t.ID, slices.Clone(t.Partitions), d.edit}
		d.putTopic(t)
	}
	return t, nil
}

func (d *Delta) setPartition(r *wire.PartitionRecord) error {
	if len(r.Directories) > 0 && len(r.Directories) != len(r.Replicas) {
		return fmt.Errorf("partition %d of topic %s has %d directories for %d replicas", r.PartitionID, r.TopicID, len(r.Directories), len(r.Replicas))
	}
	known, _ := d.topicsByID.get(r.TopicID)
	// Partitions are written in order; a gap, like a negative number, is a damaged log.
	if known != nil && (r.PartitionID < 0 || int(r.PartitionID) > len(known.Partitions)) {
		return fmt.Errorf("partition %d of topic %q: its next partition is %d", r.PartitionID, known.Name, len(known.Partitions))
	}
	t, err := d.ownTopic(r.TopicID)
	if err != nil {
		return err
	}
	if p := PartitionOf(r); int(r.PartitionID) == len(t.Partitions) {
		t.Partitions = append(t.Partitions, p)
	} else {
		t.Partitions[r.PartitionID] = p
	}
	return nil
}

func (d *Delta) changePartition(r *wire.PartitionChangeRecord) error {
	known, found := d.topicsByID.get(r.TopicID)
	if !found {
		return fmt.Errorf("there is no topic with id %s", r.TopicID)
	}
	old := known.Partition(r.PartitionID)
	if old == nil {
		return fmt.Errorf("topic %q has no partition %d", known.Name, r.PartitionID)
	}
	replicas := len(old.Replicas)
	if r.Replicas != nil {
		replicas = len(r.Replicas)
	}
	if len(r.Directories) > 0 && len(r.Directories) != replicas {
		return fmt.Errorf("partition %d of topic %q has %d directories for %d replicas", r.PartitionID, known.Name, len(r.Directories), replicas)
	}
	t, err := d.ownTopic(r.TopicID)
	if err != nil {
		return err
	}
	t.Partitions[r.PartitionID] = old.Merge(r)
	return nil
}

func (d *Delta) removeTopic(r *wire.RemoveTopicRecord) error {
	t, found := d.topicsByID.get(r.TopicID)
	if !found {
		return fmt.Errorf("there is no topic with id %s", r.TopicID)
	}
	d.topicsByID = d.topicsByID.remove(t.ID, d.edit)
	d.topics = d.topics.remove(t.Name, d.edit)
	d.configs = d.configs.remove(ConfigResource{ConfigTopic, t.Name}, d.edit)
	return nil
}

func (d *Delta) clearELR(r *wire.ClearElrRecord) error {
	if r.TopicName != "" {
		t, found := d.topics.get(r.TopicName)
		if !found {
			return fmt.Errorf("there is no topic %q", r.TopicName)
		}
		return d.clearTopicELR(t)
	}
	// Collected first: changing a topic writes to the chunks that are being walked.
	for _, t := range slices.Collect(d.topics.values()) {
		if err := d.clearTopicELR(t); err != nil {
			return err
		}
	}
	return nil
}

func (d *Delta) clearTopicELR(t *Topic) error {
	for i, p := range t.Partitions {
		next := p.withoutELR()
		if next == p {
			continue
		}
		owned, err := d.ownTopic(t.ID)
		if err != nil {
			return err
		}
		owned.Partitions[i] = next
	}
	return nil
}
