package storagecheck

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/producerstate"
	"github.com/ottla/ottla/internal/wire"
)

// Transactions is how many of them the logs tell of, each counted once per partition.
type Transactions struct {
	Committed int64 `json:"committed"`
	Aborted   int64 `json:"aborted"`
	// EmptyMarkers ended no transaction in their partition: nothing was written to it, or the marker was written again. They do
	// no harm.
	EmptyMarkers int64 `json:"emptyMarkers"`
	// Open are those without a marker, by partition and offset. Consumers with isolation.level=read_committed see
	// nothing behind them.
	Open []OpenTransaction `json:"open"`
}

// OpenTransaction is one in one partition.
type OpenTransaction struct {
	Partition     string `json:"partition"`
	ProducerID    int64  `json:"producerId"`
	ProducerEpoch int16  `json:"producerEpoch"`
	FirstOffset   int64  `json:"firstOffset"`
	// LastTimestamp is when the producer wrote its last batch here, in milliseconds.
	LastTimestamp int64 `json:"lastTimestamp"`
	// TransactionalID and State are what __transaction_state of this directory says of it; both "" if it does not have it.
	TransactionalID string `json:"transactionalId,omitempty"`
	State           string `json:"state,omitempty"`
}

// String is the transaction on one line.
func (o *OpenTransaction) String() string {
	text := fmt.Sprintf("%s from offset %d: producer %d, epoch %d, last wrote %s", o.Partition, o.FirstOffset, o.ProducerID, o.ProducerEpoch,
		time.UnixMilli(o.LastTimestamp).UTC().Format("2006-01-02T15:04:05.000Z"))
	if o.State == "" {
		return text + "; no coordinator in this directory knows of it"
	}
	return fmt.Sprintf("%s; transactional id %q, %s", text, o.TransactionalID, o.State)
}

func (x *Transactions) plus(o Transactions) {
	x.Committed += o.Committed
	x.Aborted += o.Aborted
	x.EmptyMarkers += o.EmptyMarkers
	x.Open = append(x.Open, o.Open...)
}

// noteEnd counts what a marker did.
func (p *partition) noteEnd(done producerstate.Completed, ended bool) {
	switch {
	case ended && done.Aborted:
		p.transactions.Aborted++
	case ended:
		p.transactions.Committed++
	case p.exact:
		p.transactions.EmptyMarkers++
	}
}

// noteOpen lists what is open at the end of the log.
func (p *partition) noteOpen() {
	for _, x := range p.producers.Producers() {
		if x.CurrentTxnStartOffset != producerstate.NoOffset {
			p.transactions.Open = append(p.transactions.Open, OpenTransaction{Partition: p.name, ProducerID: x.ProducerID, ProducerEpoch: x.ProducerEpoch,
				FirstOffset: x.CurrentTxnStartOffset, LastTimestamp: x.LastTimestamp})
		}
	}
}

// A status is what __transaction_state says last of a transactional id whose transaction has not ended.
type status struct {
	producer, previous int64
	state              string
	partitions         []wire.TransactionLogValuePartitionsSchema
}

// unended are the states with partitions in which the transaction has no marker yet (Kafka's TransactionState).
var unended = map[int8]string{1: "Ongoing", 2: "PrepareCommit", 3: "PrepareAbort"}

func (p *partition) noteStatus(id string, value *wire.TransactionLogValue) {
	delete(p.statuses, id)
	if value == nil || unended[value.TransactionStatus] == "" {
		return
	}
	if p.statuses == nil {
		p.statuses = map[string]status{}
	}
	p.statuses[id] = status{value.ProducerID, value.PreviousProducerID, unended[value.TransactionStatus], slices.Clone(value.TransactionPartitions)}
}

func (s status) has(o OpenTransaction) bool {
	if s.producer != o.ProducerID && s.previous != o.ProducerID {
		return false
	}
	return slices.ContainsFunc(s.partitions, func(t wire.TransactionLogValuePartitionsSchema) bool {
		return slices.ContainsFunc(t.PartitionIDs, func(n int32) bool { return kafka.TopicPartition{Topic: t.Topic, Partition: n}.String() == o.Partition })
	})
}

// match brings the open transactions together with their coordinators' statuses.
func (x *Transactions) match(statuses map[string]status) {
	for i := range x.Open {
		for id, s := range statuses {
			if s.has(x.Open[i]) {
				x.Open[i].TransactionalID, x.Open[i].State = id, s.state
			}
		}
	}
	slices.SortFunc(x.Open, func(a, b OpenTransaction) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.FirstOffset, b.FirstOffset))
	})
}
