package txn

import "slices"

// State is how far a transactional id's transaction is; the numbers are those of the log
// (org.apache.kafka.coordinator.transaction.TransactionState).
type State int8

const (
	Empty          State = 0 // initialized, and nothing has been added since
	Ongoing        State = 1
	PrepareCommit  State = 2 // the commit is decided; markers are being written
	PrepareAbort   State = 3
	CompleteCommit State = 4
	CompleteAbort  State = 5
	// Dead and PrepareEpochFence are steps on the way in Kafka's memory; its log never has them.
	Dead              State = 6
	PrepareEpochFence State = 7
)

var stateNames = []string{"Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort", "Dead", "PrepareEpochFence"}

// String is the name that DescribeTransactions tells.
func (s State) String() string {
	if s < 0 || int(s) >= len(stateNames) {
		return "?"
	}
	return stateNames[s]
}

// stateOf finds a state by its name.
func stateOf(name string) (State, bool) {
	i := slices.Index(stateNames, name)
	return State(i), i >= 0
}

// deciding reports whether the end is decided and markers are on their way.
func (s State) deciding() bool { return s == PrepareCommit || s == PrepareAbort }

// idle reports whether no transaction is open: the id may expire, and a producer may be initialized.
func (s State) idle() bool { return s == Empty || s == CompleteCommit || s == CompleteAbort }

// complete is the state that follows once all markers are written.
func (s State) complete() State {
	if s == PrepareCommit {
		return CompleteCommit
	}
	return CompleteAbort
}
