package quorum

import (
	"errors"
	"slices"
	"time"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// Changes of the voter set are made by the leader, one at a time (KIP-853): a record with the whole set, in force once it is
// committed. Errors are Kafka's (AddVoterHandler, RemoveVoterHandler, UpdateVoterHandler).

// change is a change of the voters on its way.
type change struct {
	index uint64 // of its entry
	done  func(error)
}

// caughtUpMemory is how long ago an observer may last have had all of the log that wants to be a voter (Kafka:
// LeaderState.isReplicaCaughtUp), and presence how long ago it may last have fetched: one that is gone would count for nothing but
// the majority.
const (
	caughtUpMemory = time.Hour
	presence       = 10 * time.Second
)

// AddVoter adds an observer to the voters. done is called with nil once that is committed and in force, or with NOT_CONTROLLER if
// this node stops leading before; it is not called after an error, with which nothing was begun: NOT_LEADER_OR_FOLLOWER, UNSUPPORTED_VERSION without kraft.version 1,
// DUPLICATE_VOTER for a node that is a voter, with whatever directory, REQUEST_TIMED_OUT while another change is on its way or if the
// observer has not all of the log.
func (q *Quorum) AddVoter(m Member, done func(error)) error {
	return q.changeVoters(done, func(e electorate) (VoterSet, error) {
		if err := q.addable(m, e); err != nil {
			return nil, err
		}
		if m.MinKRaft > e.version || m.MaxKRaft < e.version {
			return nil, kafka.Errorf(kafka.InvalidRequest, "Aborted add voter operation for %s since the kraft.version range (min: %d, max: %d) doesn't support the finalized version %d", m.Voter, m.MinKRaft, m.MaxKRaft, e.version)
		}
		return e.voters.with(m), nil
	})
}

// Addable reports why AddVoter would refuse a voter now, before anybody asks that for the levels of kraft.version that it supports.
func (q *Quorum) Addable(v Voter) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.changeable(); err != nil {
		return err
	}
	if q.mu.voting.version == 0 {
		return unsupported("adding", q.mu.voting.version)
	}
	return q.addable(Member{Voter: v}, q.mu.voting)
}

// addable: the caller holds the lock.
func (q *Quorum) addable(m Member, e electorate) error {
	if e.version == 0 {
		return unsupported("adding", e.version)
	}
	if _, twice := e.voters.Node(m.NodeID); twice {
		return kafka.Errorf(kafka.DuplicateVoter, "The voter id for %s is already part of the set of voters %s.", m.Voter, e.voters)
	}
	now := time.Now()
	o, known := q.mu.observers[m.Voter]
	if !known || o.lastCaughtUp.IsZero() || now.Sub(o.lastCaughtUp) > caughtUpMemory || now.Sub(o.lastFetch) > presence {
		return kafka.Errorf(kafka.RequestTimedOut, "Aborted add voter operation for %s since it is lagging behind", m.Voter)
	}
	return nil
}

func unsupported(what string, version int16) error {
	return kafka.Errorf(kafka.UnsupportedVersion, "Cluster doesn't support %s voter because the kraft.version feature is %d", what, version)
}

// RemoveVoter takes a voter's vote; see AddVoter. VOTER_NOT_FOUND if it has none, or has the only one. A leader that removes itself
// has another one lead then.
func (q *Quorum) RemoveVoter(v Voter, done func(error)) error {
	return q.changeVoters(done, func(e electorate) (VoterSet, error) {
		if e.version == 0 {
			return nil, unsupported("removing", e.version)
		}
		if m, found := e.voters.Node(v.NodeID); !found || m.Voter != v || len(e.voters) == 1 {
			return nil, kafka.Errorf(kafka.VoterNotFound, "Cannot remove voter %s from the set of voters %s", v, e.voters)
		}
		return e.voters.without(v.NodeID), nil
	})
}

// UpdateVoter has a voter reached elsewhere, or notes what it supports; see AddVoter. With kraft.version 0 the leader keeps that in
// mind only. VOTER_NOT_FOUND if it has no vote,
// INVALID_REQUEST if it does not support the finalised kraft.version.
func (q *Quorum) UpdateVoter(m Member, done func(error)) error {
	q.mu.Lock()
	if err := q.changeable(); err != nil || q.mu.voting.version == 0 {
		if err == nil {
			err = q.noteVoter(m)
		}
		q.mu.Unlock()
		if err == nil {
			done(nil)
		}
		return err
	}
	q.mu.Unlock()
	return q.changeVoters(done, func(e electorate) (VoterSet, error) {
		if m.MinKRaft > e.version || m.MaxKRaft < e.version {
			return nil, kafka.Errorf(kafka.InvalidRequest, "voter %s supports kraft.version %d to %d; the finalized version is %d", m.Voter, m.MinKRaft, m.MaxKRaft, e.version)
		}
		known, found := e.voters.Node(m.NodeID)
		if e.version == 0 || !found || !known.is(m.Voter) {
			return nil, kafka.Errorf(kafka.VoterNotFound, "Cannot update voter %s in the set of voters %s", m.Voter, e.voters)
		}
		m.raftID = known.RaftID()
		return e.voters.with(m), nil
	})
}

// changeVoters makes one change, if this node leads and none is on its way.
func (q *Quorum) changeVoters(done func(error), decide func(electorate) (VoterSet, error)) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.changeable(); err != nil {
		return err
	}
	next := q.mu.voting
	var err error
	if next.voters, err = decide(next); err != nil {
		return err
	}
	q.poke()
	return q.proposeVoters(next, done)
}

// changeable returns why the voters cannot be changed here and now. The caller holds the lock.
func (q *Quorum) changeable() error {
	if q.mu.err != nil {
		return q.mu.err
	}
	if q.mu.node.BasicStatus().RaftState != raft.StateLeader {
		return kafka.Errorf(kafka.NotLeaderOrFollower, "this node does not lead the metadata quorum")
	}
	if q.mu.lead == nil || q.mu.lead.valid() != nil {
		return kafka.Errorf(kafka.RequestTimedOut, "Request timed out waiting for leader to establish HWM and fence previous voter changes")
	}
	if q.mu.change != nil {
		return kafka.Errorf(kafka.RequestTimedOut, "Request timed out waiting for leader to handle previous voter change request")
	}
	return nil
}

// proposeVoters proposes the record of a change, of which done is told. The caller holds the lock.
func (q *Quorum) proposeVoters(next electorate, done func(error)) error {
	lead := q.mu.lead
	b, err := votersBatch(position{term: uint64(lead.epoch), offset: q.mu.next}, next, q.options.Now())
	if err != nil {
		return err
	}
	if changes := confChanges(q.mu.voting.voters, next.voters, q.self); len(changes) > 0 {
		err = q.mu.node.ProposeConfChange(&pb.ConfChangeV2{Changes: changes, Context: b})
	} else {
		err = q.mu.node.Propose(b)
	}
	if errors.Is(err, raft.ErrProposalDropped) {
		return kafka.Errorf(kafka.RequestTimedOut, "the metadata quorum has too much uncommitted, or is handing over its leadership; try again")
	} else if err != nil {
		return err
	}
	q.mu.change = &change{index: q.mu.nextIndex, done: done}
	q.mu.next, q.mu.nextIndex = b.LastOffset()+1, q.mu.nextIndex+1
	return nil
}

// votersBatch makes the batch with the records of kraft.version and the voters, as Kafka's leader writes them.
func votersBatch(at position, e electorate, now time.Time) (record.Batch, error) {
	b := record.NewBuilder(record.BatchOptions{BaseOffset: at.offset, LeaderEpoch: int32(at.term), Control: true})
	if err := addElectorate(b, e, now.UnixMilli()); err != nil {
		return nil, err
	}
	return b.Build()
}

// finishChange answers whoever changed the voters once that is in force and raft takes the next change.
func (q *Quorum) finishChange() {
	q.mu.Lock()
	c := q.mu.change
	if c == nil || c.index > q.last.index {
		q.mu.Unlock()
		return
	}
	q.mu.change = nil
	q.mu.Unlock()
	c.done(nil)
}

// writeVoters has a new leader write the voters into the log if they are not there, or this node is reached elsewhere now (Kafka:
// LeaderState.appendStartOfEpochControlRecords). A quorum of one becomes a dynamic one with that, if Options.Dynamic.
func (q *Quorum) writeVoters(lead *Leadership) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	next := q.mu.voting
	self, votes := next.voters.member(q.options.Self)
	switch {
	case !votes || lead.valid() != nil:
		return nil
	case next.version == 0 && !(q.options.Dynamic && len(next.voters) == 1):
		return nil
	}
	self = q.ownMember(self)
	if next.version > 0 && next.logged && slices.ContainsFunc(next.voters, self.same) {
		return nil
	}
	next.version, next.voters = max(next.version, LatestKRaftVersion), next.voters.with(self)
	return q.proposeVoters(next, func(error) {})
}

// ownMember is this node as the voter set should have it.
func (q *Quorum) ownMember(known Member) Member {
	m := Member{Voter: q.options.Self, Endpoints: q.options.Endpoints, MaxKRaft: LatestKRaftVersion}
	if len(m.Endpoints) == 0 {
		m.Endpoints = known.Endpoints
	}
	if id := known.RaftID(); id != m.Voter.RaftID() {
		m.raftID = id
	}
	return m
}
