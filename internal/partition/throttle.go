package partition

import (
	"slices"
	"strconv"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/metrics"
)

// Throttle holds the replicas that catch up to a rate, those of them that operators have named (KIP-73). Replicas in sync are
// never held back, but what they get counts, so that both together keep to the rate as far as those that catch up can see to
// it. Kafka pauses while the rate over a window is too high; here a pause follows what was too much, and the window is only that
// of the rate that operators see, and the longest wait for bytes of replicas in sync.
type Throttle struct {
	node  int32
	rate  func() int64
	named func(*config.Topic) []string
	pace  pace
	took  sampled
}

// LeaderThrottle is for what this broker sends as a leader (leader.replication.throttled.rate, .replicas).
func (s *Set) LeaderThrottle() *Throttle { return s.leaderThrottle }

// FollowerThrottle is for what this broker fetches (follower.replication.throttled.rate, .replicas).
func (s *Set) FollowerThrottle() *Throttle { return s.followerThrottle }

func (s *Set) newThrottles() {
	o := &s.options
	s.leaderThrottle = s.newThrottle("LeaderReplication", o.LeaderRate, config.TopicLeaderReplicationThrottledReplicas)
	s.followerThrottle = s.newThrottle("FollowerReplication", o.FollowerRate, config.TopicFollowerReplicationThrottledReplicas)
}

// newThrottle makes a throttle whose byte-rate is exported as that of Kafka's ReplicationQuotaManager of this type.
func (s *Set) newThrottle(kind string, rate func() int64, named config.TopicList) *Throttle {
	o := &s.options
	t := &Throttle{node: o.Node, rate: rate, named: func(topic *config.Topic) []string { return topic.List(named) }}
	t.took = sampled{samples: o.ThrottleSamples, length: o.ThrottleSample}
	o.Metrics.Gauge(metrics.Name("kafka.server", kind, "byte-rate"), "Bytes per second of replicas that are throttled, while they have a rate to keep to.").
		Func(func() float64 { return t.took.rate(time.Now()) })
	return t
}

// Throttled reports whether the replica of this broker is one of those named; false while there is no limit.
func (t *Throttle) Throttled(p *Partition) bool {
	if t.rate() >= unlimitedRate {
		return false
	}
	named := t.named(p.settings.Load().Topic)
	if len(named) == 0 {
		return false
	}
	own := strconv.Itoa(int(p.name.Partition)) + ":" + strconv.Itoa(int(t.node))
	return slices.Contains(named, "*") || slices.Contains(named, own)
}

// Wait is how long throttled replicas have to pause; 0: not at all.
func (t *Throttle) Wait(now time.Time) time.Duration { return max(0, t.pace.pause(now, 0, t.rate())) }

// Took counts bytes of throttled replicas that catch up.
func (t *Throttle) Took(now time.Time, bytes int) {
	t.took.add(now, bytes)
	t.pace.pause(now, bytes, t.rate())
}

// TookInSync counts bytes of throttled replicas in sync, which nothing holds back: they may be more than the rate for ever. Those
// that catch up wait for them no longer than the window, after which Kafka has forgotten them.
func (t *Throttle) TookInSync(now time.Time, bytes int) {
	t.took.add(now, bytes)
	t.pace.add(now, bytes, t.rate(), t.took.window())
}
