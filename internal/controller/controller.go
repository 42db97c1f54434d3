package controller

import (
	"fmt"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// Options is what a Controller needs to know from outside.
type Options struct {
	ClusterID string
	// Epoch is the leader epoch (term) under which the controller leads.
	Epoch int32
	// Config is this node's configuration without dynamic settings. As in Kafka, those of the broker with this
	// node's id take part in the effective configuration of topics.
	Config *config.Broker
	// Incarnation is the incarnation id of the broker that runs in this process, zero if none does. An earlier
	// incarnation under this node's id is dead for certain, so its session need not run out before the new one
	// may register: a lone node that was killed would wait for 9 s, as Kafka does.
	Incarnation kafka.UUID
	// Bootstrap are the records that the log of a new cluster begins with, as the node was formatted; nil: those of the newest release.
	Bootstrap []wire.Message
	// Predecessor is the node that was the active controller before, and PredecessorHeard when this node last heard of it,
	// as a voter: a leader of the metadata quorum speaks many times a second. The zero time if that is not known. If a broker
	// runs on that node, its session began then: who lost controller and broker in one need not wait for one after the other.
	Predecessor      int32
	PredecessorHeard time.Time
	// KRaft is the metadata quorum, which keeps kraft.version; nil stands for one with version 1.
	KRaft KRaft
	// NewID draws topic ids, Random a number in [0, n).
	NewID  func() kafka.UUID
	Random func(n int) int
}

// KRaft is what the controller asks the metadata quorum about kraft.version (Kafka's KRaftVersionAccessor).
type KRaft interface {
	// KRaftVersion is the finalised level.
	KRaftVersion() int16
	// UpgradeKRaftVersion appends the records of a higher level, or only says whether that can be: INVALID_UPDATE_VERSION,
	// NOT_CONTROLLER.
	UpgradeKRaftVersion(level int16, validateOnly bool) error
}

// kraftLevel is the finalised level of kraft.version.
func (c *Controller) kraftLevel() int16 {
	if c.options.KRaft == nil {
		return KRaftLevel
	}
	return c.options.KRaft.KRaftVersion()
}

// Controller decides for one cluster while its node leads the metadata log. Its methods are called one at a
// time, by a statemachine.Engine.
type Controller struct {
	options        Options
	sessionTimeout time.Duration // broker.session.timeout.ms
	// heartbeatInterval is broker.heartbeat.interval.ms of this node, and likely of the others.
	heartbeatInterval time.Duration
	balanceEvery      time.Duration  // leader.imbalance.check.interval.seconds; 0: leaders stay where they are
	uncleanEvery      time.Duration  // unclean.leader.election.interval.ms
	view              *config.Broker // see broker

	// Durable state: what the log says.
	delta   *metadata.Delta
	current *metadata.Image
	stale   bool  // delta is ahead of current
	last    int64 // offset of the newest record replayed, -1 if none
	folded  nameFolds
	// registeredAt holds the offset of each broker's RegisterBrokerRecord: a broker that has read up to it has
	// seen itself registered.
	registeredAt map[int32]int64

	// Soft state.
	active      bool
	sessions    map[int32]*session
	nextBalance time.Time
	nextUnclean time.Time
}

var _ statemachine.Machine = (*Controller)(nil)

// New returns a Controller with an empty image; the engine replays the log into it. It decides nothing before
// Activate.
func New(options Options) *Controller {
	empty := metadata.Empty(options.ClusterID)
	c := &Controller{
		options:      options,
		view:         options.Config,
		delta:        empty.Change(),
		current:      empty,
		last:         -1,
		folded:       nameFolds{},
		registeredAt: map[int32]int64{},
		sessions:     map[int32]*session{},
	}
	c.sessionTimeout = options.Config.Duration(config.BrokerSessionTimeoutMs)
	c.heartbeatInterval = options.Config.Duration(config.BrokerHeartbeatIntervalMs)
	c.uncleanEvery = options.Config.Duration(config.UncleanLeaderElectionIntervalMs)
	if options.Config.Bool(config.AutoLeaderRebalanceEnable) {
		c.balanceEvery = options.Config.Duration(config.LeaderImbalanceCheckIntervalSeconds)
	}
	return c
}

// Image returns the metadata after everything that was replayed, committed or not.
func (c *Controller) Image() *metadata.Image {
	if c.stale {
		c.current = c.delta.Apply(c.last, c.options.Epoch)
		c.stale = false
		c.settleShutdowns()
	}
	return c.current
}

// Replay implements statemachine.Machine. The value of a record is one framed cluster metadata record.
func (c *Controller) Replay(offset int64, r statemachine.Record) error {
	record, _, err := wire.DecodeMetadataRecord(r.Value)
	if err != nil {
		return fmt.Errorf("metadata record at offset %d: %w", offset, err)
	}
	removed := c.removedTopic(record)
	if err := c.delta.ReplayAt(offset, record); err != nil {
		return err
	}
	c.stale = true
	c.last = max(c.last, offset)
	switch r := record.(type) {
	case *wire.TopicRecord:
		c.folded.add(r.Name)
	case *wire.RemoveTopicRecord:
		c.folded.remove(removed)
	case *wire.RegisterBrokerRecord:
		c.registeredAt[r.BrokerID] = offset
		c.sessions[r.BrokerID] = c.sessions[r.BrokerID].registered(r.BrokerEpoch)
	case *wire.UnregisterBrokerRecord:
		delete(c.registeredAt, r.BrokerID)
		delete(c.sessions, r.BrokerID)
	case *wire.BrokerRegistrationChangeRecord:
		c.sessions[r.BrokerID].changed(r)
	}
	return nil
}

// removedTopic returns the name of the topic that the record is about to remove.
func (c *Controller) removedTopic(record wire.Message) string {
	if r, ok := record.(*wire.RemoveTopicRecord); ok {
		if t := c.delta.TopicByID(r.TopicID); t != nil {
			return t.Name
		}
	}
	return ""
}

// Wake implements statemachine.Machine: it activates a new controller, fences one silent broker, or moves
// leaders. One thing at a time, so that the next sees the effect of the one before.
func (c *Controller) Wake(now time.Time) statemachine.Output {
	if !c.active {
		return c.Activate(now)
	}
	c.forgiveOversleep(now)
	if id, found := c.silentBroker(now); found {
		return c.fenceSilent(now, id)
	}
	return c.moveLeaders(now)
}

// NextWake implements statemachine.Machine.
func (c *Controller) NextWake() time.Time {
	if !c.active {
		return time.Unix(0, 0) // at once
	}
	next := c.nextExpiry()
	for _, t := range []time.Time{c.nextBalance, c.nextUnclean} {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	return next
}
