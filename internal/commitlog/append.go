package commitlog

import (
	"math"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/planted"
	"github.com/ottla/ottla/internal/producerstate"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// Append appends batches as the leader: it checks their producers, gives them the next offsets, stamps base
// offset and leader epoch into the bytes, and writes them, all or nothing. The batches went through
// record.Validate or come from this broker; their CRC is not looked at again. When it returns, readers see them;
// Commit asks for their safety.
//
// Errors: RECORD_LIST_TOO_LARGE for more than segment.bytes, those of producerstate.Table.Check,
// KAFKA_STORAGE_ERROR if the disk failed, is full, or for clients nearly so (Options.Reserve), CORRUPT_MESSAGE for bytes
// that are not batches. Nothing was appended then. A resent batch of an idempotent producer is a success with
// Appended.Duplicate.
func (l *Log) Append(batches []byte, o AppendOptions) (Appended, error) {
	facts, err := l.measure(batches, l.config.Load().segmentLimit())
	if err != nil {
		return Appended{}, err
	}
	if o.Origin == record.Client && !l.internal {
		if err := l.dir.space.admit(int64(len(batches)), o.Now); err != nil {
			return Appended{}, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return Appended{}, err
	}
	base := l.end.Load()
	if dup, found, err := l.checkProducers(batches, base, o); err != nil || found {
		return l.duplicate(dup, facts, o.LeaderEpoch), err
	}
	next := stamp(batches, base, o.LeaderEpoch)
	if err := l.write(batches, base, next, facts, o.Now); err != nil {
		return Appended{}, err
	}
	return Appended{BaseOffset: base, NextOffset: next, StartOffset: l.start.Load(), AppendTime: facts.appendTime, LeaderEpoch: o.LeaderEpoch, FlushDue: l.flushDue()}, nil
}

// AppendReplica appends batches with the offsets and leader epochs that the leader gave them, and returns the
// new end. It checks CRCs, as the bytes came over the network. Offsets may leave gaps (compaction) but must
// not go back: that is OFFSET_OUT_OF_RANGE. After an error nothing is appended, unless the batches before one that is too far
// from them for a segment. The batches may be more than segment.bytes: the leader took them when that was larger.
func (l *Log) AppendReplica(batches []byte) (next int64, err error) {
	if _, err := l.measure(batches, maxSegmentBytes); err != nil {
		return 0, err
	}
	for {
		end, size, err := l.appendOneSegment(batches)
		if err != nil || size == len(batches) {
			return end, err
		}
		batches = batches[size:]
	}
}

// appendOneSegment appends the first of batches that measure has passed, as many as have offsets of one segment, and returns
// the new end and their size. Only a compacted log has others.
func (l *Log) appendOneSegment(batches []byte) (next int64, size int, err error) {
	first, expected := int64(noOffset), int64(0)
	for b := range record.Batches(batches) {
		if err := b.CheckCRC(); err != nil {
			return 0, 0, err
		}
		if first == noOffset {
			first = b.BaseOffset()
			expected = first
		}
		if b.LastOffset() < b.BaseOffset() || b.LastOffset() == math.MaxInt64 {
			return 0, 0, kafka.Errorf(kafka.CorruptMessage, "a batch for %s with offsets %d to %d", l.tp, b.BaseOffset(), b.LastOffset())
		}
		if b.BaseOffset() < expected {
			return 0, 0, kafka.Errorf(kafka.OffsetOutOfRange, "Out of order offsets in append to %s: batch at %d after end %d", l.tp, b.BaseOffset(), expected)
		}
		if !fitsIndex(first, b.LastOffset()) {
			break
		}
		expected, size = b.LastOffset()+1, size+b.Length()
	}
	facts, err := l.measure(batches[:size], maxSegmentBytes)
	if err != nil {
		return 0, 0, err
	}
	now := l.dir.options.Now()
	if !l.internal {
		if err := l.dir.space.admit(int64(size), now); err != nil {
			return 0, 0, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return 0, 0, err
	}
	if end := l.end.Load(); first < end {
		return 0, 0, kafka.Errorf(kafka.OffsetOutOfRange, "Unexpected offset in append to %s: first offset %d is less than the next offset %d", l.tp, first, end)
	}
	if err := l.write(batches[:size], first, expected, facts, now); err != nil {
		return 0, 0, err
	}
	return expected, size, nil
}

// appendFacts is what an append needs to know before it takes the mutex.
type appendFacts struct {
	maxTimestamp int64
	appendTime   int64
	records      int64
}

// measure walks over the batches and refuses what cannot be appended whatever the state of the log.
func (l *Log) measure(batches []byte, limit int64) (appendFacts, error) {
	facts := appendFacts{maxTimestamp: record.NoTimestamp, appendTime: record.NoTimestamp}
	if len(batches) == 0 {
		return facts, kafka.Errorf(kafka.InvalidRecord, "Append to %s has no record batch", l.tp)
	}
	if int64(len(batches)) > limit {
		return facts, kafka.Errorf(kafka.RecordListTooLarge, "Message batch size is %d bytes in append to partition %s, which exceeds the maximum configured segment size of %d (segment.bytes).", len(batches), l.tp, limit)
	}
	for b, err := range record.Batches(batches) {
		if err != nil {
			return facts, kafka.Errorf(kafka.CorruptMessage, "Append to %s: %v", l.tp, err)
		}
		if b.LastOffsetDelta() < 0 || b.BaseOffset() < 0 || b.LastOffset() < 0 {
			return facts, kafka.Errorf(kafka.CorruptMessage, "Append to %s: batch has base offset %d and last offset delta %d", l.tp, b.BaseOffset(), b.LastOffsetDelta())
		}
		facts.records += int64(b.LastOffsetDelta()) + 1
		facts.maxTimestamp = max(facts.maxTimestamp, b.MaxTimestamp())
		if b.Attributes().TimestampType() == record.LogAppendTime {
			facts.appendTime = b.MaxTimestamp()
		}
	}
	return facts, nil
}

// checkProducers: the caller holds l.mu.
func (l *Log) checkProducers(batches []byte, base int64, o AppendOptions) (dup producerstate.AppendedBatch, found bool, err error) {
	if planted.In(planted.ForgetProducers) {
		return dup, false, nil
	}
	how := producerstate.Append{Origin: o.Origin, TransactionVersion: o.TransactionVersion, Verify: o.Verify, Guard: o.Guard}
	for b := range record.Batches(batches) {
		if dup, found, err = l.mu.producers.Check(b, base, how); found || err != nil {
			return dup, found, err
		}
		base += int64(b.LastOffsetDelta()) + 1
	}
	return dup, false, nil
}

// duplicate answers as the first time. The append time is the one that the batch got then; only the largest timestamp of a
// batch is remembered, which is the append time if the topic has message.timestamp.type=LogAppendTime.
func (l *Log) duplicate(dup producerstate.AppendedBatch, facts appendFacts, leaderEpoch int32) Appended {
	appendTime := int64(record.NoTimestamp)
	if facts.appendTime != record.NoTimestamp {
		appendTime = dup.Timestamp
	}
	return Appended{BaseOffset: dup.FirstOffset, NextOffset: dup.LastOffset + 1, StartOffset: l.start.Load(), AppendTime: appendTime, LeaderEpoch: leaderEpoch, Duplicate: true}
}

// stamp gives the batches their offsets and epoch and returns the offset after them.
func stamp(batches []byte, base int64, epoch int32) (next int64) {
	for b := range record.Batches(batches) {
		b.SetBaseOffset(base)
		b.SetLeaderEpoch(epoch)
		base = b.LastOffset() + 1
	}
	return base
}

// write puts stamped batches at the end of the log. The caller holds l.mu.
func (l *Log) write(batches []byte, base, next int64, facts appendFacts, now time.Time) error {
	c := l.config.Load()
	s := l.active()
	if err := l.prepare(s); err != nil {
		return l.writeError(err)
	}
	if l.mustRoll(s, c, int64(len(batches)), next-1, facts.maxTimestamp, now) {
		if err := l.roll(c, base, now); err != nil {
			return err
		}
		s = l.active()
	}
	position, err := l.writeBytes(s, c, batches)
	if err != nil {
		return err
	}
	l.index(s, batches, position)
	l.publish(s, c, next, position+int64(len(batches)), facts.records)
	return nil
}

// prepare brings into memory what appends extend. The caller holds l.mu.
func (l *Log) prepare(s *segment) error {
	if err := s.loadIndexes(); err != nil {
		return err
	}
	_, err := l.loadAborted(s)
	return err
}

// writeBytes puts bytes after the published end of the active segment. After an error either nothing is in the
// file beyond that end, or the Dir has failed. The caller holds l.mu.
func (l *Log) writeBytes(s *segment, c *Config, b []byte) (position int64, err error) {
	f, created, err := s.useLog()
	if err != nil {
		return 0, l.writeFailed(err)
	}
	defer f.done()
	if created {
		l.mu.unsynced.names = true
	}
	position = s.size()
	if position == 0 {
		s.firstTimestamp = unread
	}
	s.reserve(f, position, int64(len(b)), c, &l.dir.space)
	n, err := f.WriteAt(b, position)
	if err == nil {
		return position, nil
	}
	if n > 0 && f.Truncate(position) != nil {
		l.dir.fail(err)
	}
	s.reserved = position
	return 0, l.writeFailed(err)
}

// writeFailed takes the directory offline unless the disk is merely full, or too many files are open.
func (l *Log) writeFailed(err error) error {
	if !vfs.IsNoSpace(err) && !vfs.IsTooManyFiles(err) {
		l.dir.fail(err)
	}
	return storageError(err)
}

// index enters written batches into everything that is derived from them. The caller holds l.mu.
func (l *Log) index(s *segment, batches []byte, position int64) {
	for b := range record.Batches(batches) {
		s.state.Lock()
		s.note(b, position)
		s.noteNewest(markOf(b, position))
		s.state.Unlock()
		if s.firstTimestamp == unread && position == 0 {
			s.firstTimestamp = b.MaxTimestamp()
		}
		position += int64(b.Length())
		l.epochs.assignNewer(b.LeaderEpoch(), b.BaseOffset())
		l.updateProducers(s, b)
	}
}

// updateProducers: the caller holds l.mu, or is loading the log.
func (l *Log) updateProducers(s *segment, b record.Batch) {
	done, ended, err := l.mu.producers.Update(b)
	if err != nil {
		l.dir.options.Logger.Warn("control batch is not a transaction marker", "partition", l.tp.String(), "offset", b.BaseOffset(), "error", err)
		l.mu.producers.SetEnd(b.LastOffset() + 1)
		return
	}
	if ended && done.Aborted {
		s.noteAborted(Aborted{done.ProducerID, done.FirstOffset, done.LastOffset, done.LastStableOffset})
	}
}

// publish lets readers see what was written. The caller holds l.mu.
func (l *Log) publish(s *segment, c *Config, next, size, records int64) {
	s.state.Lock()
	grown := size - s.state.size
	s.state.size, s.state.next = size, next
	s.state.Unlock()
	l.size.Add(grown)
	l.publishUnstable()
	l.end.Store(next)
	l.appended(c, s, grown, records)
}
