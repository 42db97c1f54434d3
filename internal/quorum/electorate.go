package quorum

import (
	"fmt"
	"slices"

	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// A change of the voters is an entry of raft's type ConfChangeV2, and on the disk a control batch with a KRaftVoters record. raft
// changes its configuration when such an entry is applied, one voter at a time, and Kafka when it is appended. For raft two things
// must hold: nobody proposes a change before the one before is applied, and nobody who has a change in its log forgets, when it
// starts again, that the one before was committed (knownElectorate).

// newEntry is raft's entry for a batch.
func newEntry(index uint64, b record.Batch) *pb.Entry {
	e := &pb.Entry{Type: pb.EntryNormal.Enum(), Index: &index, Term: new(uint64(b.LeaderEpoch())), Data: b}
	if !hasVoters(b) {
		return e
	}
	data, err := proto.Marshal(&pb.ConfChangeV2{Context: b}) // only who proposes it has to say which change that is
	if err != nil {
		panic("BUG: a change of the voters cannot be written: " + err.Error())
	}
	e.Type, e.Data = pb.EntryConfChangeV2.Enum(), data
	return e
}

// entryBatch is the batch of raft's entry; empty for the entry that opens a term.
func entryBatch(e *pb.Entry) (record.Batch, error) {
	switch e.GetType() {
	case pb.EntryNormal:
		return e.GetData(), nil
	case pb.EntryConfChangeV2:
		var c pb.ConfChangeV2
		if err := proto.Unmarshal(e.GetData(), &c); err != nil {
			return nil, err
		}
		if len(c.GetContext()) == 0 {
			return nil, fmt.Errorf("a change of the voters without a batch")
		}
		return c.GetContext(), nil
	}
	return nil, fmt.Errorf("type %v", e.GetType())
}

// noteElectorate looks whether a batch of the log changes the voters; it is called at the start, for each in order.
func (s *storage) noteElectorate(b record.Batch) error {
	last := s.electorates[len(s.electorates)-1]
	next, changed, err := last.after(b)
	if err != nil {
		return fmt.Errorf("the metadata log at offset %d: %w", b.BaseOffset(), err)
	}
	if changed {
		next.index, next.offset = s.mu.base.index+uint64(len(s.mu.entries)), b.LastOffset()
		s.electorates = append(s.electorates, next)
	}
	return nil
}

// knownElectorate returns who voted as of the last change that this node knows to be committed when it starts: it was in force
// here (up to the offset), or there is another one after it, which is proposed only then.
func (s *storage) knownElectorate(inForce int64) electorate {
	last := s.electorates[len(s.electorates)-1]
	if len(s.electorates) == 1 || last.offset <= inForce {
		return last
	}
	return s.electorates[len(s.electorates)-2]
}

// nameOf is a voter's name inside raft.
func (s *storage) nameOf(v Voter) uint64 {
	for _, e := range slices.Backward(s.electorates) {
		if m, found := e.voters.member(v); found {
			return m.RaftID()
		}
	}
	return v.RaftID()
}

// confState is raft's word for a voter set. A node that has no vote is a learner in its own eyes alone: raft takes no snapshot
// for somebody it has never heard of.
func confState(voters VoterSet, self uint64) *pb.ConfState {
	c := pb.EnsureConfState(nil)
	c.Voters = voters.raftIDs()
	if len(voters) > 0 && !slices.Contains(c.Voters, self) {
		c.Learners = []uint64{self}
	}
	return c
}

// applyElectorate takes note of a committed batch that changes the voters.
func (q *Quorum) applyElectorate(index uint64, b record.Batch) error {
	q.mu.Lock()
	now := q.mu.voting
	q.mu.Unlock()
	if index <= now.index { // known at the start
		return nil
	}
	next, changed, err := now.after(b)
	if err != nil {
		return fmt.Errorf("the metadata log at offset %d: %w", b.BaseOffset(), err)
	}
	if !changed {
		return nil
	}
	next.index, next.offset = index, b.LastOffset()
	if err := q.rememberVoters(next); err != nil {
		return err
	}
	var order []*pb.Message
	q.mu.Lock()
	if q.mu.node != nil {
		order = q.farewell(next.voters)
		for _, c := range confChanges(now.voters, next.voters, q.self) {
			q.mu.node.ApplyConfChange(&pb.ConfChangeV2{Changes: []*pb.ConfChangeSingle{c}})
		}
	}
	q.mu.voting = next
	q.mu.Unlock()
	if len(order) > 0 && q.options.Transport != nil {
		q.options.Transport.Send(order)
	}
	q.log.Info("the voters of the metadata quorum", "voters", next.voters.String(), "kraftVersion", next.version, "offset", b.BaseOffset())
	q.tellVoters(next)
	return nil
}

// rememberVoters has this node know when it starts again who votes now: those whose vote was taken may be gone for good by then.
func (q *Quorum) rememberVoters(e electorate) error {
	if q.files == nil || q.mu.node == nil {
		return nil
	}
	v := q.vote
	v.CommittedVoters = e.offset
	if err := q.files.writeVote(v); err != nil {
		return fmt.Errorf("writing %s: %w", stateFile, err)
	}
	q.vote = v
	return nil
}

// confChanges are what leads from one voter set to the next, in raft's words; it is at most one change, but for a log of Kafka's.
func confChanges(from, to VoterSet, self uint64) (all []*pb.ConfChangeSingle) {
	add := func(t pb.ConfChangeType, id uint64) {
		all = append(all, &pb.ConfChangeSingle{Type: &t, NodeId: &id})
	}
	old, next := from.raftIDs(), to.raftIDs()
	for _, id := range next {
		if !slices.Contains(old, id) {
			add(pb.ConfChangeAddNode, id)
		}
	}
	for _, id := range old {
		if slices.Contains(next, id) {
			continue
		}
		if id == self {
			add(pb.ConfChangeAddLearnerNode, id)
		} else {
			add(pb.ConfChangeRemoveNode, id)
		}
	}
	if len(from) == 0 && !slices.Contains(next, self) {
		add(pb.ConfChangeAddLearnerNode, self)
	}
	return all
}

// farewell is the order to take over, for the voter with most of the log, if this node leads and has no vote any more. The caller
// holds the lock.
func (q *Quorum) farewell(voters VoterSet) []*pb.Message {
	to := q.successor(q.self)
	if _, stays := voters.byRaftID(q.self); stays || to == 0 {
		return nil
	}
	if _, votes := voters.byRaftID(to); !votes {
		return nil
	}
	term := q.mu.node.BasicStatus().HardState.GetTerm()
	q.log.Info("this node has no vote in the metadata quorum any more and stops leading it", "epoch", term, "to", q.nodeID(to))
	return []*pb.Message{{Type: pb.MsgTimeoutNow.Enum(), To: &to, From: &q.self, Term: &term}}
}

// tellVoters tells OnVoters.
func (q *Quorum) tellVoters(e electorate) {
	if q.options.OnVoters != nil {
		q.options.OnVoters(e.voters, e.version)
	}
}

// alone reports whether this node is the only voter.
func (q *Quorum) alone() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.mu.voting.voters) == 1 && q.votes()
}

// votes reports whether this node is a voter. The caller holds the lock.
func (q *Quorum) votes() bool {
	_, found := q.mu.voting.voters.byRaftID(q.self)
	return found
}

// voter returns who has a name inside raft. The caller holds the lock.
func (q *Quorum) voter(raftID uint64) (Voter, bool) {
	if m, found := q.mu.voting.voters.byRaftID(raftID); found {
		return m.Voter, true
	}
	v, found := q.mu.met[raftID]
	return v, found
}

// maxMet bounds how many nodes are remembered that are no voters.
const maxMet = 1000

// Meet tells who sends messages under a name inside raft. A node learns of a change of the voters when it is committed; until then
// it may hear from a candidate or leader that is no voter as far as it knows, and must answer: others may need its vote. A node
// that comes with another directory than the voter of that name is refused (INVALID_VOTER_KEY): its disk was replaced.
func (q *Quorum) Meet(raftID uint64, v Voter) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if m, found := q.mu.voting.voters.byRaftID(raftID); found {
		if !m.is(v) {
			return kafka.Errorf(kafka.InvalidVoterKey, "%s is not the voter %s: was its disk replaced? Remove that voter and add this one", v, m.Voter)
		}
		return nil
	}
	if _, known := q.mu.met[raftID]; !known && len(q.mu.met) < maxMet {
		q.mu.met[raftID] = v
	}
	return nil
}
