package group

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// state is the state of a group; the texts are those of ListGroups and of the descriptions. Each kind of group has its own
// set of them.
type state string

const (
	empty  state = "Empty"
	stable state = "Stable"
	dead   state = "Dead"
)

// group is what groups of all kinds are: an id with committed offsets. The kind may change while the offsets stay: an empty
// classic group becomes a consumer group when a consumer of the new protocol comes, and back.
type group struct {
	id      string
	offsets map[kafka.TopicPartition]committed
	pending map[kafka.TopicPartition][]int64 // producers whose open transactions have an offset of the partition
	kind    kind
}

// kind is what distinguishes groups of one protocol from those of another: [classicGroup], ...
type kind interface {
	// list is how ListGroups shows the group.
	list() (groupType, protocolType string, state state)
	// checkCommit says why a request may not commit offsets, or nil. A commit is a sign of life.
	checkCommit(c *Coordinator, now time.Time, version int16, rq *wire.OffsetCommitRequest) error
	// checkTxnCommit says why a request may not commit offsets with a transaction, or nil.
	checkTxnCommit(c *Coordinator, rq *wire.TxnOffsetCommitRequest) error
	// checkFetch says why a request may not see committed offsets, or nil.
	checkFetch(rq *wire.OffsetFetchRequestGroup) error
	// checkDelete says why the group may not be deleted, or nil.
	checkDelete() error
	// checkDeleteOffsets says why no offset of the group may be deleted by hand, or nil.
	checkDeleteOffsets() error
	// consumes reports whether the group is subscribed to a topic, so that offsets of it must stay.
	consumes(topic string) bool
	// expirySince is the time in milliseconds from which the retention of an offset counts; false: it does not expire.
	expirySince(topic string, o committed) (since int64, expires bool)
	// abandoned reports whether nothing but offsets keeps the group.
	abandoned() bool
	// tombstones removes everything from the log but offsets.
	tombstones(out *outcome)
	// begin is called once, in the first step after the log was loaded: clocks begin to go.
	begin(c *Coordinator, out *outcome, now time.Time)
	// stop answers what waits, with err.
	stop(err error)
}

// newGroup makes a group that only keeps offsets, until somebody joins it.
func newGroup(id string) *group {
	g := &group{id: id, offsets: map[kafka.TopicPartition]committed{}}
	newClassicGroup(g)
	return g
}

// textOrNil is the nullable form of a text.
func textOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// textOf is the text of a nullable one.
func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
