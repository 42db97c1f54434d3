package group

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// checkCommit implements kind: members of the current generation may commit and, in a group without members, everybody.
func (g *classicGroup) checkCommit(c *Coordinator, now time.Time, _ int16, rq *wire.OffsetCommitRequest) error {
	if rq.GenerationIDOrMemberEpoch < 0 && g.state == empty {
		return nil
	}
	if rq.GenerationIDOrMemberEpoch < 0 && rq.MemberID == "" && rq.GroupInstanceID == nil {
		return kafka.Errorf(kafka.UnknownMemberID, "group %s has members, so only they may commit offsets", g.id)
	}
	m, err := g.member(rq.MemberID, rq.GroupInstanceID)
	if err != nil {
		return err
	}
	if err := g.checkGeneration(rq.GenerationIDOrMemberEpoch); err != nil {
		return err
	}
	if g.state == completingRebalance {
		return kafka.Errorf(kafka.RebalanceInProgress, "group %s is getting new assignments; what the member had may be another's already", g.id)
	}
	c.watch(g, m, now, m.sessionTimeout) // a commit is a sign of life
	return nil
}

// checkTxnCommit implements kind: who names a member or a generation must be that; old clients name neither, whoever is in
// the group. Unlike a plain commit one may come amid a rebalance.
func (g *classicGroup) checkTxnCommit(_ *Coordinator, rq *wire.TxnOffsetCommitRequest) error {
	if rq.GenerationID < 0 && (g.state == empty || rq.MemberID == "" && rq.GroupInstanceID == nil) {
		return nil
	}
	if _, err := g.member(rq.MemberID, rq.GroupInstanceID); err != nil {
		return err
	}
	return g.checkGeneration(rq.GenerationID)
}

// checkFetch implements kind: everybody may see the offsets of a classic group.
func (g *classicGroup) checkFetch(*wire.OffsetFetchRequestGroup) error { return nil }

// checkDeleteOffsets implements kind.
func (g *classicGroup) checkDeleteOffsets() error {
	if g.state != empty && g.protocolType != consumerProtocol {
		return kafka.Errorf(kafka.NonEmptyGroup, "group %s has members, and what they consume is not known here", g.id)
	}
	return nil
}

// expirySince implements kind: since the group became empty; for a topic that a stable group of consumers does not consume
// any more, and for groups that only keep offsets, since the commit.
func (g *classicGroup) expirySince(topic string, o committed) (since int64, expires bool) {
	switch {
	case g.simple():
		return o.at, true
	case g.consumes(topic):
		return 0, false
	case g.state == empty && !g.since.IsZero():
		return g.since.UnixMilli(), true
	}
	return o.at, g.state == empty || g.state == stable && g.subscription.known
}

// abandoned implements kind.
func (g *classicGroup) abandoned() bool { return g.state == empty && len(g.pendingJoin) == 0 }
