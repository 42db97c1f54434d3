package partition

import (
	"iter"
	"log/slog"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/metrics"
)

// Options say which broker a Set is for.
type Options struct {
	// Node is the broker's id.
	Node int32
	// Dirs are its log directories, open.
	Dirs []*commitlog.Dir
	// TopicConfig works out a topic's settings from the image.
	TopicConfig func(im *metadata.Image, topic string) *config.Topic
	// ProducerExpiration is producer.id.expiration.ms at the moment; nil: that setting's default.
	ProducerExpiration func() time.Duration
	// Metrics exports the traffic of topics; nil keeps it to itself.
	Metrics *metrics.Registry
	Logger  *slog.Logger
	// Cordoned reports whether a directory gets no new replicas (cordoned.log.dirs); nil: none is.
	Cordoned func(*commitlog.Dir) bool
	// Assign is told in which directory a replica is when the image says something else; nil: nobody is.
	Assign func(Assignment)
	// MoveThreads is how many replicas move between directories at a time (num.replica.alter.log.dirs.threads), MoveRate how
	// many bytes per second all of them together (replica.alter.log.dirs.io.max.bytes.per.second); nil: as many as there are
	// directories, as fast as they can.
	MoveThreads func() int
	MoveRate    func() int64
	// Propose asks the controller for a change of an in-sync set, and calls done once with its answer, however long that
	// takes; nil: nothing is proposed.
	Propose func(x Proposal, done func(Verdict))
	// BrokerEpoch is that of this broker's registration; nil: not known.
	BrokerEpoch func() int64
	// LeaderRate and FollowerRate are leader.replication.throttled.rate and follower.replication.throttled.rate, in bytes per
	// second; nil: no limit.
	LeaderRate   func() int64
	FollowerRate func() int64
	// ThrottleSamples of ThrottleSample each are the window of these rates (replication.quota.window.num and .size.seconds);
	// 0: those settings' defaults.
	ThrottleSamples int
	ThrottleSample  time.Duration
	// Role is told when a hosted replica may have come to lead or follow, under another epoch or another leader, and when it is
	// gone: Partition.State and Gone say what is true then. Must not block; nil: nobody is told.
	Role func(*Partition)
	// ReplicaLag is replica.lag.time.max.ms at the moment; nil: that setting's default.
	ReplicaLag func() time.Duration
}

// The defaults of replica.lag.time.max.ms, replication.quota.window.num and replication.quota.window.size.seconds.
const (
	defaultReplicaLag      = 30 * time.Second
	defaultThrottleSamples = 11
	defaultThrottleSample  = time.Second
)

func (o *Options) setDefaults() {
	if o.Metrics == nil {
		o.Metrics = metrics.NewRegistry()
	}
	if o.ProducerExpiration == nil {
		o.ProducerExpiration = func() time.Duration { return commitlog.DefaultConfig().ProducerExpiration }
	}
	if o.Cordoned == nil {
		o.Cordoned = func(*commitlog.Dir) bool { return false }
	}
	if o.Assign == nil {
		o.Assign = func(Assignment) {}
	}
	if o.MoveThreads == nil {
		o.MoveThreads = func() int { return len(o.Dirs) }
	}
	if o.MoveRate == nil {
		o.MoveRate = func() int64 { return math.MaxInt64 }
	}
	if o.Propose == nil {
		o.Propose = func(Proposal, func(Verdict)) {}
	}
	for _, rate := range []*func() int64{&o.LeaderRate, &o.FollowerRate} {
		if *rate == nil {
			*rate = func() int64 { return math.MaxInt64 }
		}
	}
	if o.ThrottleSamples == 0 {
		o.ThrottleSamples = defaultThrottleSamples
	}
	if o.ThrottleSample == 0 {
		o.ThrottleSample = defaultThrottleSample
	}
	if o.Role == nil {
		o.Role = func(*Partition) {}
	}
	if o.BrokerEpoch == nil {
		o.BrokerEpoch = func() int64 { return -1 }
	}
	if o.ReplicaLag == nil {
		o.ReplicaLag = func() time.Duration { return defaultReplicaLag }
	}
}

// Set holds the partitions that this broker hosts. Lookups may come from any goroutine; Apply comes from the one that
// publishes metadata images.
type Set struct {
	options Options
	traffic *trafficFamilies
	inSync  *inSyncCounters
	mover   *mover

	leaderThrottle, followerThrottle *Throttle

	// changing orders what changes the hosted replicas: images, moves to other directories, failures of directories.
	changing sync.Mutex
	// preferred are the directories in which replicas are to be that are not here yet, guarded by changing.
	preferred map[kafka.TopicPartition]*commitlog.Dir
	// catchingUp is set until the first image was applied: replicas in it may have been here before. Guarded by changing.
	catchingUp bool

	mu struct {
		sync.RWMutex
		topics  map[string]*hosting
		offline map[kafka.TopicPartition]offline
		image   *metadata.Image
	}
}

// hosting is what this broker hosts of a topic.
type hosting struct {
	partitions []*Partition // by number; nil where another broker hosts it
	count      int          // of those that are not nil
}

// offline is a replica that could not be hosted.
type offline struct {
	topicID kafka.UUID
	reason  error
}

// NewSet returns a Set that hosts nothing until its first Apply.
func NewSet(options Options) *Set {
	options.setDefaults()
	s := &Set{options: options, traffic: newTrafficFamilies(options.Metrics), inSync: newInSyncCounters(options.Metrics), preferred: map[kafka.TopicPartition]*commitlog.Dir{}, catchingUp: true}
	s.mover = newMover(s)
	s.newThrottles()
	s.mu.topics = map[string]*hosting{}
	s.mu.offline = map[kafka.TopicPartition]offline{}
	s.mu.image = metadata.Empty("")
	return s
}

// Get returns a partition that this broker hosts. Otherwise NOT_LEADER_OR_FOLLOWER if the topic has such a partition
// elsewhere, KAFKA_STORAGE_ERROR if its log directory is offline, UNKNOWN_TOPIC_OR_PARTITION if there is none.
func (s *Set) Get(topic string, partition int32) (*Partition, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if hosted := s.mu.topics[topic]; hosted != nil && partition >= 0 && int(partition) < len(hosted.partitions) {
		if p := hosted.partitions[partition]; p != nil {
			return p, nil
		}
	}
	name := kafka.TopicPartition{Topic: topic, Partition: partition}
	if replica, is := s.mu.offline[name]; is {
		return nil, kafka.Errorf(kafka.KafkaStorageError, "%s is offline on broker %d: %v", name, s.options.Node, replica.reason)
	}
	if s.mu.image.Partition(name) != nil {
		return nil, kafka.Errorf(kafka.NotLeaderOrFollower, "broker %d hosts no replica of %s", s.options.Node, name)
	}
	return nil, kafka.Errorf(kafka.UnknownTopicOrPartition, "This server does not host this topic-partition.")
}

// All yields the hosted partitions, by topic and number.
func (s *Set) All() iter.Seq[*Partition] {
	s.mu.RLock()
	topics := slices.Sorted(maps.Keys(s.mu.topics))
	var all []*Partition
	for _, topic := range topics {
		all = append(all, s.mu.topics[topic].partitions...)
	}
	s.mu.RUnlock()
	return present(all)
}

// of yields the hosted partitions of one topic.
func (s *Set) of(topic string) iter.Seq[*Partition] {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if hosted := s.mu.topics[topic]; hosted != nil {
		return present(slices.Clone(hosted.partitions))
	}
	return present(nil)
}

func present(all []*Partition) iter.Seq[*Partition] {
	return func(yield func(*Partition) bool) {
		for _, p := range all {
			if p != nil && !yield(p) {
				return
			}
		}
	}
}

// Close stops the moves between directories; the next start goes on with them.
func (s *Set) Close() { s.mover.close() }

// Cordoned reports whether a directory gets no new replicas.
func (s *Set) Cordoned(dir *commitlog.Dir) bool { return s.options.Cordoned(dir) }

// Dirs are the log directories, offline ones included.
func (s *Set) Dirs() []*commitlog.Dir { return s.options.Dirs }

// currentImage is the image that was applied last.
func (s *Set) currentImage() *metadata.Image {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.mu.image
}

// brokerEpoch is the epoch under which a broker is registered; known is false if it is not.
func (s *Set) brokerEpoch(id int32) (epoch int64, known bool) {
	if b := s.currentImage().Broker(id); b != nil {
		return b.Epoch, true
	}
	return -1, false
}

// put makes a partition visible to lookups.
func (s *Set) put(p *Partition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.mu.offline, p.name)
	hosted := s.mu.topics[p.name.Topic]
	if hosted == nil {
		hosted = new(hosting)
		s.mu.topics[p.name.Topic] = hosted
	}
	for int(p.name.Partition) >= len(hosted.partitions) {
		hosted.partitions = append(hosted.partitions, nil)
	}
	if hosted.partitions[p.name.Partition] == nil {
		hosted.count++
	}
	hosted.partitions[p.name.Partition] = p
}

// take takes a partition, hosted or offline, out of lookups if it belongs to the topic with this id, and returns it if
// it was hosted.
func (s *Set) take(name kafka.TopicPartition, topicID kafka.UUID) *Partition {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.offline[name].topicID == topicID {
		delete(s.mu.offline, name)
	}
	hosted := s.mu.topics[name.Topic]
	if hosted == nil || int(name.Partition) >= len(hosted.partitions) {
		return nil
	}
	p := hosted.partitions[name.Partition]
	if p == nil || p.topicID != topicID {
		return nil
	}
	hosted.partitions[name.Partition] = nil
	if hosted.count--; hosted.count == 0 {
		delete(s.mu.topics, name.Topic)
	}
	return p
}

// putOffline notes why a replica cannot be hosted.
func (s *Set) putOffline(name kafka.TopicPartition, topicID kafka.UUID, reason error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.offline[name] = offline{topicID, reason}
}
