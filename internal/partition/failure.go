package partition

import (
	"fmt"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// DirectoryFailed ends the partitions whose logs are in a directory that went offline: requests that wait, and those
// that come, get KAFKA_STORAGE_ERROR, until the broker is started again. Moves to that directory end; those from it, too,
// but their copies stay on disk.
func (s *Set) DirectoryFailed(path string, reason error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	for p := range s.All() {
		if m := s.mover.of(p); m != nil && m.to.Path() == path {
			s.options.Logger.Error("a replica cannot move to a log directory that is offline", "partition", p.name.String(), "to", path)
			s.endMove(p, true)
		}
		if p.Dir().Path() != path {
			continue
		}
		s.endMove(p, false)
		failed := fmt.Errorf("log directory %s failed: %w", path, reason)
		s.take(p.name, p.topicID)
		s.putOffline(p.name, p.topicID, failed)
		p.end(kafka.Errorf(kafka.KafkaStorageError, "%s is offline on broker %d: %v", p.name, s.options.Node, failed))
		s.options.Role(p)
	}
}

// isOffline reports whether a replica is known to be in a directory that is offline.
func (s *Set) isOffline(name kafka.TopicPartition, topicID kafka.UUID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	replica, is := s.mu.offline[name]
	return is && replica.topicID == topicID
}

// Offline is the number of replicas that are in offline directories.
func (s *Set) Offline() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.mu.offline)
}

// reconsider tries again to host replicas of a topic that are offline: its settings have changed, and so what may be done
// about them.
func (s *Set) reconsider(settings *topicSettings, topic *metadata.Topic) {
	for id, state := range topic.Partitions {
		name := kafka.TopicPartition{Topic: topic.Name, Partition: int32(id)}
		if s.isOffline(name, topic.ID) && state.IsReplica(s.options.Node) {
			s.bring(settings, topic, name, state)
		}
	}
}

// Strays yields the logs on disk that belong to no partition of the image: topics deleted, or moved, while this broker
// was away. It makes sense once the image has caught up with the cluster. The log of a replica that could not be hosted
// is no stray, nor is a second log of a replica: nobody can tell which of the two should go.
func (s *Set) Strays() map[*commitlog.Dir][]*commitlog.Log {
	strays := map[*commitlog.Dir][]*commitlog.Log{}
	for _, dir := range s.options.Dirs {
		for _, log := range dir.Logs() {
			if log.TopicPartition().Topic != kafka.MetadataTopic && s.isStray(log) {
				strays[dir] = append(strays[dir], log)
			}
		}
	}
	return strays
}

// StrayCopies are the copies of replicas that were being made and whose partitions are not here any more.
func (s *Set) StrayCopies() map[*commitlog.Dir][]*commitlog.Log {
	strays := map[*commitlog.Dir][]*commitlog.Log{}
	for _, dir := range s.options.Dirs {
		for _, future := range dir.Futures() {
			if s.isStray(future) {
				strays[dir] = append(strays[dir], future)
			}
		}
	}
	return strays
}

func (s *Set) isStray(log *commitlog.Log) bool {
	image := s.currentImage()
	name := log.TopicPartition()
	topic, state := image.Topic(name.Topic), image.Partition(name)
	return state == nil || !state.IsReplica(s.options.Node) || (topic.ID != log.TopicID() && !log.TopicID().IsZero())
}
