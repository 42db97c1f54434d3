package statemachine

import (
	"time"

	"github.com/ottla/ottla/internal/producerstate"
)

// Record is one key and value of the machine's log. A nil Value is a tombstone; a nil Key stands only in
// logs that are not compacted, such as the cluster metadata.
type Record struct {
	Key, Value []byte
}

// Machine decides for one log. The engine calls its methods one at a time, never two at once.
type Machine interface {
	// Replay applies one appended record; it is the only place where durable state changes. It is called
	// for the log's records when the machine is loaded, and for a step's own records right after their
	// append. r's bytes are valid during the call only: decode or copy them. An error means that the log
	// holds something that this machine cannot understand: the load, or the engine, stops with it.
	Replay(offset int64, r Record) error

	// NextWake returns when the machine wants Wake to be called; the zero time means never. The engine asks
	// after every run of steps.
	NextWake() time.Time

	// Wake does what is due at now: sessions that ran out, delayed rebalances, expired offsets. It is a step
	// like any other. It is not called before NextWake.
	Wake(now time.Time) Output
}

// Transactional is what a machine implements besides Machine if its log holds records of transactions
// (__consumer_offsets does: TxnOffsetCommit). A log with such records fails to load without it.
type Transactional interface {
	// ReplayTransactional is Replay for a record that only counts once its producer's transaction commits.
	ReplayTransactional(offset int64, p Producer, r Record) error

	// ReplayMarker ends the open transaction of a producer: its records count from now on (commit) or never.
	ReplayMarker(producerID int64, producerEpoch int16, commit bool)
}

// Stopper is what a machine implements besides Machine if it keeps requests waiting.
type Stopper interface {
	// Stopped is called once, as the last call a machine gets, when its engine has stopped: answer every
	// request that still waits with err. It is not called for a machine that never finished loading.
	Stopped(err error)
}

// Output is what a step wants done. The zero value is a step that only looked, or that keeps its request
// waiting inside the machine.
type Output struct {
	// Records are appended as one batch: all of them or none. Their bytes are not looked at after the step's replay, so that
	// the machine's next step may use them again.
	Records []Record

	// Then is called in order once Records and everything appended before them is committed (err is nil),
	// or when that failed (err is a *kafka.Error, or another error that [kafka.CodeOf] understands). Each
	// function is called exactly once, without locks, and must not block.
	Then []func(err error)

	// Producer makes Records part of the open transaction of that producer. Nil: plain records.
	Producer *Producer
	// Verify demands that Guard is the one with which the transaction's coordinator was asked, if Records would begin the
	// transaction in this log (transaction.partition.verification.enable); otherwise the append fails with INVALID_TXN_STATE.
	Verify bool
	Guard  producerstate.Guard

	// Marker appends the end of a producer's transaction instead of Records.
	Marker *Marker
}

// Producer names a transactional producer.
type Producer struct {
	ID    int64
	Epoch int16
}

// Marker is the control record that ends a producer's transaction (Kafka's EndTransactionMarker).
type Marker struct {
	Producer         Producer
	CoordinatorEpoch int32
	Commit           bool
	Version          int16 // of transaction.version under which it was written; see producerstate.Append
}

// empty reports whether there is nothing to append.
func (o *Output) empty() bool { return len(o.Records) == 0 && o.Marker == nil }
