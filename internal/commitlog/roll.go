package commitlog

import (
	"math/rand/v2"
	"time"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// jitter draws what is subtracted from segment.ms for one segment, so that logs that were created together do
// not roll together.
func jitter(c *Config) int64 {
	if c.SegmentJitterMs <= 0 || c.SegmentMs <= 0 {
		return 0
	}
	return rand.Int64N(min(c.SegmentJitterMs, c.SegmentMs))
}

// mustRoll decides whether an append needs a new segment (Kafka's LogSegment.shouldRoll): the bytes would pass
// segment.bytes; segment.ms, or for a compacted log max.compaction.lag.ms, has passed between the first batch's timestamp
// and the new ones, or on the clock if records have none; the index is full; or the offset does not fit it. The caller
// holds l.mu.
func (l *Log) mustRoll(s *segment, c *Config, bytes, lastOffset, maxTimestamp int64, now time.Time) bool {
	size := s.size()
	if !fitsIndex(s.base, lastOffset) {
		return true
	}
	if size == 0 {
		return false
	}
	return size > c.segmentLimit()-bytes || l.waited(s, maxTimestamp, now) > c.rollMs()-s.jitterMs || s.indexFull(c)
}

// waited is how long the segment has waited to be rolled, in ms. The caller holds l.mu.
func (l *Log) waited(s *segment, maxTimestamp int64, now time.Time) int64 {
	if s.firstTimestamp == unread {
		s.firstTimestamp = s.readFirstTimestamp()
	}
	if s.firstTimestamp >= 0 {
		return maxTimestamp - s.firstTimestamp
	}
	return now.Sub(s.created).Milliseconds()
}

// readFirstTimestamp returns the first batch's maximum timestamp; noTimestamp if it cannot be read.
func (s *segment) readFirstTimestamp() int64 {
	f, _, err := s.useLog()
	if err != nil {
		return noTimestamp
	}
	defer f.done()
	b, err := s.scan(f, record.HeaderSize).header(0)
	if err != nil {
		return noTimestamp
	}
	return b.MaxTimestamp()
}

func (s *segment) indexFull(c *Config) bool {
	if c.SegmentIndexBytes <= 0 {
		return false
	}
	s.state.RLock()
	defer s.state.RUnlock()
	return int64(len(s.state.offsets)) >= c.SegmentIndexBytes/offsetEntrySize ||
		int64(len(s.state.times)) >= c.SegmentIndexBytes/timeEntrySize-1
}

// roll closes the active segment and begins an empty one at the end of the log; at first, the offset of the next
// batch, if that is too far away for the index (a replica of a compacted log). An empty active segment is
// replaced. The caller holds l.mu.
func (l *Log) roll(c *Config, first int64, now time.Time) error {
	list := l.list()
	last := list[len(list)-1]
	base := l.end.Load()
	if !fitsIndex(base, first+maxSegmentBytes/record.HeaderSize) {
		base = first
	}
	next := l.newSegment(base, c, now)
	if last.size() == 0 {
		l.replaceSegments(append(list[:len(list)-1:len(list)-1], next))
		if err := last.remove(); err != nil {
			return l.writeFailed(err)
		}
		return nil
	}
	if err := l.seal(last); err != nil {
		return err
	}
	l.replaceSegments(append(list[:len(list):len(list)], next))
	return nil
}

// seal brings the files of a segment into the form of a closed one: log trimmed, indexes complete, and a producer
// snapshot at its end. The caller holds l.mu.
func (l *Log) seal(s *segment) error {
	if size := s.size(); s.reserved > size {
		if err := s.trim(); err != nil {
			return l.writeFailed(err)
		}
		s.reserved = size
	}
	s.state.Lock()
	s.noteTime()
	s.state.newest = nil // nobody is at the tail of a closed segment for long
	s.state.Unlock()
	if err := s.moveIndexesToDisk(); err != nil {
		return l.writeFailed(err)
	}
	l.mu.unsynced.add(s.stem+offsetIndexSuffix, s.stem+timeIndexSuffix)
	if err := l.saveAborted(s); err != nil {
		return l.writeFailed(err)
	}
	if err := l.saveSnapshot(); err != nil {
		return l.writeFailed(err)
	}
	l.mu.unsynced.names = true
	l.mu.unsynced.rolled = true
	l.mu.unsynced.sinceSaved = 0
	return nil
}

// Space is reserved in growing chunks once a segment shows that it is written to; a log of a few small records
// costs nothing extra.
const (
	reserveFrom     = 64 << 10
	minReserveChunk = 256 << 10
	maxReserveChunk = 32 << 20
)

// reserve makes room in the file before a write, as far as the volume has room to spare. It is only for speed: a failure
// shows in the write itself.
func (s *segment) reserve(f vfs.File, position, bytes int64, c *Config, room *space) {
	end := position + bytes
	if end <= s.reserved || (end < reserveFrom && !c.Preallocate) {
		return
	}
	chunk := min(max(position, minReserveChunk), maxReserveChunk)
	if c.Preallocate {
		chunk = c.segmentLimit()
	}
	upTo := min(max(end, s.reserved+chunk), max(end, c.segmentLimit()))
	if room.take(upTo-s.reserved) && f.Preallocate(s.reserved, upTo-s.reserved) == nil {
		s.reserved = upTo
	} else {
		s.reserved = end
	}
}
