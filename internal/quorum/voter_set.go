package quorum

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
)

// Endpoint is where a listener of controllers is reached.
type Endpoint struct {
	Listener string
	Host     string
	Port     uint16
}

// Member is a voter as a voter set has it (Kafka's VoterSet.VoterNode).
type Member struct {
	Voter
	// Endpoints are its listeners for controllers. Those of static voters are in the configuration, not here.
	Endpoints []Endpoint
	// MinKRaft and MaxKRaft are the levels of kraft.version that it can work with.
	MinKRaft, MaxKRaft int16
	// raftID is its name inside raft; 0 stands for that of its Voter. A member that had a vote before its directory was known keeps
	// its name.
	raftID uint64
}

// RaftID is the member's name inside raft.
func (m Member) RaftID() uint64 {
	if m.raftID != 0 {
		return m.raftID
	}
	return m.Voter.RaftID()
}

// is reports whether v is this member; of a static one the directory is not known.
func (m Member) is(v Voter) bool {
	return m.NodeID == v.NodeID && (m.DirectoryID == v.DirectoryID || m.DirectoryID.IsZero())
}

// same reports whether two members are equal in all that a record says of them.
func (m Member) same(o Member) bool {
	return m.Voter == o.Voter && m.RaftID() == o.RaftID() && m.MinKRaft == o.MinKRaft && m.MaxKRaft == o.MaxKRaft && slices.Equal(m.Endpoints, o.Endpoints)
}

// Endpoint returns where a listener is reached.
func (m Member) Endpoint(listener string) (Endpoint, bool) {
	i := slices.IndexFunc(m.Endpoints, func(e Endpoint) bool { return e.Listener == listener })
	if i < 0 {
		return Endpoint{}, false
	}
	return m.Endpoints[i], true
}

// VoterSet are the voters of a quorum, in order of node ids, at most one of each node. It is never changed: a change makes another.
type VoterSet []Member

func newVoterSet(members []Member) VoterSet {
	set := slices.Clone(members)
	slices.SortFunc(set, func(a, b Member) int { return cmp.Compare(a.NodeID, b.NodeID) })
	return set
}

// staticVoters are voters of which nothing but their names is known.
func staticVoters(voters []Voter) VoterSet {
	members := make([]Member, len(voters))
	for i, v := range voters {
		members[i] = Member{Voter: v}
	}
	return newVoterSet(members)
}

// Node returns the member on a node.
func (s VoterSet) Node(id int32) (Member, bool) {
	return s.find(func(m Member) bool { return m.NodeID == id })
}

// Has reports whether v is a member.
func (s VoterSet) Has(v Voter) bool {
	_, found := s.member(v)
	return found
}

func (s VoterSet) member(v Voter) (Member, bool) {
	return s.find(func(m Member) bool { return m.is(v) })
}

func (s VoterSet) byRaftID(id uint64) (Member, bool) {
	return s.find(func(m Member) bool { return m.RaftID() == id })
}

func (s VoterSet) find(wanted func(Member) bool) (Member, bool) {
	if i := slices.IndexFunc(s, wanted); i >= 0 {
		return s[i], true
	}
	return Member{}, false
}

// with returns the set with a member in place of the one of its node, if there is one.
func (s VoterSet) with(m Member) VoterSet { return newVoterSet(append(s.without(m.NodeID), m)) }

func (s VoterSet) without(node int32) VoterSet {
	return slices.DeleteFunc(slices.Clone(s), func(m Member) bool { return m.NodeID == node })
}

// raftIDs are the members' names inside raft, sorted.
func (s VoterSet) raftIDs() []uint64 {
	ids := make([]uint64, len(s))
	for i, m := range s {
		ids[i] = m.RaftID()
	}
	slices.Sort(ids)
	return ids
}

// check refuses a set that no quorum can have.
func (s VoterSet) check() error {
	ids := s.raftIDs()
	for i := range s {
		if i > 0 && s[i-1].NodeID == s[i].NodeID {
			return fmt.Errorf("two voters with node id %d", s[i].NodeID)
		}
		if i > 0 && ids[i-1] == ids[i] {
			return fmt.Errorf("two of the voters %s have the same raft id", s)
		}
	}
	return nil
}

// String lists the voters as Kafka's error texts do (ReplicaKey).
func (s VoterSet) String() string {
	keys := make([]string, len(s))
	for i, m := range s {
		keys[i] = m.Voter.String()
	}
	return "[" + strings.Join(keys, ", ") + "]"
}

// String writes the voter as Kafka's error texts do (ReplicaKey).
func (v Voter) String() string {
	directory := v.DirectoryID.String()
	if v.DirectoryID == (kafka.UUID{}) {
		directory = "<undefined>"
	}
	return fmt.Sprintf("ReplicaKey(id=%d, directoryId=%s)", v.NodeID, directory)
}

// electorate is who votes, and how that is known.
type electorate struct {
	// version is the finalised level of kraft.version: 0 has static voters, with 1 they are in the log.
	version int16
	voters  VoterSet
	// logged is whether a record of the log has the voters; else it is the configuration, or the bootstrap snapshot.
	logged bool
	// index is that of raft's entry which has them, or of the snapshot, and offset that of its last record.
	index  uint64
	offset int64
}
