package tools

import (
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// consumerSettings are the properties of a consumer, checked.
type consumerSettings struct {
	opts           []kgo.Opt // of every consumer
	groupOpts      []kgo.Opt // of a member of a group
	reset          resetPolicy
	autoCommit     bool
	commitInterval time.Duration
	readCommitted  bool
	maxPoll        int
	allowCreate    bool
}

// A resetPolicy says where a partition without a committed offset begins.
type resetPolicy struct {
	name string        // earliest, latest, none or by_duration
	back time.Duration // of by_duration
}

// consumer reads and checks the properties of a consumer. Defaults are those of Kafka's consumer.
func (s *settings) consumer(clientID string) consumerSettings {
	c := consumerSettings{
		reset:          s.resetPolicy(),
		autoCommit:     s.bool("enable.auto.commit", true),
		commitInterval: s.milliseconds("auto.commit.interval.ms", 5*time.Second),
		readCommitted:  strings.EqualFold(s.oneOf("isolation.level", "read_uncommitted", "read_committed", "read_uncommitted"), "read_committed"),
		maxPoll:        int(s.int32("max.poll.records", 500, 1)),
	}
	c.opts = append(s.connection(),
		kgo.ClientID(s.text("client.id", clientID)),
		kgo.FetchMinBytes(max(s.int32("fetch.min.bytes", 1, 0), 1)),
		kgo.FetchMaxBytes(max(s.int32("fetch.max.bytes", 50<<20, 0), 1)),
		kgo.FetchMaxPartitionBytes(max(s.int32("max.partition.fetch.bytes", 1<<20, 0), 1)),
		kgo.FetchMaxWait(max(s.milliseconds("fetch.max.wait.ms", 500*time.Millisecond), 10*time.Millisecond)),
		kgo.ConsumeResetOffset(c.reset.offset()))
	if c.readCommitted {
		c.opts = append(c.opts, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	}
	if c.allowCreate = s.bool("allow.auto.create.topics", true); c.allowCreate {
		c.opts = append(c.opts, kgo.AllowAutoTopicCreation())
	}
	if !s.bool("check.crcs", true) {
		c.opts = append(c.opts, kgo.DisableFetchCRCValidation())
	}
	if rack := s.text("client.rack", ""); rack != "" {
		c.opts = append(c.opts, kgo.Rack(rack))
	}
	s.groupMember(&c)
	return c
}

func (s *settings) groupMember(c *consumerSettings) {
	c.groupOpts = []kgo.Opt{
		kgo.ConsumerGroup(s.text("group.id", "")),
		kgo.SessionTimeout(max(s.milliseconds("session.timeout.ms", 45*time.Second), 100*time.Millisecond)),
		kgo.HeartbeatInterval(max(s.milliseconds("heartbeat.interval.ms", 3*time.Second), 10*time.Millisecond)),
		kgo.RebalanceTimeout(max(s.milliseconds("max.poll.interval.ms", 5*time.Minute), 100*time.Millisecond)),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
	}
	if id := s.text("group.instance.id", ""); id != "" {
		c.groupOpts = append(c.groupOpts, kgo.InstanceID(id))
	}
	protocol := strings.ToLower(s.text("group.protocol", "classic"))
	if protocol != "classic" && protocol != "consumer" {
		s.invalid("group.protocol", protocol, "String must be one of (case insensitive): CONSUMER, CLASSIC")
	}
	if protocol == "consumer" {
		c.groupOpts = append(c.groupOpts, kgo.ServerSideBalancer(), kgo.Balancers(s.remoteAssignor()))
		return
	}
	c.groupOpts = append(c.groupOpts, kgo.Balancers(s.assignors()...))
}

func (s *settings) remoteAssignor() kgo.GroupBalancer {
	name := s.text("group.remote.assignor", "uniform")
	if name != "uniform" && name != "range" {
		s.invalid("group.remote.assignor", name, "this tool knows uniform and range")
	}
	if name == "range" {
		return kgo.RangeBalancer()
	}
	return kgo.StickyBalancer()
}

// assignors are the client-side ones that the member offers, first the one it prefers.
func (s *settings) assignors() []kgo.GroupBalancer {
	var balancers []kgo.GroupBalancer
	const prefix = "org.apache.kafka.clients.consumer."
	for class := range strings.SplitSeq(s.text("partition.assignment.strategy", prefix+"RangeAssignor,"+prefix+"CooperativeStickyAssignor"), ",") {
		switch strings.TrimPrefix(strings.TrimSpace(class), prefix) {
		case "RangeAssignor":
			balancers = append(balancers, kgo.RangeBalancer())
		case "RoundRobinAssignor":
			balancers = append(balancers, kgo.RoundRobinBalancer())
		case "StickyAssignor":
			balancers = append(balancers, kgo.StickyBalancer())
		case "CooperativeStickyAssignor":
			balancers = append(balancers, kgo.CooperativeStickyBalancer())
		default:
			s.invalid("partition.assignment.strategy", class, "Class "+class+" could not be found.")
		}
	}
	return balancers
}

func (s *settings) resetPolicy() resetPolicy {
	text := s.text("auto.offset.reset", "latest")
	switch lower := strings.ToLower(text); {
	case lower == "latest", lower == "earliest", lower == "none":
		return resetPolicy{name: lower}
	case strings.HasPrefix(lower, "by_duration:"):
		if d, err := parseISODuration(text[len("by_duration:"):]); err == nil && d >= 0 {
			return resetPolicy{"by_duration", d}
		}
	}
	s.invalid("auto.offset.reset", text, "Invalid value `"+text+"` for configuration auto.offset.reset. "+
		"The value must be either 'earliest', 'latest', 'none' or of the format 'by_duration:<PnDTnHnMn.nS.>'.")
	return resetPolicy{name: "latest"}
}

// offset is the policy for the client, for offsets that fell out of range.
func (p resetPolicy) offset() kgo.Offset {
	switch p.name {
	case "earliest":
		return kgo.NewOffset().AtStart()
	case "none":
		return kgo.NoResetOffset()
	case "by_duration":
		return kgo.NewOffset().AfterMilli(time.Now().Add(-p.back).UnixMilli())
	}
	return kgo.NewOffset().AtEnd()
}

// timestamp is the policy for ListOffsets.
func (p resetPolicy) timestamp(now time.Time) int64 {
	switch p.name {
	case "earliest":
		return earliestTimestamp
	case "by_duration":
		return now.Add(-p.back).UnixMilli()
	}
	return latestTimestamp
}
