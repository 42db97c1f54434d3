package quorum

import "time"

// hurryInterval is how long a tick lasts while an election is hurried: enough for a vote's round trip and its sync in one
// place, so that who is asked for a vote does not stand for election meanwhile.
const hurryInterval = 10 * time.Millisecond

// hurriedTicks bounds a hurry: where it takes longer, the voters are too far from each other for so short ticks.
const hurriedTicks = 5 * electionTicks

// Suspect tells that a node's process is dead for all that can be seen from here: its connection broke, and a new one was
// refused. If that node leads, nobody needs to wait until it has been silent for the election timeout: a majority with
// the same suspicion elects another leader within 0.2 s. A leader that lives stays: the others have heard from it and
// refuse their votes, and its next message ends the suspicion.
func (q *Quorum) Suspect(nodeID int32) {
	q.mu.Lock()
	defer q.mu.Unlock()
	status := q.mu.node.BasicStatus()
	if status.Lead == 0 || status.Lead == q.self || q.nodeID(status.Lead) != nodeID {
		return
	}
	if err := q.mu.node.ForgetLeader(); err != nil {
		q.log.Warn("the suspected controller is still waited for", "node", nodeID, "error", err)
		return
	}
	q.log.Info("the active controller's process is gone: there is an election at once", "node", nodeID, "epoch", status.HardState.GetTerm())
	q.mu.hurry = hurriedTicks
	q.poke()
}

// hurry lets a short tick pass, unless there is a leader by now.
func (q *Quorum) hurry() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.mu.node.BasicStatus().Lead != 0 {
		q.mu.hurry = 0
		return
	}
	q.mu.hurry--
	q.mu.node.Tick()
}

// hurried reports whether ticks are short.
func (q *Quorum) hurried() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.mu.hurry > 0
}
