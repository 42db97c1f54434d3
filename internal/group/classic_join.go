package group

import (
	"cmp"
	"math"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// newMemberTimeout is how long a member that has never had a generation may wait in a join: its client may have gone
// away without anybody noticing (Kafka's classic group new member join timeout).
const newMemberTimeout = 5 * time.Minute

// Join is a JoinGroup request.
type Join struct {
	GroupID         string
	MemberID        string  // "" for a newcomer
	InstanceID      *string // group.instance.id
	Client          causes.Client
	SessionTimeout  time.Duration
	Rebalance       time.Duration // rebalance timeout
	ProtocolType    string
	Protocols       []wire.JoinGroupRequestProtocol
	Reason          string
	RequireMemberID bool // from version 4 a newcomer gets an id first and comes back with it (KIP-394)
	SkipAssignment  bool // from version 9 a returning static leader may be told to leave assignments as they are
	Reply           func(*wire.JoinGroupResponse)
}

// Join lets a member into a group, or keeps it waiting until the rebalance that this begins is over. Nothing of rq but
// Reply is used after Join has returned.
func (c *Coordinator) Join(now time.Time, rq Join) statemachine.Output {
	var out outcome
	c.begin(&out, now)
	c.join(&out, now, &rq)
	return out.Output
}

func (c *Coordinator) join(out *outcome, now time.Time, rq *Join) {
	if err := c.checkJoin(rq); err != nil {
		c.refuseJoin(out, now, rq, rq.MemberID, err)
		return
	}
	if g := c.consumer(rq.GroupID); g != nil && len(g.members) > 0 {
		c.joinConsumer(out, now, g, rq)
		return
	}
	g := c.classic(rq.GroupID)
	if g == nil {
		if rq.MemberID != "" {
			c.refuseJoin(out, now, rq, rq.MemberID, errNoMember(rq.GroupID, rq.MemberID))
			return
		}
		if other := c.groups[rq.GroupID]; other != nil {
			if !other.kind.abandoned() {
				c.refuseJoin(out, now, rq, "", errOtherKind(other))
				return
			}
			other.kind.tombstones(out)
		}
		g = c.newClassic(rq.GroupID)
		g.since = now
		out.write(emptyGroupRecord(g))
	}
	switch {
	case !c.hasRoom(g, rq.MemberID):
		c.remove(out, g, rq.MemberID)
		c.refuseJoin(out, now, rq, "", errFull(g.id, c.options.Settings().MaxSize))
	case !g.agreeable(rq.ProtocolType, rq.Protocols):
		c.refuseJoin(out, now, rq, rq.MemberID, g.errDisagrees(rq))
	case rq.MemberID == "":
		c.joinNew(out, now, g, rq)
	default:
		c.joinAgain(out, now, g, rq)
	}
}

func (c *Coordinator) checkJoin(rq *Join) error {
	s := c.options.Settings()
	switch {
	case rq.GroupID == "":
		return kafka.InvalidGroupID
	case rq.SessionTimeout < s.MinSessionTimeout || rq.SessionTimeout > s.MaxSessionTimeout:
		return kafka.Errorf(kafka.InvalidSessionTimeout, "session.timeout.ms is %d, and has to be between group.min.session.timeout.ms = %d and group.max.session.timeout.ms = %d",
			rq.SessionTimeout.Milliseconds(), s.MinSessionTimeout.Milliseconds(), s.MaxSessionTimeout.Milliseconds())
	}
	return nil
}

// hasRoom reports whether group.max.size allows the join. During the join phase those count who have joined: the last of
// a group that has become too large stay out.
func (c *Coordinator) hasRoom(g *classicGroup, memberID string) bool {
	size := c.options.Settings().MaxSize
	m := g.members[memberID]
	switch g.state {
	case preparingRebalance:
		return m != nil && m.joining != nil || g.waiting < size
	case completingRebalance, stable:
		return m != nil || len(g.members) < size
	}
	return true
}

// joinNew is the join of somebody without a member id.
func (c *Coordinator) joinNew(out *outcome, now time.Time, g *classicGroup, rq *Join) {
	prefix := rq.Client.ID
	if rq.InstanceID != nil {
		prefix = *rq.InstanceID
	}
	id := prefix + "-" + c.options.NewID()
	if len(id) > math.MaxInt16 {
		c.refuseJoin(out, now, rq, "", kafka.Errorf(kafka.InvalidRequest, "a member id of %d bytes is longer than %d: shorten client.id or group.instance.id", len(id), math.MaxInt16))
		return
	}
	switch {
	case rq.InstanceID != nil && g.statics[*rq.InstanceID] != "":
		c.replaceStatic(out, now, g, rq, id)
	case rq.InstanceID == nil && rq.RequireMemberID:
		c.expect(out, now, g, rq, id)
	default:
		c.admit(out, now, g, rq, id)
	}
}

// joinAgain is the join of somebody with a member id: a newcomer that was just given it, or a member.
func (c *Coordinator) joinAgain(out *outcome, now time.Time, g *classicGroup, rq *Join) {
	if g.pendingJoin[rq.MemberID] != nil && rq.InstanceID == nil {
		c.unexpect(g, rq.MemberID)
		c.admit(out, now, g, rq, rq.MemberID)
		return
	}
	m, err := g.member(rq.MemberID, rq.InstanceID)
	if err != nil {
		c.refuseJoin(out, now, rq, rq.MemberID, err)
		return
	}
	unchanged := m.matches(rq.Protocols)
	switch {
	case g.state == completingRebalance && unchanged:
		// The answer to its join was lost: once more.
		reply(out, rq.Reply, g.welcome(m), failJoin(m.id))
	case g.state == stable && g.leader != m.id && unchanged:
		// A follower that lost its assignment's answer; a leader's join means that something has changed.
		reply(out, rq.Reply, g.welcome(m), failJoin(m.id))
	case g.in(preparingRebalance, completingRebalance, stable):
		kind := g.rejoining(m, rq)
		g.update(out, m, rq)
		c.rebalance(out, now, g, Cause{Kind: kind, Member: m.who(), Reason: rq.Reason})
	default:
		c.refuseJoin(out, now, rq, rq.MemberID, errNoMember(g.id, rq.MemberID))
	}
}

// admit makes a newcomer a member.
func (c *Coordinator) admit(out *outcome, now time.Time, g *classicGroup, rq *Join, id string) {
	m := &classicMember{
		id: id, instanceID: rq.InstanceID, clientID: rq.Client.ID, clientHost: rq.Client.Host,
		software: rq.Client.Software, softwareVersion: rq.Client.SoftwareVersion,
		rebalanceTimeout: rq.Rebalance, sessionTimeout: rq.SessionTimeout, protocols: protocolsOf(rq.Protocols), fresh: true,
	}
	if g.state == preparingRebalance && g.previous == empty {
		g.extended = true
	}
	g.add(m, rq.ProtocolType)
	g.park(m, rq.Reply)
	c.watch(g, m, now, newMemberTimeout)
	c.rebalance(out, now, g, Cause{Kind: MemberJoined, Member: m.who(), Reason: rq.Reason})
}

// update takes over what a member says when it joins again. An older join that still waits is answered: the client has
// given up on it.
func (g *classicGroup) update(out *outcome, m *classicMember, rq *Join) {
	g.answerJoin(out, m, joinFailure(m.id, kafka.RebalanceInProgress))
	g.support(m, protocolsOf(rq.Protocols))
	m.rebalanceTimeout, m.sessionTimeout = rq.Rebalance, rq.SessionTimeout
	m.heardFrom(rq.Client)
	g.park(m, rq.Reply)
}

// welcome tells a member its generation; the leader learns what all members said.
func (g *classicGroup) welcome(m *classicMember) *wire.JoinGroupResponse {
	response := &wire.JoinGroupResponse{
		GenerationID: g.generation, ProtocolType: textOrNil(g.protocolType), ProtocolName: textOrNil(g.protocol),
		Leader: g.leader, MemberID: m.id,
	}
	if g.leader != m.id {
		return response
	}
	for _, other := range g.ordered() {
		response.Members = append(response.Members, wire.JoinGroupResponseMember{
			MemberID: other.id, GroupInstanceID: other.instanceID, Metadata: other.metadata(g.protocol),
		})
	}
	return response
}

func joinFailure(memberID string, err error) *wire.JoinGroupResponse {
	return &wire.JoinGroupResponse{ErrorCode: int16(kafka.CodeOf(err)), GenerationID: -1, MemberID: memberID}
}

// failJoin makes the answer to a join whose step could not be committed.
func failJoin(memberID string) func(error) *wire.JoinGroupResponse {
	return func(err error) *wire.JoinGroupResponse { return joinFailure(memberID, err) }
}

// refuseJoin answers a join with an error, and notes it.
func (c *Coordinator) refuseJoin(out *outcome, now time.Time, rq *Join, memberID string, err error) {
	who := whoIs(rq.Client, rq.MemberID, rq.InstanceID)
	if !c.noteFenced(now, rq.GroupID, who, noEpoch, err) && rq.GroupID != "" {
		cause := Cause{Kind: JoinRefused, Member: who, Code: kafka.CodeOf(err), Reason: textOf(kafka.MessageOf(err))}
		if cause.Code == kafka.GroupMaxSizeReached {
			cause.Setting, cause.Limit = settingMaxSize, int64(c.options.Settings().MaxSize)
		}
		c.note(now, rq.GroupID, cause)
	}
	reply(out, rq.Reply, joinFailure(memberID, err), failJoin(memberID))
}

// errOtherKind is why a member of the classic protocol cannot join a group of another kind.
func errOtherKind(g *group) error {
	groupType, _, _ := g.kind.list()
	return kafka.Errorf(kafka.InconsistentGroupProtocol, "group %s is a %s group with members, which the classic protocol cannot join", g.id, groupType)
}

func errFull(groupID string, limit int) error {
	return kafka.Errorf(kafka.GroupMaxSizeReached, "group %s is full: group.max.size = %d", groupID, limit)
}

// errDisagrees is why somebody cannot agree with the members on a protocol.
func (g *classicGroup) errDisagrees(rq *Join) error {
	switch {
	case rq.ProtocolType == "" || len(rq.Protocols) == 0:
		return kafka.Errorf(kafka.InconsistentGroupProtocol, "the request names no protocol")
	case rq.ProtocolType != g.protocolType:
		return kafka.Errorf(kafka.InconsistentGroupProtocol, "group %s is of type %s, the request of type %s", g.id, g.protocolType, rq.ProtocolType)
	}
	names := make([]string, len(rq.Protocols))
	for i, p := range rq.Protocols {
		names[i] = p.Name
	}
	return kafka.Errorf(kafka.InconsistentGroupProtocol, "no protocol of %s is supported by all %d members of group %s, which is at %s",
		strings.Join(names, ", "), len(g.members), g.id, cmp.Or(g.protocol, "none yet"))
}
