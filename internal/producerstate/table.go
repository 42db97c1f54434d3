package producerstate

import (
	"cmp"
	"iter"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// NoOffset stands for "no open transaction".
const NoOffset int64 = -1

// Table is the producer state of one log. It is not safe for concurrent use: the log's lock guards it.
type Table struct {
	partition kafka.TopicPartition
	producers map[int64]*entry
	// ongoing are the open transactions, by first offset.
	ongoing []transaction
	// unreplicated are the ended transactions whose marker is at or above the high watermark, by first
	// offset.
	unreplicated []transaction
	verifying    map[int64]*verification
	guards       Guard
	end          int64
}

type transaction struct {
	producerID  int64
	firstOffset int64
	// markerOffset is set once it ended.
	markerOffset int64
}

// New returns the empty table of a log. The partition is named in error texts.
func New(partition kafka.TopicPartition) *Table {
	return &Table{partition: partition, producers: map[int64]*entry{}, verifying: map[int64]*verification{}}
}

// End is the offset after the last batch that the table has seen (Kafka's mapEndOffset).
func (t *Table) End() int64 { return t.end }

// SetEnd tells the table that the log was written up to end, by batches without a producer that were
// not passed to Update.
func (t *Table) SetEnd(end int64) { t.end = end }

// Len is the number of producers.
func (t *Table) Len() int { return len(t.producers) }

// Reset forgets the producers and their transactions; the log now ends at end. Truncation uses it, or
// Load: ended transactions go too, because nothing below the high watermark is truncated.
func (t *Table) Reset(end int64) {
	clear(t.producers)
	t.ongoing, t.unreplicated = nil, nil
	t.end = end
}

// AdvanceStart tells the table that the log now starts at offset. Producers stay, as in Kafka since 2.4
// (KIP-360), even if all their records are gone.
func (t *Table) AdvanceStart(offset int64) {
	t.dropReplicated(offset)
	t.end = max(t.end, offset)
}

// SetHighWatermark makes ended transactions stable whose marker is below the high watermark.
func (t *Table) SetHighWatermark(offset int64) { t.dropReplicated(offset) }

func (t *Table) dropReplicated(below int64) {
	if len(t.unreplicated) > 0 {
		t.unreplicated = slices.DeleteFunc(t.unreplicated, func(x transaction) bool { return x.markerOffset < below })
	}
}

// FirstUnstableOffset is the first offset of the oldest transaction that is open, or whose marker is not
// below the high watermark yet. ok is false if there is none. It can lie below the log's start.
func (t *Table) FirstUnstableOffset() (offset int64, ok bool) {
	offset, ok = t.FirstUndecidedOffset()
	if len(t.unreplicated) > 0 && (!ok || t.unreplicated[0].firstOffset < offset) {
		return t.unreplicated[0].firstOffset, true
	}
	return offset, ok
}

// FirstUndecidedOffset is the first offset of the oldest open transaction.
func (t *Table) FirstUndecidedOffset() (offset int64, ok bool) {
	if len(t.ongoing) == 0 {
		return NoOffset, false
	}
	return t.ongoing[0].firstOffset, true
}

// HasOpenTransaction reports whether the producer has an open transaction with this very epoch.
func (t *Table) HasOpenTransaction(producerID int64, epoch int16) bool {
	e := t.producers[producerID]
	return e != nil && e.txnFirstOffset != NoOffset && e.epoch == epoch
}

// OldestTransactionTimestamp is when the producer of the oldest open transaction last wrote, in
// milliseconds; record.NoTimestamp if none is open. Transactions much older than
// transaction.max.timeout.ms hang.
func (t *Table) OldestTransactionTimestamp() int64 {
	if len(t.ongoing) > 0 {
		if e := t.producers[t.ongoing[0].producerID]; e != nil {
			return e.lastTimestamp
		}
	}
	return record.NoTimestamp
}

// Expire drops producers that wrote nothing for expirationMs (producer.id.expiration.ms), and
// verifications that never ended. now is in milliseconds. Producers with an open transaction stay.
func (t *Table) Expire(now, expirationMs int64) (dropped int) {
	for id, e := range t.producers {
		if e.expired(now, expirationMs) {
			delete(t.producers, id)
			dropped++
		}
	}
	for id, v := range t.verifying {
		if now-v.started >= expirationMs {
			delete(t.verifying, id)
		}
	}
	return dropped
}

// Producer is what DescribeProducers tells of one producer.
type Producer struct {
	ProducerID    int64
	ProducerEpoch int16
	// LastSequence is record.NoSequence if there is none in this epoch.
	LastSequence  int32
	LastTimestamp int64
	// CoordinatorEpoch is -1 before the first marker.
	CoordinatorEpoch int32
	// CurrentTxnStartOffset is NoOffset if no transaction is open.
	CurrentTxnStartOffset int64
}

// Producers returns all producers by id.
func (t *Table) Producers() []Producer {
	list := make([]Producer, 0, len(t.producers))
	for id, e := range t.producers {
		list = append(list, Producer{id, e.epoch, e.lastSequence(), e.lastTimestamp, e.coordinatorEpoch, e.txnFirstOffset})
	}
	slices.SortFunc(list, func(a, b Producer) int { return cmp.Compare(a.ProducerID, b.ProducerID) })
	return list
}

// LastRecord is where a producer's last batch in its epoch ended.
type LastRecord struct {
	Offset int64 // NoOffset if it wrote nothing but markers in this epoch
	Epoch  int16
}

// LastRecords yields the producers by id, in no order: what compaction must leave of each.
func (t *Table) LastRecords() iter.Seq2[int64, LastRecord] {
	return func(yield func(int64, LastRecord) bool) {
		for id, e := range t.producers {
			last := LastRecord{NoOffset, e.epoch}
			if e.batches > 0 {
				last.Offset = e.last.lastOffset
			}
			if !yield(id, last) {
				return
			}
		}
	}
}

func byFirstOffset(a transaction, offset int64) int { return cmp.Compare(a.firstOffset, offset) }

// put adds x to a list by first offset. Appends come in order, so it is nearly always the end.
func put(list []transaction, x transaction) []transaction {
	at, found := slices.BinarySearchFunc(list, x.firstOffset, byFirstOffset)
	if found {
		list[at] = x
		return list
	}
	return slices.Insert(list, at, x)
}
