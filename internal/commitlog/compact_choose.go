package commitlog

import (
	"math"
	"time"
)

// dirtyPart is what a compaction of a log would work on (Kafka's LogToClean). Segments below first were compacted
// before; those from there to below are dirty; what follows must wait.
type dirtyPart struct {
	first, below           int64
	cleanBytes, dirtyBytes int64
	overdue                bool // max.compaction.lag.ms has passed for something dirty
}

// ratio is the dirty share of what is compacted or could be.
func (p *dirtyPart) ratio() float64 {
	if p.dirtyBytes == 0 {
		return 0
	}
	return float64(p.dirtyBytes) / float64(p.cleanBytes+p.dirtyBytes)
}

// due reports whether a compaction should begin.
func (p *dirtyPart) due(c *Config) bool {
	return p.overdue && p.dirtyBytes > 0 || p.ratio() > c.MinCleanableRatio
}

// dirtyPart looks at a log. Rules are Kafka's (LogCleanerManager.cleanableOffsets): never the active segment, nothing
// that is undecided or above the high watermark, no segment with records younger than min.compaction.lag.ms; and here
// nothing that a power failure might take. The caller holds l.mu.
func (l *Log) dirtyPart(c *Config, now time.Time) (dirtyPart, error) {
	list := l.list()
	if len(list) == 1 {
		return dirtyPart{}, nil
	}
	p := dirtyPart{first: l.firstDirty()}
	active := len(list) - 1
	from := l.segmentAt(list, p.first)
	below := min(l.LastStableOffset(), list[active].base, l.flushed.Load())
	young, err := firstYoung(list[from:active], c, now)
	if err != nil {
		return dirtyPart{}, err
	}
	below = max(p.first, min(below, young))
	end := l.segmentAt(list, below) // it holds below, so it is the first that must wait
	p.below = list[end].base
	for i, s := range list[:end] {
		if s.base < p.first {
			p.cleanBytes += s.size()
		}
		if i >= from {
			p.dirtyBytes += s.size()
		}
	}
	p.overdue = overdue(list[from:active], c, now)
	return p, nil
}

// firstDirty is where the part begins that was not compacted yet.
func (l *Log) firstDirty() int64 {
	start := l.start.Load()
	if clean := l.cleaned.Load(); clean > start && clean <= l.end.Load() {
		return clean
	}
	return start
}

// firstYoung is the base of the first segment with records that min.compaction.lag.ms protects.
func firstYoung(segments []*segment, c *Config, now time.Time) (int64, error) {
	if c.MinCompactionLagMs <= 0 {
		return math.MaxInt64, nil
	}
	for _, s := range segments {
		age, err := s.age(now)
		if err != nil {
			return 0, err
		}
		if age < c.MinCompactionLagMs {
			return s.base, nil
		}
	}
	return math.MaxInt64, nil
}

// overdue reports whether the first batch of a segment is older than max.compaction.lag.ms. The caller holds l.mu.
func overdue(segments []*segment, c *Config, now time.Time) bool {
	if c.MaxCompactionLagMs == math.MaxInt64 {
		return false
	}
	until := now.UnixMilli() - max(0, c.MaxCompactionLagMs)
	for _, s := range segments {
		if s.firstTimestamp == unread {
			s.firstTimestamp = s.readFirstTimestamp()
		}
		if s.firstTimestamp > 0 && s.firstTimestamp < until {
			return true
		}
	}
	return false
}

// groups puts neighbouring segments together that fit into one, so that segments do not get smaller with each
// compaction (Kafka's Cleaner.groupSegmentsBySize).
func groups(segments []*segment, c *Config) [][]*segment {
	var all [][]*segment
	indexLimit := c.SegmentIndexBytes
	if indexLimit <= 0 {
		indexLimit = math.MaxInt64
	}
	for i := 0; i < len(segments); {
		first := segments[i]
		size, offsets, times := first.size(), first.fileSize(offsetIndexSuffix), first.fileSize(timeIndexSuffix)
		n := i + 1
		for ; n < len(segments); n++ {
			s := segments[n]
			bytes, next := s.end()
			size += bytes
			offsets += s.fileSize(offsetIndexSuffix)
			times += s.fileSize(timeIndexSuffix)
			if size > c.segmentLimit() || offsets > indexLimit || times > indexLimit || bytes > 0 && !fitsIndex(first.base, next-1) {
				break
			}
		}
		all = append(all, segments[i:n:n])
		i = n
	}
	return all
}

// fileSize is the size of a file of the segment; 0 if it is not there.
func (s *segment) fileSize(suffix string) int64 {
	info, err := s.fsys.Stat(s.stem + suffix)
	if err != nil {
		return 0
	}
	return info.Size()
}
