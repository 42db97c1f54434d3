package quorum

import (
	"fmt"
	"slices"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/planted"
	"github.com/ottla/ottla/internal/record"
)

// turn does what raft asks for, once: remember the vote, store entries, only then send messages, and apply
// what is committed. more is false when there is nothing to do. While it waits for the disk others append;
// their entries are stored together in the next turn.
func (q *Quorum) turn() (more bool, err error) {
	if err := q.finishSnapshot(); err != nil {
		return false, err
	}
	q.mu.Lock()
	if !q.mu.node.HasReady() {
		q.mu.unwritten = unwritten{}
		order := q.mu.order
		q.mu.order = nil
		if order != nil {
			err = q.mu.node.Step(order)
		}
		q.mu.Unlock()
		q.tellCaughtUp(false)
		return order != nil, err
	}
	rd := q.mu.node.Ready()
	q.mu.unwritten.write()
	q.mu.Unlock()

	if err := q.remember(rd.HardState); err != nil {
		return false, err
	}
	if !raft.IsEmptySnap(rd.Snapshot) {
		if err := q.install(rd.Snapshot); err != nil {
			return false, err
		}
	}
	if err := q.store(rd.Entries); err != nil {
		return false, err
	}
	q.mu.Lock()
	q.mu.unwritten.written()
	q.mu.Unlock()
	if err := q.send(rd.Messages); err != nil {
		return false, err
	}
	if err := q.apply(rd.CommittedEntries); err != nil {
		return false, err
	}
	q.noteAnswers(rd.ReadStates)
	q.tellCaughtUp(false)
	q.mu.Lock()
	q.mu.node.Advance(rd)
	q.mu.Unlock()
	q.finishChange()
	q.roles()
	q.maybeSnapshot()
	return true, nil
}

// remember writes quorum-state if term or vote changed. How far the log is committed need not be remembered:
// the next leader finds out.
func (q *Quorum) remember(hard *pb.HardState) error {
	if raft.IsEmptyHardState(hard) {
		return nil
	}
	v := vote{LeaderID: noNode, LeaderEpoch: int32(hard.GetTerm()), VotedID: noNode, VotedDirectoryID: kafka.ZeroUUID.String(), DataVersion: 1, CommittedVoters: q.vote.CommittedVoters}
	if hard.GetVote() != 0 {
		q.mu.Lock()
		voter, ok := q.voter(hard.GetVote())
		q.mu.Unlock()
		if old, voted, _ := q.vote.voter(); !ok && voted && q.storage.nameOf(old) == hard.GetVote() {
			voter, ok = old, true // voted for before it left the voters
		}
		if !ok {
			return fmt.Errorf("BUG: a vote for %d, who is no voter", hard.GetVote())
		}
		v.VotedID, v.VotedDirectoryID = voter.NodeID, voter.DirectoryID.String()
	}
	if v == q.vote {
		return nil
	}
	if planted.In(planted.ForgetVote) {
	} else if err := q.files.writeVote(v); err != nil {
		return fmt.Errorf("writing %s: %w", stateFile, err)
	}
	q.vote = v
	return nil
}

// store writes entries as batches and makes them stable. raft's empty entry, which opens a leader's term,
// becomes a LeaderChange batch here; followers get that batch.
func (q *Quorum) store(entries []*pb.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	first := entries[0].GetIndex()
	at, ok := q.storage.position(first - 1)
	if !ok {
		return fmt.Errorf("BUG: entry %d does not follow the log", first)
	}
	all := make([]record.Batch, 0, len(entries))
	for _, e := range entries {
		at.index, at.term = e.GetIndex(), e.GetTerm()
		b, err := entryBatch(e)
		if err == nil && len(b) == 0 {
			b, err = q.leaderChange(at)
		}
		if err != nil {
			return fmt.Errorf("entry %d of term %d: %w", at.index, at.term, err)
		}
		if b.BaseOffset() != at.offset {
			return fmt.Errorf("entry %d of term %d begins at offset %d; the log ends at %d", at.index, at.term, b.BaseOffset(), at.offset)
		}
		at.offset = b.LastOffset() + 1
		all = append(all, b)
	}
	if err := q.storage.append(first, all); err != nil {
		return fmt.Errorf("writing the metadata log: %w", err)
	}
	return nil
}

// leaderChange makes the batch of the entry that opens a term of this node's.
func (q *Quorum) leaderChange(at position) (record.Batch, error) {
	q.mu.Lock()
	voters := q.mu.voting.voters
	q.mu.Unlock()
	return leaderChange(at, q.options.Self, voters, q.options.Now())
}

// send hands messages to the transport, with batches in place of raft's empty entries.
func (q *Quorum) send(messages []*pb.Message) error {
	messages = q.wanted(messages)
	if len(messages) == 0 {
		return nil
	}
	for i, m := range messages {
		if t := m.GetType(); t == pb.MsgVoteResp || t == pb.MsgPreVoteResp {
			m.Commit, m.LogTerm = new(q.last.index), new(q.last.term)
		}
		for k, e := range m.GetEntries() {
			if len(e.GetData()) > 0 {
				continue
			}
			b, err := q.storage.batch(e.GetIndex())
			if err != nil {
				return err
			}
			if messages[i] == m { // raft's own copy must not change
				messages[i] = &pb.Message{
					Type: m.Type, To: m.To, From: m.From, Term: m.Term, LogTerm: m.LogTerm, Index: m.Index,
					Commit: m.Commit, Entries: append([]*pb.Entry(nil), m.Entries...),
				}
			}
			messages[i].Entries[k] = &pb.Entry{Type: e.Type, Term: e.Term, Index: e.Index, Data: b}
		}
	}
	if q.options.Transport != nil {
		q.options.Transport.Send(messages)
	}
	return nil
}

// wanted leaves out answers to a leader that did not ask: what this node fetched goes to raft as if the leader had sent it.
func (q *Quorum) wanted(messages []*pb.Message) []*pb.Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.noteQuestions(messages)
	if q.votes() {
		return messages
	}
	return slices.DeleteFunc(slices.Clone(messages), func(m *pb.Message) bool {
		return (m.GetType() == pb.MsgAppResp || m.GetType() == pb.MsgHeartbeatResp) && m.GetTo() != q.mu.direct
	})
}

// apply hands committed batches to OnCommit, and then answers who waits for them.
func (q *Quorum) apply(entries []*pb.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	for _, e := range entries {
		b, err := q.storage.batch(e.GetIndex())
		if err != nil {
			return err
		}
		if err := q.applyElectorate(e.GetIndex(), b); err != nil {
			return err
		}
		if q.options.OnCommit != nil {
			q.options.OnCommit(b)
		}
		q.last = position{index: e.GetIndex(), term: e.GetTerm(), offset: b.LastOffset() + 1}
		q.lastTimestamp = b.MaxTimestamp()
		q.sinceSnapshot += int64(b.Length())
	}
	q.storage.journal.SetHighWatermark(q.last.offset)
	q.commit(q.last.offset)
	return nil
}
