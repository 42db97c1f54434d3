package statemachine

import (
	"github.com/ottla/ottla/internal/producerstate"
	"github.com/ottla/ottla/internal/record"
)

// TransactionLog is what a Log implements besides if its machine is [Transactional].
type TransactionLog interface {
	// AppendTransactional is Log.Append for a batch that belongs to a transaction, or ends one: how says what the log's
	// producer state has to know of it.
	AppendTransactional(batch []byte, how producerstate.Append) (next int64, err error)
}

// Log is what an engine runs on: a led partition, the metadata quorum while this node leads it, or memlog in
// tests. It is bound to one leadership: after a change of leader Append and Await fail.
type Log interface {
	// Append appends one record batch whose base offset is to be assigned and returns the offset after it.
	// The batch is the log's from then on: to stamp in place, and to keep. Append does not wait for the batch
	// to be durable. After an error nothing was appended. The engine never calls it twice at once, and is the
	// log's only writer.
	Append(batch []byte) (next int64, err error)

	// Await calls done once: with nil when everything below offset is committed, with an error when that
	// will not happen under this leadership. done may be called before Await returns, and from any
	// goroutine; it runs Then functions and does not block.
	Await(offset int64, done func(err error))

	// Load yields every batch of the log in order, from the oldest (or a snapshot's first) to the last one
	// that is there when it is called, committed or not. The batches of a snapshot have offsets of their
	// own. A batch is valid during its yield only. An error of yield ends the load and is returned.
	Load(yield func(batch record.Batch) error) error
}
