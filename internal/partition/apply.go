package partition

import (
	"errors"
	"fmt"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// Apply does what a new metadata image asks of this broker: logs of new replicas are made, those of deleted topics
// go, leaders and settings change. Failures are logged and take the partition offline; they never stop the others.
func (s *Set) Apply(_, next *metadata.Image, changes *metadata.Changes) {
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
		return
	}
	if hosted != nil {
		s.remove(name, hosted.topicID)
	}
	p, err := s.host(settings, c.Topic, name, c.After)
	if err != nil {
		s.options.Logger.Error("a partition cannot be hosted", "partition", name.String(), "error", err)
		s.putOffline(name, c.Topic.ID, err)
		return
	}
	s.put(p)
}

// host opens or makes the log of a replica.
func (s *Set) host(settings *topicSettings, topic *metadata.Topic, name kafka.TopicPartition, state *metadata.Partition) (*Partition, error) {
	inForce, err := settings.of(topic.Name)
	if err != nil {
		return nil, err
	}
	dir, log, err := s.openLog(topic.ID, name, inForce.Log)
	if err != nil {
		return nil, err
	}
	return newPartition(s.options.Node, dir, log, s.traffic, state, inForce), nil
}

func (s *Set) openLog(topicID kafka.UUID, name kafka.TopicPartition, c commitlog.Config) (*commitlog.Dir, *commitlog.Log, error) {
	for _, dir := range s.options.Dirs {
		log := dir.Log(name)
		if log == nil {
			continue
		}
		if log.TopicID() == topicID || log.TopicID().IsZero() {
			log.Configure(c)
			log, err := dir.Create(name, topicID, c) // which gives it the id, if it has none
			return dir, log, err
		}
		// The log belongs to a topic of the same name that was deleted while this broker was away.
		if err := dir.Delete(name); err != nil {
			return nil, nil, err
		}
	}
	dir, err := s.roomiest()
	if err != nil {
		return nil, nil, err
	}
	log, err := dir.Create(name, topicID, c)
	return dir, log, err
}

// roomiest is the online directory with the fewest logs, as in Kafka.
func (s *Set) roomiest() (*commitlog.Dir, error) {
	var best *commitlog.Dir
	var fewest int
	var failures []error
	for _, dir := range s.options.Dirs {
		if err := dir.Failed(); err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", dir.Path(), err))
			continue
		}
		if n := dir.Count(); best == nil || n < fewest {
			best, fewest = dir, n
		}
	}
	if best == nil {
		return nil, fmt.Errorf("no log directory is online: %w", errors.Join(failures...))
	}
	return best, nil
}

// removeTopic ends the replicas of a topic.
func (s *Set) removeTopic(topic *metadata.Topic) {
	logs := map[*commitlog.Dir][]kafka.TopicPartition{}
	for id := range topic.Partitions {
		name := kafka.TopicPartition{Topic: topic.Name, Partition: int32(id)}
		if p := s.retire(name, topic.ID); p != nil {
			logs[p.dir] = append(logs[p.dir], name)
		}
	}
	for dir, names := range logs {
		if err := dir.DeleteAll(names); err != nil {
			s.options.Logger.Error("the logs of a deleted topic cannot be deleted", "topic", topic.Name, "dir", dir.Path(), "error", err)
		}
	}
	s.traffic.forget(topic.Name)
}

// remove ends one replica, with its log.
func (s *Set) remove(name kafka.TopicPartition, topicID kafka.UUID) {
	p := s.retire(name, topicID)
	if p == nil {
		return
	}
	if err := p.dir.Delete(name); err != nil {
		s.options.Logger.Error("the log of a removed replica cannot be deleted", "partition", name.String(), "error", err)
	}
}

// retire takes a replica out of service: requests that wait are told. It returns the replica if its log is to go.
func (s *Set) retire(name kafka.TopicPartition, topicID kafka.UUID) *Partition {
	p := s.take(name, topicID)
	if p == nil {
		return nil
	}
	p.end(errDeleted(name))
	if p.dir.Log(name) != p.log {
		return nil
	}
	return p
}

// DirectoryFailed ends the partitions whose logs are in a directory that went offline: requests that wait, and those
// that come, get KAFKA_STORAGE_ERROR.
func (s *Set) DirectoryFailed(path string, reason error) {
	for p := range s.All() {
		if p.dir.Path() == path {
			p.end(kafka.Errorf(kafka.KafkaStorageError, "%s is offline on broker %d: log directory %s failed: %v", p.name, s.options.Node, path, reason))
		}
	}
}

// Strays yields the logs on disk that belong to no partition of the image: topics deleted, or moved, while this broker
// was away. It makes sense once the image has caught up with the cluster. The log of a replica that could not be hosted
// is no stray, nor is a second log of a replica: nobody can tell which of the two should go.
func (s *Set) Strays() map[*commitlog.Dir][]*commitlog.Log {
	s.mu.RLock()
	image := s.mu.image
	s.mu.RUnlock()
	strays := map[*commitlog.Dir][]*commitlog.Log{}
	for _, dir := range s.options.Dirs {
		for _, log := range dir.Logs() {
			name := log.TopicPartition()
			if name.Topic == kafka.MetadataTopic {
				continue
			}
			topic, state := image.Topic(name.Topic), image.Partition(name)
			if state == nil || !state.IsReplica(s.options.Node) || (topic.ID != log.TopicID() && !log.TopicID().IsZero()) {
				strays[dir] = append(strays[dir], log)
			}
		}
	}
	return strays
}
