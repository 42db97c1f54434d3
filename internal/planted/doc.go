// Package planted is the list of bugs that test/sim must find. A build without the tag "planted" has none of them: [In] is
// constantly false there, and the compiler drops what stands behind it. With the tag, the environment variable OTTLA_PLANTED
// names the one that the process has.
//
// `make sim-planted` plants one after the other and looks for each with at most a few seeds.
package planted

// Bug is something that a broker does wrong.
type Bug string

// The bugs, and where they are.
const (
	SkipSync         Bug = "skip-sync"            // commitlog: a sync does nothing
	AckBeforeCommit  Bug = "ack-before-commit"    // partition: acks=all is answered when the leader has written
	EarlyWatermark   Bug = "early-watermark"      // partition: the high watermark does not wait for followers
	CountUnsynced    Bug = "count-unsynced"       // partition: what a follower has written counts as stable
	ReadUndecided    Bug = "read-undecided"       // partition: read_committed sees open transactions
	ReuseEpoch       Bug = "reuse-epoch"          // metadata: a new leader has the old one's epoch
	ElectOutOfISR    Bug = "elect-out-of-isr"     // controller: any replica that lives may lead
	StaleISR         Bug = "stale-isr"            // controller: in-sync sets proposed for an older state are taken
	IgnoreTruncation Bug = "ignore-truncation"    // replication: a follower keeps what its leader does not have
	ForgetVote       Bug = "forget-vote"          // quorum: a vote is not written down
	ForgetProducers  Bug = "forget-producers"     // commitlog: what a producer sends again is taken again
	HalfTheMarkers   Bug = "half-the-markers"     // txn: half of a transaction's partitions get the marker
	AckBeforeRecord  Bug = "answer-before-record" // statemachine: a step is answered before its records are committed
)

// All are the bugs.
func All() []Bug {
	return []Bug{
		SkipSync, AckBeforeCommit, EarlyWatermark, CountUnsynced, ReadUndecided, ReuseEpoch, ElectOutOfISR, StaleISR,
		IgnoreTruncation, ForgetVote, ForgetProducers, HalfTheMarkers, AckBeforeRecord,
	}
}
