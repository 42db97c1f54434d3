package commitlog

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/compaction"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// compacting is one compaction of one log. It reads and writes without the log's mutex, so that appends and reads go on;
// under the mutex it makes files and exchanges segments. What changes or ends the segments that it works on aborts it,
// without waiting: that holds the mutex, and whatever a compaction does under the mutex looks at aborted first.
type compacting struct {
	log      *Log
	config   *Config
	part     dirtyPart
	limits   compactionLimits
	aborted  atomic.Bool
	all      []*segment // when it began
	segments []*segment // those of them below part.below
	keys     *compaction.Keys
	filter   compaction.Filter
	result   compactionResult
}

// compactionLimits are what one compaction may use.
type compactionLimits struct {
	keyBytes    int64
	loadFactor  float64
	bufferBytes int // for reading, and as many for writing; a larger batch gets what it needs
	// pace is told of bytes that were read or written, and waits while they are too many; an error ends the compaction.
	pace func(bytes int) error
}

// compactionResult says what a compaction did.
type compactionResult struct {
	first, end    int64 // offsets that were dirty and are compacted now
	before, after int64 // bytes of the segments that were replaced, and of those that replaced them
	keys          int
}

// errAborted ends a compaction because the log changed under it, or the cleaner stops.
var errAborted = errors.New("compaction aborted")

// dirt looks how dirty a log is, and whether a compaction is due.
func (l *Log) dirt(now time.Time) (p dirtyPart, due bool, err error) {
	if !l.config.Load().CleanupCompact || len(l.list()) == 1 || l.uncleanable.Load() != nil {
		return dirtyPart{}, false, nil // without the mutex: this is what idle logs are
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.compacting != nil || l.compactionHeld() || l.usable() != nil {
		return dirtyPart{}, false, nil
	}
	c := l.config.Load()
	p, err = l.dirtyPart(c, now)
	return p, err == nil && p.due(c), err
}

// beginCompaction makes a compaction the log's only one, until its end; nil if none is due any more.
func (l *Log) beginCompaction(now time.Time, limits compactionLimits) (*compacting, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.config.Load()
	if l.mu.compacting != nil || l.compactionHeld() || l.usable() != nil || !c.CleanupCompact {
		return nil, nil
	}
	part, err := l.dirtyPart(c, now)
	if err != nil || !part.due(c) {
		return nil, err
	}
	k := &compacting{log: l, config: c, part: part, limits: limits, all: l.list()}
	k.segments = k.all[:l.segmentAt(k.all, part.below)] // there is one at below, the first that must wait
	producers := map[int64]compaction.LastRecord{}
	for id, last := range l.mu.producers.LastRecords() {
		producers[id] = compaction.LastRecord(last)
	}
	k.filter = compaction.Filter{Producers: producers, NowMs: now.UnixMilli(), DeleteRetentionMs: max(0, c.DeleteRetentionMs)}
	l.mu.compacting = k
	return k, nil
}

// abortCompaction is for who changes or ends what a compaction works on. The caller holds l.mu.
func (l *Log) abortCompaction() {
	if k := l.mu.compacting; k != nil {
		k.aborted.Store(true)
		l.mu.compacting = nil
	}
}

// end lets others compact the log.
func (k *compacting) end() {
	l := k.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.compacting == k {
		l.mu.compacting = nil
	}
}

// run does the compaction: find the newest record of each key, then write the segments anew, group by group. A crash or
// an error between two groups leaves a log that is right and will be compacted again.
func (k *compacting) run() (compactionResult, error) {
	defer k.end()
	k.result.first = k.part.first
	if err := k.settle(); err != nil {
		return k.result, err
	}
	if err := k.mapKeys(); err != nil {
		return k.result, err
	}
	k.result.keys, k.result.end = k.keys.Len(), k.keys.Latest()+1
	k.filter.Keys, k.filter.Transactions = k.keys, new(compaction.Transactions)
	n := 0
	for n < len(k.segments) && k.segments[n].base < k.result.end {
		n++
	}
	at := 0
	for _, group := range groups(k.segments[:n], k.config) {
		if err := k.rewrite(group, at); err != nil {
			return k.result, err
		}
		at += len(group)
	}
	return k.result, k.log.compactedTo(k)
}

// failed takes the directory offline, unless the disk is merely full.
func (k *compacting) failed(err error) error {
	if !vfs.IsNoSpace(err) {
		k.log.dir.fail(err)
	}
	return err
}

// settle sees to it that no recovery reads or writes what will be replaced. The journal has nothing of it any more, and will
// not have, as it does not change; and the recovery point on disk is behind it.
func (k *compacting) settle() error {
	l := k.log
	l.mu.Lock()
	err := k.going()
	if err == nil {
		err = l.leaveJournal()
	}
	l.mu.Unlock()
	if err != nil || l.checkpointed.Load() >= k.part.below {
		return err
	}
	if err := l.dir.writeRecoveryPoints(); err != nil {
		return k.failed(err)
	}
	if l.checkpointed.Load() < k.part.below {
		return errAborted
	}
	return nil
}

// mapKeys is the first pass: over the dirty part.
func (k *compacting) mapKeys() error {
	k.keys = compaction.NewKeys(k.limits.keyBytes, k.part.below-k.part.first, k.limits.loadFactor)
	var transactions compaction.Transactions
	from := k.log.segmentAt(k.segments, k.part.first)
	for i, s := range k.segments[from:] {
		if err := k.expect(&transactions, from+i, max(s.base, k.part.first), i == 0); err != nil {
			return err
		}
		full, err := k.mapSegment(s, &transactions)
		if err != nil || full {
			return err
		}
		_, next := s.end()
		k.keys.Reach(next - 1) // there may be a gap at its end
	}
	return nil
}

// mapSegment puts the keys of one segment into the table; full if they do not all fit.
func (k *compacting) mapSegment(s *segment, transactions *compaction.Transactions) (full bool, err error) {
	position := int64(0)
	if s.base < k.part.first {
		if position, err = s.positionOf(k.part.first); err != nil {
			return false, err
		}
	}
	var reader record.Reader
	err = k.walk(s, position, func(b record.Batch) error {
		gone, err := transactions.Pass(b)
		if err != nil {
			return err
		}
		if !gone && !b.Attributes().Control() {
			for r, err := range reader.Records(b, 0) {
				if err != nil {
					return err
				}
				if r.Key != nil && r.Offset >= k.part.first && !k.keys.Put(r.Key, r.Offset) {
					return errFull
				}
			}
		}
		if b.LastOffset() >= k.part.first {
			k.keys.Reach(b.LastOffset())
		}
		return nil
	})
	if errors.Is(err, errFull) {
		return true, nil
	}
	return false, err
}

// errFull ends the first pass.
var errFull = errors.New("the table of keys is full")

// positionOf returns where to begin to walk for the first batch that ends at or after offset.
func (s *segment) positionOf(offset int64) (int64, error) {
	if !s.acquire() {
		return 0, errAborted
	}
	defer s.release()
	f, _, err := s.useLog()
	if err != nil {
		return 0, err
	}
	defer f.done()
	return s.seek(s.scan(f, pageBytes), offset)
}

// walk calls visit with the batches of a segment from position on, whose CRCs were checked. It opens the file for itself:
// a segment that is only compacted does not stay open.
func (k *compacting) walk(s *segment, position int64, visit func(record.Batch) error) error {
	f, err := k.open(s)
	if err != nil {
		return err
	}
	defer f.Close()
	size, least := s.size(), s.base
	scan := s.scan(f, max(k.limits.bufferBytes, pageBytes))
	for position < size {
		if err := k.going(); err != nil {
			return err
		}
		b, err := scan.headerFrom(position, least)
		if err == nil {
			b, err = scan.batch(position)
		}
		if err == nil {
			least = b.LastOffset() + 1
			err = visit(b)
		}
		if err != nil {
			return k.at(s, position, err)
		}
		position += int64(b.Length())
		if err := k.limits.pace(b.Length()); err != nil {
			return err
		}
	}
	return nil
}

// open opens a segment's .log file for reading.
func (k *compacting) open(s *segment) (vfs.File, error) {
	f, err := k.log.fsys.OpenFile(s.name(), os.O_RDONLY, 0)
	switch {
	case k.going() != nil:
		if err == nil {
			err = f.Close()
		}
		return nil, errors.Join(errAborted, err)
	case errors.Is(err, fs.ErrNotExist) && s.size() == 0:
		return noFile{}, nil
	case errors.Is(err, fs.ErrNotExist) && s.isRetired():
		return nil, errAborted // retention took it
	}
	return f, err
}

// noFile stands for the file of a segment that has none.
type noFile struct{ vfs.File }

func (noFile) Close() error { return nil }

// at says where records lie that cannot be read.
func (k *compacting) at(s *segment, position int64, err error) error {
	if bad, is := errors.AsType[*kafka.Error](err); is {
		if _, corrupt := errors.AsType[*CorruptionError](err); !corrupt {
			return &CorruptionError{File: s.name(), Position: position, Reason: bad.Error()}
		}
	}
	return err
}

// going returns an error if the compaction is to end.
func (k *compacting) going() error {
	if k.aborted.Load() {
		return errAborted
	}
	return k.log.dir.Failed()
}

// expect tells transactions of the aborted ones that overlap segment i from an offset on; unless it is the first that
// passes by, without those that the segments before had too.
func (k *compacting) expect(transactions *compaction.Transactions, i int, from int64, first bool) error {
	_, below := k.segments[i].end()
	var found []compaction.Aborted
	for _, s := range k.all[i:] { // the marker may lie behind what is compacted
		entries, err := k.log.loadAborted(s)
		if errors.Is(err, errRetired) {
			return errAborted
		}
		if err != nil {
			return err
		}
		undecided := int64(math.MinInt64)
		for _, a := range entries {
			if a.LastOffset >= from && a.FirstOffset < below && (first || a.FirstOffset >= from) {
				found = append(found, compaction.Aborted(a))
			}
			undecided = max(undecided, a.LastStableOffset)
		}
		if undecided >= below {
			break // no later marker reaches back
		}
	}
	transactions.Expect(found)
	return nil
}
