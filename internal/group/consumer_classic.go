package group

import (
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// Members of the classic protocol in a consumer group: they join, sync and send heartbeats as in a classic group, while the
// coordinator assigns the partitions.

// joinConsumer is the join of a member of the classic protocol in a consumer group with members
// (GroupMetadataManager.classicGroupJoinToConsumerGroup).
func (c *Coordinator) joinConsumer(out *outcome, now time.Time, g *consumerGroup, rq *Join) {
	from := len(out.Records)
	response, err := c.joinAsClassic(out, now, g, rq)
	if err != nil {
		out.Records = out.Records[:from]
		c.refuseJoin(out, now, rq, rq.MemberID, err)
		return
	}
	reply(out, rq.Reply, response, failJoin(response.MemberID))
}

func (c *Coordinator) joinAsClassic(out *outcome, now time.Time, g *consumerGroup, rq *Join) (*wire.JoinGroupResponse, error) {
	id := rq.MemberID
	if id == "" {
		id = c.options.NewID()
	}
	s := &consumerStep{c: c, out: out, now: now, im: c.look(), g: g, epoch: g.epoch, classic: true, joins: rq.InstanceID == nil || rq.MemberID == ""}
	if err := s.checkClassicJoin(id, rq); err != nil {
		return nil, err
	}
	if rq.MemberID == "" && rq.InstanceID == nil && rq.RequireMemberID {
		return joinFailure(id, kafka.MemberIDRequired), nil
	}
	downgrade := s.downgrades(rq.InstanceID)
	if err := s.enter(id, joining, rq.InstanceID, nil); err != nil {
		return nil, err
	}
	subscription, err := readSubscription(rq.Protocols[0].Metadata)
	if err != nil {
		return nil, err
	}
	s.member = s.before.joined(rq, subscription)
	owned := ownedBy(s.im, subscription)
	if downgrade {
		err = s.settleAndDowngrade(owned)
	} else {
		err = s.settle(owned, true)
	}
	if err != nil {
		return nil, err
	}
	if !downgrade {
		s.awaitSync()
	}
	c.clock(g.id, s.member.id).client = rq.Client
	s.explain(rq.Client)
	protocolType, protocolName := consumerProtocol, rq.Protocols[0].Name
	return &wire.JoinGroupResponse{MemberID: s.member.id, GenerationID: s.member.epoch, ProtocolType: &protocolType, ProtocolName: &protocolName}, nil
}

// checkClassicJoin says why a member of the classic protocol may not join, or nil.
func (s *consumerStep) checkClassicJoin(id string, rq *Join) error {
	settings := s.c.options.Settings()
	if !settings.Upgrade && !settings.Downgrade {
		return kafka.Errorf(kafka.InconsistentGroupProtocol, "Cannot join the consumer group %s with the classic protocol because the group migration is disabled.", s.g.id)
	}
	if err := s.checkRoom(id, rq.InstanceID); err != nil {
		return err
	}
	if rq.ProtocolType == consumerProtocol {
		for _, p := range rq.Protocols {
			if s.g.protocols[p.Name] == s.g.classics {
				return nil
			}
		}
	}
	return kafka.Errorf(kafka.InconsistentGroupProtocol, "Member %s's protocols are not supported.", id)
}

// downgrades reports whether the static member that joins replaces the last one of the new protocol.
func (s *consumerStep) downgrades(instanceID *string) bool {
	if instanceID == nil {
		return false
	}
	current := s.g.members[s.g.statics[*instanceID]]
	settings := s.c.options.Settings()
	return current != nil && current.classic == nil && s.g.classics == len(s.g.members)-1 && settings.Downgrade && len(s.g.members) <= settings.MaxSize
}

// settleAndDowngrade is settle for the join after which the group becomes a classic one.
func (s *consumerStep) settleAndDowngrade(owned partitions) error {
	if err := s.subscribe(true); err != nil {
		return err
	}
	rebalance := s.g.assignmentEpoch < s.epoch
	if !rebalance {
		if err := s.reconcile(s.g.assignmentEpoch, s.g.target[s.member.id], owned); err != nil {
			return err
		}
	}
	left := s.g.clone()
	left.put(s.member)
	s.c.downgrade(s.out, s.now, left, left.members, rebalance, []Cause{{Kind: MemberRejoined, Member: s.member.who(s.c, s.g.id)}})
	return nil
}

// joined is the member after a join: what it says in its subscription is all that it subscribes to.
func (m *consumerMember) joined(rq *Join, subscription *wire.ConsumerProtocolSubscription) *consumerMember {
	next := *m
	if rq.InstanceID != nil {
		next.instanceID = rq.InstanceID
	}
	if subscription.RackID != nil && *subscription.RackID != "" {
		next.rackID = subscription.RackID
	}
	if timeout := int32(rq.Rebalance.Milliseconds()); timeout != -1 {
		next.rebalanceTimeout = timeout
	}
	next.topics, next.regex = distinctTexts(subscription.Topics), ""
	next.clientID, next.clientHost, next.classic = rq.Client.ID, rq.Client.Host, classicOf(rq)
	return &next
}

// awaitSync has a member that has joined fetch its assignment in time.
func (s *consumerStep) awaitSync() {
	id, groupID, c := s.member.id, s.g.id, s.c
	timeout := time.Duration(s.member.rebalanceTimeout) * time.Millisecond
	clock := c.clock(groupID, id)
	c.alarms.cancel(&clock.join)
	c.awaitMember(s.now, groupID, s.member)
	ring := c.ringing(groupID, id, func(clock *memberClock) *alarm { return &clock.sync }, func(out *outcome, now time.Time) {
		c.expelNamed(out, now, groupID, id, Cause{Kind: SyncExpired, Limit: timeout.Milliseconds()})
	})
	c.ringAt(&clock.sync, s.now.Add(timeout), ring)
}

// awaitJoin gives a member of the classic protocol that was told to join again its rebalance timeout to do so.
func (c *Coordinator) awaitJoin(now time.Time, g *consumerGroup, m *consumerMember) {
	id, groupID := m.id, g.id
	clock := c.clock(groupID, id)
	if clock.join.slot > 0 {
		return
	}
	timeout := time.Duration(m.rebalanceTimeout) * time.Millisecond
	ring := c.ringing(groupID, id, func(clock *memberClock) *alarm { return &clock.join }, func(out *outcome, now time.Time) {
		c.expelNamed(out, now, groupID, id, Cause{Kind: RebalanceExpired, Limit: timeout.Milliseconds()})
	})
	c.ringAt(&clock.join, now.Add(timeout), ring)
}

// classicMemberOf finds the member that a request of the classic protocol comes from, which must be at its epoch.
func (g *consumerGroup) classicMemberOf(id string, instanceID *string, generation int32) (*consumerMember, error) {
	m, err := g.find(id, instanceID)
	switch {
	case err != nil:
		return nil, err
	case m.classic == nil:
		return nil, kafka.Errorf(kafka.UnknownMemberID, "Member %s does not use the classic protocol.", m.id)
	case m.epoch != generation:
		return nil, kafka.Errorf(kafka.IllegalGeneration, "The request generation id %d is not equal to the member epoch %d of member %s.", generation, m.epoch, m.id)
	}
	return m, nil
}

// syncConsumer gives a member of the classic protocol its partitions.
func (c *Coordinator) syncConsumer(now time.Time, g *consumerGroup, rq *wire.SyncGroupRequest) (*wire.SyncGroupResponse, error) {
	m, err := g.classicMemberOf(rq.MemberID, rq.GroupInstanceID, rq.GenerationID)
	if err != nil {
		return nil, err
	}
	if (rq.ProtocolType != nil && *rq.ProtocolType != consumerProtocol) || (rq.ProtocolName != nil && *rq.ProtocolName != m.protocol()) {
		return nil, kafka.Errorf(kafka.InconsistentGroupProtocol, "member %s joined with protocol %s of type %s, and now asks for another", m.id, m.protocol(), consumerProtocol)
	}
	if g.assignmentEpoch > m.epoch && m.state != revoking {
		c.awaitJoin(now, g, m)
		return nil, kafka.Errorf(kafka.RebalanceInProgress, "A new rebalance is triggered in group %s and member %s should rejoin to catch up.", g.id, m.id)
	}
	c.alarms.cancel(&c.clock(g.id, m.id).sync)
	c.awaitMember(now, g.id, m)
	return &wire.SyncGroupResponse{
		ProtocolType: rq.ProtocolType, ProtocolName: rq.ProtocolName,
		Assignment: writeAssignment(c.look(), m.assigned.partitions(), m.said()),
	}, nil
}

// said is the metadata of the protocol that a member of the classic protocol prefers.
func (m *consumerMember) said() []byte {
	if len(m.classic.SupportedProtocols) == 0 {
		return nil
	}
	return m.classic.SupportedProtocols[0].Metadata
}

// protocol is the name of the protocol that a member of the classic protocol prefers.
func (m *consumerMember) protocol() string {
	if len(m.classic.SupportedProtocols) == 0 {
		return ""
	}
	return m.classic.SupportedProtocols[0].Name
}

// beatConsumer keeps the session of a member of the classic protocol alive. REBALANCE_IN_PROGRESS tells it to join again: for
// a new epoch, to give up partitions, or to get some that are free now.
func (c *Coordinator) beatConsumer(now time.Time, g *consumerGroup, rq *wire.HeartbeatRequest) error {
	m, err := g.classicMemberOf(rq.MemberID, rq.GroupInstanceID, rq.GenerationID)
	if err != nil {
		return err
	}
	c.awaitMember(now, g.id, m)
	if m.epoch < g.assignmentEpoch || m.state == revoking || m.state == waiting && !g.blocked(m) {
		c.awaitJoin(now, g, m)
		return kafka.RebalanceInProgress
	}
	return nil
}

// blocked reports whether others hold partitions that the member is to have.
func (g *consumerGroup) blocked(m *consumerMember) bool {
	for topic, ids := range g.target[m.id] {
		for _, id := range ids {
			_, has := m.assigned[topic][id]
			if _, owned := g.owners[topic][id]; owned && !has {
				return true
			}
		}
	}
	return false
}

// leaveConsumer removes members by a LeaveGroup; each has a result of its own.
func (c *Coordinator) leaveConsumer(out *outcome, now time.Time, g *consumerGroup, from causes.Client, leavers []wire.LeaveGroupRequestMemberIdentity) []wire.LeaveGroupResponseMemberResponse {
	results := make([]wire.LeaveGroupResponseMemberResponse, len(leavers))
	var gone []*consumerMember
	var causes []Cause
	seen := map[string]bool{}
	for i, leaver := range leavers {
		id := leaver.MemberID
		if id == unknownMemberID && leaver.GroupInstanceID != nil {
			id = g.statics[*leaver.GroupInstanceID]
		}
		m, err := g.find(id, leaver.GroupInstanceID)
		results[i] = wire.LeaveGroupResponseMemberResponse{MemberID: leaver.MemberID, GroupInstanceID: leaver.GroupInstanceID, ErrorCode: int16(kafka.CodeOf(err))}
		if err != nil || seen[m.id] {
			continue
		}
		seen[m.id] = true
		gone = append(gone, m)
		causes = append(causes, Cause{Kind: MemberLeft, Member: m.who(c, g.id), Reason: textOf(leaver.Reason)})
	}
	c.fence(out, now, g, gone, causes)
	return results
}
