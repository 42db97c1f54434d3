package quorum

import (
	"encoding/binary"

	"go.etcd.io/raft/v3"
)

// catchUp finds out how far the log was committed when this node joined, and tells OnCaughtUp once all of that was handed
// over. A leader knows when it leads. Everybody else asks the leader (raft's ReadIndex, which the leader answers once it
// has made sure that it still leads); a question may get lost, so it is asked again until there is an answer.
type catchUp struct {
	done  bool
	asked int    // ticks since the question
	index uint64 // that has to be applied; 0 while it is not known
}

// askAgain is after how many ticks the leader is asked again.
const askAgain = electionTicks / 2

// askLeader asks unless there is an answer; it is called with every tick.
func (q *Quorum) askLeader() {
	c := &q.catchUp
	if c.done || c.index > 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	lead := q.mu.node.BasicStatus().Lead
	if lead == 0 || lead == q.self {
		c.asked = 0
		return
	}
	if c.asked++; c.asked == 1 {
		q.mu.node.ReadIndex(binary.BigEndian.AppendUint64(nil, q.self))
	} else if c.asked > askAgain {
		c.asked = 0
	}
}

// noteAnswers takes what raft answered.
func (q *Quorum) noteAnswers(states []raft.ReadState) {
	if len(states) > 0 && q.catchUp.index == 0 {
		q.catchUp.index = max(states[0].Index, 1)
	}
}

// tellCaughtUp tells OnCaughtUp when the time has come; leads says that this node has just begun to lead.
func (q *Quorum) tellCaughtUp(leads bool) {
	c := &q.catchUp
	if c.done {
		return
	}
	q.mu.Lock()
	goal := q.mu.goal
	q.mu.Unlock()
	if !leads && (c.index == 0 || q.last.index < c.index) && (goal == 0 || q.last.offset < goal) {
		return
	}
	c.done = true
	if q.options.OnCaughtUp != nil {
		q.options.OnCaughtUp()
	}
}

// fetchedTo tells how far the log was committed when the leader answered a fetch of this node's.
func (q *Quorum) fetchedTo(committed int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.mu.goal == 0 && committed > 0 {
		q.mu.goal = committed
		q.poke()
	}
}
