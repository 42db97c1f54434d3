package partition

import (
	"slices"
	"strconv"
	"time"

	"github.com/ottla/ottla/internal/config"
)

// Throttle holds the replicas that catch up to a rate, those of them that operators have named (KIP-73). Replicas in sync are
// never held back, but what they get counts, so that both together keep to the rate as far as those that catch up can see to
// it. Kafka measures a rate over replication.quota.window.num samples; here a pause follows what was too much.
type Throttle struct {
	node  int32
	rate  func() int64
	named func(*config.Topic) []string
	pace  pace
}

// LeaderThrottle is for what this broker sends as a leader (leader.replication.throttled.rate, .replicas).
func (s *Set) LeaderThrottle() *Throttle { return s.leaderThrottle }

// FollowerThrottle is for what this broker fetches (follower.replication.throttled.rate, .replicas).
func (s *Set) FollowerThrottle() *Throttle { return s.followerThrottle }

func (s *Set) newThrottles() {
	o := &s.options
	s.leaderThrottle = &Throttle{node: o.Node, rate: o.LeaderRate, named: func(t *config.Topic) []string {
		return t.List(config.TopicLeaderReplicationThrottledReplicas)
	}}
	s.followerThrottle = &Throttle{node: o.Node, rate: o.FollowerRate, named: func(t *config.Topic) []string {
		return t.List(config.TopicFollowerReplicationThrottledReplicas)
	}}
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
func (t *Throttle) Took(now time.Time, bytes int) { t.pace.pause(now, bytes, t.rate()) }

// inSyncWindow is how long those that catch up wait at most for bytes that went to replicas in sync: Kafka's
// replication.quota.window.num samples of replication.quota.window.size.seconds, which it forgets after that.
const inSyncWindow = 11 * time.Second

// TookInSync counts bytes of throttled replicas in sync, which nothing holds back: they may be more than the rate for ever.
func (t *Throttle) TookInSync(now time.Time, bytes int) {
	t.pace.add(now, bytes, t.rate(), inSyncWindow)
}
