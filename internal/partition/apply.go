package partition

import (
	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// Apply does what a new metadata image asks of this broker: logs of new replicas are made, those of deleted topics
// go, leaders and settings change. Failures are logged and take the partition offline; they never stop the others.
func (s *Set) Apply(_, next *metadata.Image, changes *metadata.Changes) {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.mu.Lock()
	s.mu.image = next
	s.mu.Unlock()
	for _, topic := range changes.TopicsDeleted {
		s.removeTopic(topic)
	}
	settings := topicSettings{set: s, image: next}
	for _, change := range changes.Partitions {
		s.change(&settings, change)
	}
	s.configure(&settings, changes)
	s.catchingUp = false
}

// change brings one partition to what the image says.
func (s *Set) change(settings *topicSettings, c metadata.PartitionChange) {
	name := kafka.TopicPartition{Topic: c.Topic.Name, Partition: c.ID}
	if !c.After.IsReplica(s.options.Node) {
		s.remove(name, c.Topic.ID)
		return
	}
	hosted, _ := s.Get(name.Topic, name.Partition)
	if hosted != nil && hosted.topicID == c.Topic.ID {
		hosted.become(c.After)
		s.options.Role(hosted)
		if s.mover.of(hosted) == nil {
			s.report(hosted)
		}
		return
	}
	if hosted != nil {
		s.remove(name, hosted.topicID)
	}
	if s.isOffline(name, c.Topic.ID) && s.failures() != nil {
		return // a directory that failed comes back with a restart
	}
	s.bring(settings, c.Topic, name, c.After)
}

// bring makes a replica one of those that are hosted, or notes why that is not possible.
func (s *Set) bring(settings *topicSettings, topic *metadata.Topic, name kafka.TopicPartition, state *metadata.Partition) {
	p, err := s.host(settings, topic, name, state)
	if err == nil {
		s.put(p)
		s.resume(p)
		s.options.Role(p)
		if s.mover.of(p) == nil {
			s.report(p)
		}
		return
	}
	s.options.Logger.Error("a partition cannot be hosted", "partition", name.String(), "error", err)
	s.putOffline(name, topic.ID, err)
	if assigned, _ := state.Directory(s.options.Node); s.online(assigned) != nil || assigned == metadata.DirectoryUnassigned {
		// The controller takes the replica for one that can be used.
		s.options.Assign(Assignment{TopicID: topic.ID, Partition: name.Partition, Dir: metadata.DirectoryLost})
	}
}

// host opens or makes the log of a replica.
func (s *Set) host(settings *topicSettings, topic *metadata.Topic, name kafka.TopicPartition, state *metadata.Partition) (*Partition, error) {
	inForce, err := settings.of(topic.Name)
	if err != nil {
		return nil, err
	}
	at, err := s.place(topic, name, state, inForce)
	if err != nil {
		return nil, err
	}
	at.log.Configure(inForce.Log)
	return newPartition(s, at, state, inForce), nil
}

// removeTopic ends the replicas of a topic.
func (s *Set) removeTopic(topic *metadata.Topic) {
	logs := map[*commitlog.Dir][]kafka.TopicPartition{}
	for id := range topic.Partitions {
		name := kafka.TopicPartition{Topic: topic.Name, Partition: int32(id)}
		if p := s.retire(name, topic.ID); p != nil {
			logs[p.Dir()] = append(logs[p.Dir()], name)
		} else if dir := s.unloadable(name, topic.ID); dir != nil {
			logs[dir] = append(logs[dir], name)
		}
	}
	for dir, names := range logs {
		if err := dir.DeleteAll(names); err != nil {
			s.options.Logger.Error("the logs of a deleted topic cannot be deleted", "topic", topic.Name, "dir", dir.Path(), "error", err)
		}
	}
	s.traffic.forget(topic.Name)
}

// unloadable returns the directory that has a log of the partition which it could not load.
func (s *Set) unloadable(name kafka.TopicPartition, topicID kafka.UUID) *commitlog.Dir {
	for _, dir := range s.options.Dirs {
		if log := dir.Log(name); log != nil && log.Unloadable() != nil && (log.TopicID() == topicID || log.TopicID().IsZero()) {
			return dir
		}
	}
	return nil
}

// remove ends one replica, with its log.
func (s *Set) remove(name kafka.TopicPartition, topicID kafka.UUID) {
	p := s.retire(name, topicID)
	if p == nil {
		return
	}
	if err := p.Dir().Delete(name); err != nil {
		s.options.Logger.Error("the log of a removed replica cannot be deleted", "partition", name.String(), "error", err)
	}
}

// retire takes a replica out of service: requests that wait are told. It returns the replica if its log is to go.
func (s *Set) retire(name kafka.TopicPartition, topicID kafka.UUID) *Partition {
	p := s.take(name, topicID)
	if p == nil {
		return nil
	}
	s.endMove(p, true)
	p.end(errDeleted(name))
	s.options.Role(p)
	if p.Dir().Log(name) != p.Log() {
		return nil
	}
	return p
}
