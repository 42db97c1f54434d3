package group

import (
	"maps"
	"strconv"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/wire"
)

// streamsStep is a heartbeat of one member, who joins or goes on, while it is made.
type streamsStep struct {
	c   *Coordinator
	out *outcome
	now time.Time
	im  *metadata.Image
	g   *streamsGroup
	rq  StreamsHeartbeat

	joins  bool           // the member says that it joins
	known  bool           // it was in the group before
	before *streamsMember // as it was
	member *streamsMember // as it is to be
	owned  *taskSet       // that it says it owns; nil if it does not say

	topology   *topology
	configured *configured
	configs    map[string]string // settings of the assignor
	epoch      int32             // of the group after the step
	hash       int64
	changed    bool // topics of the application have changed
	status     []wire.StreamsGroupHeartbeatResponseStatus
}

// newStreamsStep begins a step on a group. If the member joins, the group need not exist, and an empty classic one is
// converted.
func (c *Coordinator) newStreamsStep(out *outcome, now time.Time, rq StreamsHeartbeat) (*streamsStep, error) {
	s := &streamsStep{
		c: c, out: out, now: now, im: c.look(), rq: rq, joins: rq.MemberEpoch == joining, owned: ownedTasks(rq.StreamsGroupHeartbeatRequest),
		status: []wire.StreamsGroupHeartbeatResponseStatus{},
	}
	var err error
	if s.g, err = s.find(); err != nil {
		return nil, err
	}
	if limit := c.options.Settings().StreamsMaxSize; s.joins && len(s.g.members) >= limit {
		return nil, kafka.Errorf(kafka.GroupMaxSizeReached, "The streams group has reached its maximum capacity of %d members.", limit)
	}
	s.before = s.g.members[rq.MemberID]
	s.known = s.before != nil
	if !s.known {
		if !s.joins {
			return nil, s.g.errUnknownMember(rq.MemberID)
		}
		s.before = newStreamsMember(rq.MemberID)
	}
	if err := s.before.checkEpoch(rq.MemberEpoch, s.owned); err != nil {
		return nil, err
	}
	s.member = s.before.told(rq.StreamsGroupHeartbeatRequest, rq.Client)
	return s, nil
}

func (s *streamsStep) find() (*streamsGroup, error) {
	shared := s.c.groups[s.rq.GroupID]
	if shared == nil {
		if !s.joins {
			return nil, kafka.Errorf(kafka.GroupIDNotFound, "Streams group %s not found.", s.rq.GroupID)
		}
		return newStreamsGroup(&group{id: s.rq.GroupID}), nil
	}
	switch g := shared.kind.(type) {
	case *streamsGroup:
		return g, nil
	case *classicGroup:
		if s.joins && g.state == empty {
			g.tombstones(s.out)
			return newStreamsGroup(shared), nil
		}
	}
	return nil, errNotStreams(s.rq.GroupID)
}

func errNotStreams(id string) error {
	return kafka.Errorf(kafka.GroupIDNotFound, "Group %s is not a streams group.", id)
}

func (g *streamsGroup) errUnknownMember(id string) error {
	return kafka.Errorf(kafka.UnknownMemberID, "Member %s is not a member of group %s.", id, g.id)
}

// tell adds to what the member is told of the group.
func (s *streamsStep) tell(code int8, detail string) {
	s.status = append(s.status, wire.StreamsGroupHeartbeatResponseStatus{StatusCode: code, StatusDetail: detail})
}

// settle decides what the heartbeat makes of the group: its topology, its topics, its epoch, a target assignment if one is
// due, and how far the member gets with it.
func (s *streamsStep) settle() error {
	renew := !s.known || !s.member.sameMetadata(s.before)
	if renew {
		s.out.write(s.g.memberRecord(s.member))
	}
	if err := s.initialize(); err != nil {
		return err
	}
	if t := s.g.topology; t != nil && s.member.topologyEpoch < t.epoch {
		s.tell(statusStaleTopology, "The member's topology epoch "+strconv.Itoa(int(s.member.topologyEpoch))+" is behind the group's topology epoch "+strconv.Itoa(int(t.epoch))+".")
	}
	if err := s.configure(); err != nil {
		return err
	}
	validated := int32(-1)
	if s.configured.ready() {
		validated = s.topology.epoch
		if err := s.checkOwned(); err != nil {
			return err
		}
	}
	s.configs = s.c.assignmentConfigs(s.g.id)
	s.changed = s.hash != s.g.hash
	s.epoch = s.g.epoch
	if renew || s.changed || validated != s.g.validated || !maps.Equal(s.configs, s.g.configs) {
		s.epoch++
		s.out.write(s.g.epochRecord(s.epoch, s.hash, validated, s.configs))
	}
	if len(s.g.members) == 0 {
		s.c.delayAssignment(s.now, s.g.id)
	}
	epoch, target, err := s.assign()
	if err != nil {
		return err
	}
	return s.reconcile(epoch, target)
}

// assignmentConfigs are the settings of the assignor, as the group's record has them.
func (c *Coordinator) assignmentConfigs(groupID string) map[string]string {
	return map[string]string{"num.standby.replicas": strconv.Itoa(c.options.Streams(groupID).StandbyReplicas)}
}

// initialize gives the group its topology, if it has none. A member with an older one is told; one with another is refused.
func (s *streamsStep) initialize() error {
	s.topology = s.g.topology
	if s.rq.Topology == nil {
		if s.topology == nil {
			return kafka.Errorf(kafka.UnknownServerError, "Group %s has no topology: a member must join again to tell it.", s.g.id)
		}
		return nil
	}
	value := toldTopology(s.rq.Topology)
	told := newTopology(value)
	switch {
	case s.topology == nil:
		if err := told.check(); err != nil {
			return err
		}
		s.topology = told
		s.out.write(s.g.topologyRecord(value))
	case s.topology.epoch > told.epoch:
	case !s.topology.equal(told):
		return kafka.Errorf(kafka.InvalidRequest, "Topology updates are not supported yet.")
	}
	return nil
}

// configure looks at the topics of the topology, unless they are as they were the last time.
func (s *streamsStep) configure() error {
	s.hash = s.g.hashes.sum(s.im, s.topology.required)
	s.configured = s.g.configured
	if s.configured != nil && s.configured.of == s.topology && s.configured.hash == s.hash {
		return nil
	}
	var err error
	if s.configured, err = configure(s.topology, s.hash, s.im); err != nil {
		return err
	}
	s.g.configured = s.configured
	return nil
}

// checkOwned refuses tasks that the topology does not have.
func (s *streamsStep) checkOwned() error {
	for _, list := range [][]wire.StreamsGroupHeartbeatRequestTaskIds{s.rq.ActiveTasks, s.rq.StandbyTasks, s.rq.WarmupTasks} {
		for _, t := range list {
			n, known := s.configured.tasks[t.SubtopologyID]
			if !known {
				return kafka.Errorf(kafka.InvalidRequest, "Subtopology %s does not exist in the topology.", t.SubtopologyID)
			}
			for _, p := range t.Partitions {
				if p < 0 || int(p) >= n {
					return kafka.Errorf(kafka.InvalidRequest, "Task %d for subtopology %s is invalid. Number of tasks for this subtopology: %d", p, t.SubtopologyID, n)
				}
			}
		}
	}
	return nil
}
