package partition

import (
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/planted"
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
	// AnyReplica lets a consumer read from a follower, too (KIP-392).
	AnyReplica bool
	// Follower is set if another replica asks: it gets all up to the end of the log, and the leader notes what it has.
	Follower *Fetched
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

// Read finds the records that a consumer may see from an offset on: committed ones, below the high watermark; or for a
// follower all there are. Errors are those of Leading and for followers of fetchedBy, and OFFSET_OUT_OF_RANGE for an offset
// that is not in the log; the offsets of Records are set in that case too.
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
	state, err := p.serving(r)
	if err == nil {
		err = p.Gone()
	}
	if err != nil {
		return Records{HighWatermark: -1, LastStable: -1, Start: -1}, err
	}
	// Before anything is read: what is appended meanwhile does not keep a follower from having caught up.
	end, hw := log.EndOffset(), log.HighWatermark()
	// The high watermark may rise in between, and the last stable offset with it.
	found := Records{HighWatermark: hw, LastStable: min(hw, log.LastStableOffset()), Start: log.StartOffset()}
	if r.LastFetchedEpoch != AnyEpoch && r.Offset >= found.Start {
		diverged, err := p.divergence(log, r)
		if err != nil || diverged != nil {
			found.Diverged = diverged
			return found, err
		}
	}
	if r.Follower != nil && r.Offset > end {
		found.Diverged = &Divergence{Epoch: log.LatestEpoch(), EndOffset: end} // a log without epochs is longer than this one
		return found, nil
	}
	if now := log.EndOffset(); r.Offset < found.Start || r.Offset > now {
		return found, kafka.Errorf(kafka.OffsetOutOfRange,
			"offset %d of %s is out of range: the log has %d to %d", r.Offset, p.name, found.Start, now)
	}
	below := hw
	switch {
	case r.Follower != nil:
		below = end
		if !r.Follower.Again {
			if err := p.fetchedBy(r.Follower, state.LeaderEpoch, r.LeaderEpoch, r.Offset, end); err != nil {
				return found, err
			}
			found.HighWatermark = log.HighWatermark()
		}
	case r.Committed && !planted.In(planted.ReadUndecided):
		below = found.LastStable
	}
	if r.Offset >= below {
		return found, nil
	}
	if r.Follower != nil && p.set.leaderThrottle.Throttled(p) {
		return p.findThrottled(log, r, below, found, state.InSync(r.Follower.Broker))
	}
	return p.find(log, r, below, found)
}

// findThrottled is find for a replica that catches up no faster than operators want; it finds nothing while there was too much.
// One in sync finds all, which counts.
func (p *Partition) findThrottled(log *commitlog.Log, r Read, below int64, found Records, inSync bool) (Records, error) {
	t := p.set.leaderThrottle
	if inSync {
		found, err := p.find(log, r, below, found)
		t.TookInSync(time.Now(), found.Span.Size)
		return found, err
	}
	if t.Wait(time.Now()) > 0 {
		return found, nil
	}
	found, err := p.find(log, r, below, found)
	t.Took(time.Now(), found.Span.Size)
	return found, err
}

// serving returns the controller's word if this broker may answer: as Leading does, or as any replica.
func (p *Partition) serving(r Read) (*metadata.Partition, error) {
	if r.AnyReplica {
		if state := p.state.Load(); r.LeaderEpoch == AnyEpoch || r.LeaderEpoch == state.LeaderEpoch {
			return state, nil
		}
	}
	return p.Leading(r.LeaderEpoch)
}

// find adds the records below an offset to what was found.
func (p *Partition) find(log *commitlog.Log, r Read, below int64, found Records) (Records, error) {
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
