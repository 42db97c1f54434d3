package commitlog

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// A log directory stops taking clients' records before its volume is full (log.dir.reserve.bytes). What is left then is
// for what frees space or must not fail: internal topics, checkpoints, compaction, deletions. Kafka has no such reserve: it
// fills the volume, and the first write that fails takes the directory offline.

// AutomaticReserve as Options.Reserve is a hundredth of the volume, between 64 MiB and 1 GiB, but never more than a
// twentieth of a small one.
const AutomaticReserve int64 = -1

const (
	minReserve = 64 << 20
	maxReserve = 1 << 30

	// spaceInterval is how long a look at the volume is good for, while little is appended: others may write to it too.
	spaceInterval = time.Second
	// minSpaceBytes is the least that is appended between two looks at a volume that is not full.
	minSpaceBytes = 64 << 10
)

// Space is what is known of a log directory's volume.
type Space struct {
	Free, Total int64 // bytes
	Reserve     int64 // what is kept free
	// Full says that clients' records are refused.
	Full bool
}

// space decides whether the volume has room for clients' records. It asks the system (statfs) once a second at the most, and
// whenever so much was appended that the reserve might be near.
type space struct {
	dir *Dir
	// configured is log.dir.reserve.bytes.
	configured atomic.Int64
	// left is what may be appended before the volume is looked at again, nextLook when that is due: nil for now.
	left     atomic.Int64
	nextLook atomic.Pointer[time.Time]
	full     atomic.Bool
	// spare is what lay beyond the reserve at the last look.
	spare atomic.Int64

	warned atomic.Pointer[time.Time] // when warnFull spoke last

	looking sync.Mutex // one look at a time
	last    Space      // what it saw; guarded by looking
}

// reserveOf is the reserve in bytes of a volume of the given size.
func reserveOf(configured, total int64) int64 {
	if configured >= 0 {
		return configured
	}
	return min(max(total/100, minReserve), maxReserve, total/20)
}

// SetReserve changes Options.Reserve.
func (d *Dir) SetReserve(bytes int64) {
	if d.space.configured.Swap(bytes) != bytes {
		d.space.nextLook.Store(nil)
	}
}

// Reserve is what is kept free, in bytes, as of the last look at the volume.
func (d *Dir) Reserve() int64 {
	d.space.looking.Lock()
	defer d.space.looking.Unlock()
	return d.space.last.Reserve
}

// LookAtSpace asks how much room the volume has and notes whether clients' records are taken. Appends do it by
// themselves; to call it now and then shows the end of a shortage though nobody appends.
func (d *Dir) LookAtSpace() (Space, error) {
	d.space.looking.Lock()
	defer d.space.looking.Unlock()
	return d.space.look(d.options.Now(), 0)
}

// Shortage returns what clients are told while their records are refused for lack of space, or nil.
func (d *Dir) Shortage() error {
	if !d.space.full.Load() {
		return nil
	}
	d.space.looking.Lock()
	defer d.space.looking.Unlock()
	return d.space.refusal(d.space.last)
}

// admit refuses n bytes of a client if the reserve would be touched. It costs two atomic operations, now and then a look.
func (s *space) admit(n int64, now time.Time) error {
	if s.configured.Load() == 0 {
		return nil
	}
	if s.left.Add(-n) >= 0 && s.good(now) && !s.full.Load() {
		return nil
	}
	s.looking.Lock()
	defer s.looking.Unlock()
	if s.left.Load() >= 0 && s.good(now) {
		if !s.full.Load() {
			return nil // somebody else has just looked
		}
		return s.refusal(s.last)
	}
	v, err := s.look(now, n)
	if err != nil {
		return nil // the append itself will show what is wrong with the volume
	}
	if v.Full || v.Free-n < v.Reserve {
		return s.refusal(v)
	}
	return nil
}

// good reports whether the last look is recent enough.
func (s *space) good(now time.Time) bool {
	next := s.nextLook.Load()
	return next != nil && now.Before(*next)
}

func (s *space) refusal(v Space) error {
	return kafka.Errorf(kafka.KafkaStorageError,
		"Log directory %s has %d of %d bytes free, and the last %d are kept for internal topics, compaction and deletions (log.dir.reserve.bytes): no records are taken until there is more. Delete topics or records, lower retention.ms or retention.bytes, or enlarge the volume; no restart is needed.",
		s.dir.path, v.Free, v.Total, v.Reserve)
}

// look asks the system before n bytes are appended. The caller holds s.looking, and no log's mutex.
func (s *space) look(now time.Time, n int64) (Space, error) {
	next := now.Add(spaceInterval)
	s.nextLook.Store(&next)
	s.left.Store(math.MaxInt64)
	free, total, err := s.dir.Space()
	if err != nil {
		return Space{}, err
	}
	keep := reserveOf(s.configured.Load(), total)
	margin := keep / 8 // so that it does not begin and end with every record
	short := free < keep+min(n, margin)
	if s.full.Load() {
		short = free < keep+margin
	}
	v := Space{Free: free, Total: total, Reserve: keep, Full: short}
	s.last = v
	s.spare.Store(max(0, free-keep) / 2)
	if !short {
		s.left.Store(max(min(free-keep, keep)/4, minSpaceBytes))
	}
	if s.full.Swap(short) == short {
		return v, nil
	}
	if !short {
		s.dir.options.Logger.Info("log directory has room again; records are taken", "dir", s.dir.path, "free", free, "reserve", keep)
		return v, nil
	}
	s.dir.options.Logger.Error("log directory is nearly full; no records are taken until there is more room (log.dir.reserve.bytes)", "dir", s.dir.path, "free", free, "total", total, "reserve", keep)
	s.dir.giveBackReserved()
	return v, nil
}

// warnInterval is how often a log line tells that the disk does not even take what the reserve is for.
const warnInterval = time.Minute

// warnFull says, now and then, that files which are written again later could not be written.
func (s *space) warnFull(err error) {
	now, last := s.dir.options.Now(), s.warned.Load()
	if (last == nil || now.Sub(*last) >= warnInterval) && s.warned.CompareAndSwap(last, &now) {
		s.dir.options.Logger.Error("log directory is full; checkpoints and indexes are written once there is room", "dir", s.dir.path, "error", err)
	}
}

// take claims space to be reserved ahead in a segment; false if that could touch the reserve of the volume: it would be
// lost to everybody else.
func (s *space) take(bytes int64) bool {
	if s.configured.Load() == 0 {
		return true
	}
	for {
		spare := s.spare.Load()
		if s.full.Load() || bytes > spare {
			return false
		}
		if s.spare.CompareAndSwap(spare, spare-bytes) {
			return true
		}
	}
}

// giveBackReserved frees what segments have reserved ahead of their ends. A segment that cannot be trimmed keeps it.
func (d *Dir) giveBackReserved() {
	for _, l := range d.Logs() {
		l.mu.Lock()
		if l.usable() == nil {
			l.active().giveBack()
		}
		l.mu.Unlock()
	}
}

// giveBack: the caller holds the log's mutex.
func (s *segment) giveBack() {
	size := s.size()
	if s.reserved <= size {
		return
	}
	f, _, err := s.useLog()
	if err != nil {
		return
	}
	defer f.done()
	if f.Truncate(size) == nil {
		s.reserved = size
	}
}
