package group

import (
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// Describe tells a group's state and members. A group that does not exist is described as Dead, with GROUP_ID_NOT_FOUND.
func (c *Coordinator) Describe(groupID string, answer func(wire.DescribeGroupsResponseDescribedGroup, error)) statemachine.Output {
	described := wire.DescribeGroupsResponseDescribedGroup{GroupID: groupID, GroupState: string(dead)}
	var err error
	if g := c.classic(groupID); g != nil {
		described = g.describe()
	} else if c.groups[groupID] != nil {
		err = notClassic(groupID)
	} else {
		err = errNoGroup(groupID)
	}
	var out outcome
	out.then(func(failed error) {
		if failed != nil {
			described, err = wire.DescribeGroupsResponseDescribedGroup{GroupID: groupID}, failed
		}
		answer(described, err)
	})
	return out.Output
}

// describe tells the protocol and members' subscriptions only of a stable group: during a rebalance there is none.
func (g *classicGroup) describe() wire.DescribeGroupsResponseDescribedGroup {
	d := wire.DescribeGroupsResponseDescribedGroup{GroupID: g.id, GroupState: string(g.state), ProtocolType: g.protocolType}
	if g.state == stable {
		d.ProtocolData = g.protocol
	}
	for _, m := range g.ordered() {
		described := wire.DescribeGroupsResponseDescribedGroupMember{
			MemberID: m.id, GroupInstanceID: m.instanceID, ClientID: m.clientID, ClientHost: m.clientHost,
			MemberMetadata: []byte{}, MemberAssignment: m.assignment,
		}
		if g.state == stable {
			described.MemberMetadata = m.metadata(g.protocol)
		}
		d.Members = append(d.Members, described)
	}
	return d
}
