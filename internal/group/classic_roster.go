package group

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/wire"
)

// roster is who is in a group. Its counts make a join cost the same in a small and in a large group.
type roster struct {
	members map[string]*classicMember
	statics map[string]string // member id by group.instance.id; each is that of a member
	waiting int               // members whose join waits
	// supporters is how many members support a protocol.
	supporters map[string]int
	numbered   uint64 // number of the last member
}

func newRoster() roster {
	return roster{members: map[string]*classicMember{}, statics: map[string]string{}, supporters: map[string]int{}}
}

// enter makes m a member.
func (r *roster) enter(m *classicMember) {
	r.numbered++
	m.number = r.numbered
	r.members[m.id] = m
	if m.static() {
		r.statics[*m.instanceID] = m.id
	}
	r.count(m, 1)
}

// leave undoes enter.
func (r *roster) leave(m *classicMember) {
	r.park(m, nil)
	r.count(m, -1)
	delete(r.members, m.id)
	if m.static() {
		delete(r.statics, *m.instanceID)
	}
}

// rename gives a static member another id.
func (r *roster) rename(m *classicMember, id string) {
	delete(r.members, m.id)
	m.id = id
	r.members[id] = m
	r.statics[*m.instanceID] = id
}

// park keeps the answer to a member's join; nil: none waits.
func (r *roster) park(m *classicMember, answer func(*wire.JoinGroupResponse)) {
	if m.joining != nil {
		r.waiting--
	}
	if answer != nil {
		r.waiting++
	}
	m.joining = answer
}

// unpark takes out the answer to a member's join, nil if none waits.
func (r *roster) unpark(m *classicMember) func(*wire.JoinGroupResponse) {
	answer := m.joining
	r.park(m, nil)
	return answer
}

// support changes the protocols of a member.
func (r *roster) support(m *classicMember, protocols []protocol) {
	r.count(m, -1)
	m.protocols = protocols
	r.count(m, 1)
}

func (r *roster) count(m *classicMember, by int) {
	for _, p := range m.protocols {
		if r.supporters[p.name] += by; r.supporters[p.name] == 0 {
			delete(r.supporters, p.name)
		}
	}
}

// unanimous reports whether every member supports the protocol.
func (r *roster) unanimous(protocol string) bool { return r.supporters[protocol] == len(r.members) }

// choose returns the protocol for the next generation: of those that all support, the one that most members prefer. ""
// without members.
func (r *roster) choose() string {
	votes := map[string]int{}
	best := ""
	for _, m := range r.ordered() {
		for _, p := range m.protocols {
			if r.unanimous(p.name) {
				if votes[p.name]++; votes[p.name] > votes[best] {
					best = p.name
				}
				break
			}
		}
	}
	return best
}

// ordered lists the members in the order in which they joined.
func (r *roster) ordered() []*classicMember {
	return slices.SortedFunc(maps.Values(r.members), func(a, b *classicMember) int { return cmp.Compare(a.number, b.number) })
}

// oldest is the id of the member that has been there for the longest, "" without members.
func (r *roster) oldest() string {
	var first *classicMember
	for _, m := range r.members {
		if first == nil || m.number < first.number {
			first = m
		}
	}
	if first == nil {
		return ""
	}
	return first.id
}

// rebalanceTimeout is the longest of the members'.
func (r *roster) rebalanceTimeout() time.Duration {
	longest := time.Duration(0)
	for _, m := range r.members {
		longest = max(longest, m.rebalanceTimeout)
	}
	return longest
}
