package partition

import (
	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
)

// Read asks for records of one partition, as a consumer does.
type Read struct {
	Offset int64
	// MaxBytes bounds the records; AtLeastOne lets one larger batch through (KIP-74).
	MaxBytes   int
	AtLeastOne bool
	// LeaderEpoch is the current leader epoch that the client knows, or AnyEpoch.
	LeaderEpoch int32
	// LastFetchedEpoch is the epoch of the last record that the client has, or AnyEpoch: the leader checks that
	// both have the same history (KIP-595).
	LastFetchedEpoch int32
	// Committed leaves out what a transaction has not yet decided (isolation level read_committed).
	Committed bool
}

// Records is the answer to a Read. The caller releases the Span.
type Records struct {
	Span          commitlog.Span
	HighWatermark int64
	LastStable    int64
	Start         int64
	// Aborted are the aborted transactions in the span; nil if the Read was not for committed records.
	Aborted []commitlog.Aborted
	// Diverged is set instead of a Span if the client's history is not the leader's.
	Diverged *Divergence
}

// Divergence tells a reader with records that the leader does not have up to where both agree.
type Divergence struct {
	Epoch     int32
	EndOffset int64
}

// Read finds the records that a consumer may see from an offset on: committed ones, below the high watermark. Errors
// are those of Leading, and OFFSET_OUT_OF_RANGE for an offset that is not in the log; the offsets of Records are set
// in that case too.
func (p *Partition) Read(r Read) (Records, error) {
	for {
		log := p.Log()
		found, err := p.readFrom(log, r)
		if err == nil || p.Log() == log { // and not moved to another directory meanwhile
			return found, err
		}
	}
}

func (p *Partition) readFrom(log *commitlog.Log, r Read) (Records, error) {
	if _, err := p.Leading(r.LeaderEpoch); err != nil {
		return Records{HighWatermark: -1, LastStable: -1, Start: -1}, err
	}
	if err := p.Gone(); err != nil {
		return Records{HighWatermark: -1, LastStable: -1, Start: -1}, err
	}
	hw := log.HighWatermark()
	// The high watermark may rise in between, and the last stable offset with it.
	found := Records{HighWatermark: hw, LastStable: min(hw, log.LastStableOffset()), Start: log.StartOffset()}
	if r.LastFetchedEpoch != AnyEpoch && r.Offset >= found.Start {
		diverged, err := p.divergence(log, r)
		if err != nil || diverged != nil {
			found.Diverged = diverged
			return found, err
		}
	}
	if end := log.EndOffset(); r.Offset < found.Start || r.Offset > end {
		return found, kafka.Errorf(kafka.OffsetOutOfRange,
			"offset %d of %s is out of range: the log has %d to %d", r.Offset, p.name, found.Start, end)
	}
	below := hw
	if r.Committed {
		below = found.LastStable
	}
	if r.Offset >= below {
		return found, nil
	}
	span, err := log.Find(r.Offset, r.MaxBytes, below, r.AtLeastOne)
	if err != nil {
		return found, err
	}
	found.Span = span
	if r.Committed && span.Size > 0 {
		// Transactions that begin after the span do no harm: clients take them in order of their first offsets.
		if found.Aborted, err = log.AbortedTransactions(r.Offset, below); err != nil {
			found.Span.Release()
			return found, err
		}
	}
	return found, nil
}

// divergence compares the client's last record with the leader's history.
func (p *Partition) divergence(log *commitlog.Log, r Read) (*Divergence, error) {
	epoch, end := log.EpochEnd(r.LastFetchedEpoch)
	if epoch < 0 || end < 0 {
		return nil, kafka.Errorf(kafka.OffsetOutOfRange,
			"the leader of %s has nothing of epoch %d any more, from which offset %d was fetched last", p.name, r.LastFetchedEpoch, r.Offset)
	}
	if epoch < r.LastFetchedEpoch || end < r.Offset {
		return &Divergence{Epoch: epoch, EndOffset: end}, nil
	}
	return nil, nil
}
