package quorum

import "github.com/ottla/ottla/internal/kafka"

// A quorum of static voters becomes a dynamic one when kraft.version is raised from 0 to 1 (KIP-853): the leader then writes the
// voters into the log. Their directories and endpoints it knows from themselves, who tell every new leader (UpdateRaftVoter). Inside
// raft they keep the names that they have.

// KRaftVersion is the finalised level of kraft.version, and that which is on its way.
func (l *Leadership) KRaftVersion() int16 {
	l.q.mu.Lock()
	defer l.q.mu.Unlock()
	return l.q.mu.voting.version
}

// UpgradeKRaftVersion appends the records of a higher level of kraft.version, or only says whether it could. What is appended after
// it is committed later. INVALID_UPDATE_VERSION if a voter has not told of itself yet, or does not support the level;
// REQUEST_TIMED_OUT while another change of the voters is on its way.
func (l *Leadership) UpgradeKRaftVersion(level int16, validateOnly bool) error {
	q := l.q
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := l.valid(); err != nil {
		return err
	}
	next := q.mu.voting
	switch {
	case next.version == level:
		return nil
	case next.version > level:
		return kafka.Errorf(kafka.InvalidUpdateVersion, "Invalid upgrade of kraft.version from version %d to %d because the new version is a downgrade", next.version, level)
	}
	if err := q.changeable(); err != nil {
		return err
	}
	members := make([]Member, len(next.voters))
	for i, m := range next.voters {
		told, known := q.mu.told[m.NodeID]
		if m.is(q.options.Self) {
			told, known = q.ownMember(m), true
		}
		if !known || told.MinKRaft > level || told.MaxKRaft < level {
			return kafka.Errorf(kafka.InvalidUpdateVersion, "Invalid upgrade of kraft.version to %d because not all of the voters support it: voter %d has not told the leader that it does", level, m.NodeID)
		}
		told.raftID = m.RaftID()
		members[i] = told
	}
	if validateOnly {
		return nil
	}
	next.version, next.voters = level, newVoterSet(members)
	defer q.poke()
	return q.proposeVoters(next, func(error) {})
}

// noteVoter takes note of what a static voter tells of itself. The caller holds the lock.
func (q *Quorum) noteVoter(m Member) error {
	if _, found := q.mu.voting.voters.Node(m.NodeID); !found {
		return kafka.Errorf(kafka.VoterNotFound, "Cannot update voter %s in the set of voters %s", m.Voter, q.mu.voting.voters)
	}
	if q.mu.told == nil {
		q.mu.told = map[int32]Member{}
	}
	q.mu.told[m.NodeID] = m
	return nil
}
