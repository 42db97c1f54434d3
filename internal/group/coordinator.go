package group

import (
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/statemachine"
)

// Settings are the broker's settings that a coordinator obeys. They may change while it runs.
type Settings struct {
	MinSessionTimeout, MaxSessionTimeout time.Duration // group.min.session.timeout.ms, group.max.session.timeout.ms
	InitialRebalanceDelay                time.Duration // group.initial.rebalance.delay.ms
	MaxSize                              int           // group.max.size
	MaxMetadataBytes                     int           // offset.metadata.max.bytes, which counts UTF-16 units as Java does
	OffsetsRetention                     time.Duration // offsets.retention.minutes
	ExpiryInterval                       time.Duration // offsets.retention.check.interval.ms

	ConsumerMaxSize    int           // group.consumer.max.size
	Assignors          []string      // group.consumer.assignors, the default first
	Upgrade, Downgrade bool          // group.consumer.migration.policy
	RegexRefresh       time.Duration // group.consumer.regex.refresh.interval.ms

	StreamsMaxSize int // group.streams.max.size
}

// ConsumerSettings are the settings of one consumer group: its own or the broker's.
type ConsumerSettings struct {
	SessionTimeout     time.Duration // consumer.session.timeout.ms
	HeartbeatInterval  time.Duration // consumer.heartbeat.interval.ms
	AssignmentInterval time.Duration // consumer.assignment.interval.ms
}

// StreamsSettings are the settings of one streams group: its own or the broker's.
type StreamsSettings struct {
	SessionTimeout     time.Duration // streams.session.timeout.ms
	HeartbeatInterval  time.Duration // streams.heartbeat.interval.ms
	AssignmentInterval time.Duration // streams.assignment.interval.ms
	InitialDelay       time.Duration // streams.initial.rebalance.delay.ms
	StandbyReplicas    int           // streams.num.standby.replicas
}

// Options are what a coordinator gets from outside.
type Options struct {
	Settings func() Settings
	// Again has the coordinator's engine run a further step: what a step does after its records are committed. It is
	// called without the machine, and may drop the step if the engine has stopped.
	Again func(op func(c *Coordinator, now time.Time) statemachine.Output)
	// Background runs f on a goroutine of its own, now or when there is room for it.
	Background func(f func())
	// NewID draws the random part of member ids.
	NewID func() string
	// Image is the cluster's metadata as this broker knows it.
	Image func() *metadata.Image
	// Consumer returns the settings of one consumer group.
	Consumer func(groupID string) ConsumerSettings
	// Streams returns the settings of one streams group.
	Streams func(groupID string) StreamsSettings
	Logger  *slog.Logger
}

// Coordinator is the state machine of one partition of __consumer_offsets. Its methods are called one at a time.
type Coordinator struct {
	options Options
	// live is false while the log is loaded. From the first step on, groups change by steps, and Replay only removes
	// groups and keeps offsets.
	live   bool
	loaded time.Time // when it became live
	now    time.Time // of the step that runs
	groups map[string]*group
	open   map[int64]openTransaction // by producer id
	clocks map[memberKey]*memberClock
	delays map[string]*alarm // first assignments of streams groups that wait for more members, by group
	alarms alarms
	expiry sweep
	causes causes.Ring[Cause, *Cause]

	image     *metadata.Image // that the last step saw
	newTopics int64           // offset of the image in which topics were last created
	resolving map[string]bool // groups whose regular expressions are being matched

	encoder    offsetEncoder
	recordRoom []statemachine.Record // of the last commit, whose place the next one's take
	topicNames map[string]string     // of the topics with committed offsets: one string each, whatever the number of groups
}

var (
	_ statemachine.Machine       = (*Coordinator)(nil)
	_ statemachine.Transactional = (*Coordinator)(nil)
	_ statemachine.Stopper       = (*Coordinator)(nil)
)

// New returns a coordinator without groups.
func New(options Options) *Coordinator {
	return &Coordinator{
		options: options, groups: map[string]*group{}, open: map[int64]openTransaction{}, clocks: map[memberKey]*memberClock{},
		delays: map[string]*alarm{}, resolving: map[string]bool{}, newTopics: -1, topicNames: map[string]string{},
	}
}

// NextWake implements statemachine.Machine. It costs the same for any number of groups.
func (c *Coordinator) NextWake() time.Time {
	if !c.live {
		return time.Unix(0, 0) // the log is loaded: sessions of members begin at once
	}
	next := c.expiry.next
	if at, ok := c.alarms.next(); ok && at.Before(next) {
		next = at
	}
	return next
}

// Wake implements statemachine.Machine: it rings what is due, or else expires offsets. Alarms whose outcomes are alike
// share a step; one whose answers would hang on another's records ends it.
func (c *Coordinator) Wake(now time.Time) statemachine.Output {
	var out outcome
	c.begin(&out, now)
	for !out.full() && (len(out.Records) == 0 || len(out.Then) == 0) {
		a := c.alarms.due(now)
		if a == nil {
			break
		}
		a.ring(&out, now)
	}
	if len(out.Records) == 0 && len(out.Then) == 0 && !now.Before(c.expiry.next) {
		c.expireOffsets(&out, now)
	}
	return out.Output
}

// begun is a step's outcome after begin. That it stays off the heap in all steps but the first is what it is for.
func (c *Coordinator) begun(now time.Time) outcome {
	if c.live {
		c.now = now
		return outcome{}
	}
	var out outcome
	c.begin(&out, now)
	return out
}

// begin makes the first step after the load set the clocks of all groups going.
func (c *Coordinator) begin(out *outcome, now time.Time) {
	c.now = now
	if c.live {
		return
	}
	c.live, c.loaded = true, now
	c.expiry.next = now.Add(c.options.Settings().ExpiryInterval)
	for _, g := range c.sorted() {
		g.kind.begin(c, out, now)
	}
}

// look returns the cluster's metadata for this step, and notices when topics were created.
func (c *Coordinator) look() *metadata.Image {
	next := c.options.Image()
	switch {
	case next == c.image:
	case c.image == nil, len(metadata.Diff(c.image, next).TopicsCreated) > 0:
		c.newTopics = next.Offset()
	}
	c.image = next
	return next
}

// inStep has a further step of this coordinator run, not of one that has taken its place.
func (c *Coordinator) inStep(op func(out *outcome, now time.Time)) {
	c.options.Again(func(current *Coordinator, now time.Time) statemachine.Output {
		var out outcome
		if current == c {
			c.begin(&out, now)
			op(&out, now)
		}
		return out.Output
	})
}

// Stopped implements statemachine.Stopper: requests that wait are told.
func (c *Coordinator) Stopped(err error) {
	for _, g := range c.sorted() {
		g.kind.stop(err)
	}
}

// sorted lists the groups by id: what depends on the order of a map would differ from run to run.
func (c *Coordinator) sorted() []*group {
	groups := make([]*group, 0, len(c.groups))
	for _, id := range slices.Sorted(maps.Keys(c.groups)) {
		groups = append(groups, c.groups[id])
	}
	return groups
}

// forget removes a group. Offsets that were not deleted with it stay, as those of a group that only keeps offsets: Kafka
// writes such a tombstone when a group changes its protocol.
func (c *Coordinator) forget(g *group) {
	newClassicGroup(g)
	if len(g.offsets)+len(g.pending) == 0 {
		delete(c.groups, g.id)
	}
}
