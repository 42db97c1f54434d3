package partition

import (
	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
)

// Special timestamps of ListOffsets (org.apache.kafka.common.requests.ListOffsetsRequest).
const (
	LatestTimestamp                int64 = -1
	EarliestTimestamp              int64 = -2
	MaxTimestamp                   int64 = -3 // KIP-734
	EarliestLocalTimestamp         int64 = -4 // KIP-405
	LatestTieredTimestamp          int64 = -5 // KIP-1005
	EarliestPendingUploadTimestamp int64 = -6 // KIP-1023
)

// Offset is what ListOffsets answers for one partition; -1 stands for "none" in each field.
type Offset struct {
	Offset      int64
	Timestamp   int64
	LeaderEpoch int32
}

var noOffset = Offset{-1, -1, -1}

// OffsetFor finds the offset that ListOffsets asks for with a timestamp in milliseconds or one of the special ones.
// committed stands for read_committed: nothing at or above the last stable offset is seen.
func (p *Partition) OffsetFor(timestamp int64, committed bool, leaderEpoch int32) (Offset, error) {
	for {
		log := p.Log()
		found, err := p.offsetIn(log, timestamp, committed, leaderEpoch)
		if err == nil || p.Log() == log { // and not moved to another directory meanwhile
			return found, err
		}
	}
}

// OwnOffsetFor is OffsetFor in this replica's log, up to its end, whoever leads the partition: what tools ask that compare replicas
// (Kafka: ListOffsetsRequest.DEBUGGING_REPLICA_ID).
func (p *Partition) OwnOffsetFor(timestamp int64, leaderEpoch int32) (Offset, error) {
	if _, err := p.inEpoch(leaderEpoch); err != nil {
		return noOffset, err
	}
	if err := p.Gone(); err != nil {
		return noOffset, err
	}
	log := p.Log()
	return p.search(log, timestamp, log.EndOffset(), nil)
}

func (p *Partition) offsetIn(log *commitlog.Log, timestamp int64, committed bool, leaderEpoch int32) (Offset, error) {
	if _, err := p.Leading(leaderEpoch); err != nil {
		return noOffset, err
	}
	if err := p.Gone(); err != nil {
		return noOffset, err
	}
	end := log.HighWatermark()
	lagging := p.lagging(end)
	if committed {
		end = min(end, log.LastStableOffset())
	}
	return p.search(log, timestamp, end, lagging)
}

// search finds an offset below end; lagging is why there may be one that is not known yet.
func (p *Partition) search(log *commitlog.Log, timestamp, end int64, lagging error) (Offset, error) {
	switch timestamp {
	case LatestTimestamp:
		if lagging != nil {
			return noOffset, lagging
		}
		return Offset{end, -1, log.LatestEpoch()}, nil
	case EarliestTimestamp, EarliestLocalTimestamp:
		start := log.StartOffset()
		return Offset{start, -1, log.EpochAt(start)}, nil
	case MaxTimestamp:
		offset, ts, epoch, found, err := log.MaxTimestamp()
		if err != nil {
			return noOffset, err
		}
		return p.below(end, Offset{offset, ts, epoch}, found, lagging)
	case LatestTieredTimestamp, EarliestPendingUploadTimestamp:
		return noOffset, nil // nothing is tiered
	}
	if timestamp < 0 {
		return noOffset, kafka.Errorf(kafka.UnsupportedVersion, "%d is none of the special timestamps of ListOffsets", timestamp)
	}
	offset, ts, epoch, found, err := log.OffsetForTimestamp(timestamp)
	if err != nil {
		return noOffset, err
	}
	return p.below(end, Offset{offset, ts, epoch}, found, lagging)
}

// lagging returns OFFSET_NOT_AVAILABLE while a new leader has not heard from those in sync: what was committed under its
// predecessor may be above its high watermark, and must not seem to be gone.
func (p *Partition) lagging(high int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if state := p.state.Load(); state.Leader != p.node || p.mu.epochStart <= high {
		return nil
	}
	return kafka.Errorf(kafka.OffsetNotAvailable, "the high watermark of %s, %d, lags behind the offset at which the current leader epoch began, %d", p.name, high, p.mu.epochStart)
}

// below is the answer if it is below end; else there is none, or none yet.
func (p *Partition) below(end int64, o Offset, found bool, lagging error) (Offset, error) {
	if !found || o.Offset >= end {
		return noOffset, lagging
	}
	return o, nil
}

// EpochEnd answers OffsetForLeaderEpoch: the end of an epoch, or of the largest one before it, in the leader's history.
// Both are -1 if there is none.
func (p *Partition) EpochEnd(epoch, leaderEpoch int32) (int32, int64, error) {
	if _, err := p.Leading(leaderEpoch); err != nil {
		return -1, -1, err
	}
	found, end := p.Log().EpochEnd(epoch)
	return found, end, nil
}
