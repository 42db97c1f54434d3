package txn

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
)

const (
	noProducerID    = -1
	noProducerEpoch = -1
	noTimestamp     = -1

	// epochBump is the first transaction.version whose producers get a new epoch at each end of a transaction (TV2).
	epochBump = 2

	// lastUsableEpoch is the highest epoch that a producer may have: the one above is kept for fencing it
	// (TransactionMetadata.isEpochExhausted).
	lastUsableEpoch = math.MaxInt16 - 1

	// noTimeout is the timeout of a transaction that an outside coordinator ends (KIP-939): it never runs out.
	noTimeout = math.MaxInt32
)

// transaction is a transactional id with its present, or last, transaction.
type transaction struct {
	id string
	status

	// Of a decided transaction:
	unmarked []kafka.TopicPartition // partitions that lack their marker, sorted
	attempts int                    // deliveries of markers, or of the last record, that failed in a row
	retryAt  time.Time              // when to go on after a failure; zero: something is under way
}

// status is what the log tells of a transactional id. It is copied freely; partitions are never changed in place.
type status struct {
	state      State
	producerID int64
	// previousID is the producer id before the last change, which a producer that retries may still use; nextID the one
	// that follows when the decided transaction is complete, because epochs have run out.
	previousID, nextID int64
	epoch              int16
	// lastEpoch is the epoch before the last change if the same producer has it again: the log does not tell it.
	lastEpoch  int16
	timeout    int32                  // ms
	partitions []kafka.TopicPartition // sorted, each once
	started    int64                  // ms; noTimestamp if nothing was added
	updated    int64                  // ms
	// version is the transaction.version that the client last used.
	version int16
	// owner is who was initialized last; nil if that is not known: the log does not tell it.
	owner *causes.Client
}

// producer is whom the transactional id belongs to at the moment.
func (s *status) producer() statemachine.Producer {
	return statemachine.Producer{ID: s.producerID, Epoch: s.epoch}
}

// exhausted reports whether the producer id has no epochs left to give.
func (s *status) exhausted() bool { return s.epoch >= lastUsableEpoch }

// has reports whether a partition belongs to the transaction.
func (s *status) has(tp kafka.TopicPartition) bool {
	_, found := slices.BinarySearchFunc(s.partitions, tp, comparePartitions)
	return found
}

// with returns the transaction's partitions and more.
func (s *status) with(more []kafka.TopicPartition) []kafka.TopicPartition {
	all := slices.Concat(s.partitions, more)
	slices.SortFunc(all, comparePartitions)
	return slices.Compact(all)
}

func comparePartitions(a, b kafka.TopicPartition) int {
	return cmp.Or(strings.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
}

// then is the status that follows this one: a copy whose previous producer id is the present one
// (TransactionMetadata.prepareTransitionTo).
func (s status) then(state State, now time.Time) status {
	s.state = state
	s.previousID = s.producerID
	s.updated = now.UnixMilli()
	return s
}
