package group

import "github.com/ottla/ottla/internal/kafka"

// member finds the member that a request comes from. A static member whose instance id belongs to another member id by
// now has been replaced: FENCED_INSTANCE_ID. Otherwise UNKNOWN_MEMBER_ID.
func (g *classicGroup) member(id string, instanceID *string) (*classicMember, error) {
	if instanceID != nil {
		current, known := g.statics[*instanceID]
		if !known {
			return nil, kafka.Errorf(kafka.UnknownMemberID, "group %s has no static member with group.instance.id %s", g.id, *instanceID)
		}
		if current != id {
			return nil, errFenced(*instanceID, current)
		}
	}
	m := g.members[id]
	if m == nil {
		return nil, errNoMember(g.id, id)
	}
	return m, nil
}

func errNoMember(groupID, memberID string) error {
	return kafka.Errorf(kafka.UnknownMemberID, "group %s has no member %s: its session timed out, or it was removed", groupID, memberID)
}

func errFenced(instanceID, memberID string) error {
	return kafka.Errorf(kafka.FencedInstanceID, "group.instance.id %s is in use by member %s", instanceID, memberID)
}

func (g *classicGroup) checkGeneration(generation int32) error {
	if generation != g.generation {
		return kafka.Errorf(kafka.IllegalGeneration, "group %s is at generation %d, the request at %d: a rebalance has happened meanwhile", g.id, g.generation, generation)
	}
	return nil
}

// errNoGroup is worded as in Kafka, whose tools show it.
func errNoGroup(id string) error {
	return kafka.Errorf(kafka.GroupIDNotFound, "Group %s not found.", id)
}
