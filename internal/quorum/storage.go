package quorum

import (
	"fmt"
	"log/slog"
	"sort"
	"sync"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/ottla/ottla/internal/record"
)

// cacheBytes is how much of the log's tail stays in memory: what is appended is read again when it is
// committed, and by followers.
const cacheBytes = 8 << 20

// position is a place in the log in raft's terms and in Kafka's: the entry with that index and term is the
// last one before the offset.
type position struct {
	index, term uint64
	offset      int64
}

// entry is one raft entry, which is one record batch.
type entry struct {
	offset, end int64 // of its first record, and after its last
	term        uint64
	size        int          // bytes
	batch       record.Batch // nil if not cached
}

// storage is raft's view of the log (raft.Storage): the map between raft's indexes and batches, over a journal.
// Raft reads it under the quorum's lock, the loop writes it; therefore a lock of its own.
type storage struct {
	journal journal
	files   *files
	hard    *pb.HardState // as it was at the start
	conf    *pb.ConfState // at the start
	log     *slog.Logger
	// electorates has who voted where the newest snapshot ended when this node started, and then what the log's entries said.
	electorates []electorate

	mu struct {
		sync.Mutex
		base     position // the newest snapshot; zero without one
		entries  []entry  // entries[i] has index base.index+1+i
		end      int64    // offset after the last entry
		cached   int      // bytes of batches in entries
		uncached int      // entries below this one have no cached batch
	}
}

var _ raft.Storage = (*storage)(nil)

// newStorage reads the journal's batches from the newest snapshot on.
func newStorage(j journal, f *files, base position, voting electorate, log *slog.Logger) (*storage, error) {
	s := &storage{journal: j, files: f, log: log, electorates: []electorate{voting}}
	s.mu.base, s.mu.end = base, base.offset
	if err := s.recover(); err != nil {
		return nil, err
	}
	return s, nil
}

// recover brings journal and snapshot together after a start, and builds the index. A crash may have come
// between a snapshot and the cut of the log that it stands for.
func (s *storage) recover() error {
	base := s.mu.base
	start, end := s.journal.StartOffset(), s.journal.EndOffset()
	if start > base.offset {
		return fmt.Errorf("the metadata log begins at offset %d, but the newest snapshot ends at %d: records are missing", start, base.offset)
	}
	joined := start == base.offset // whether the log goes on where the snapshot ends
	for b, err := range batches(s.journal, start, end) {
		if err != nil {
			return err
		}
		if b.BaseOffset() >= base.offset {
			if !joined {
				break
			}
			if err := s.index(b); err != nil {
				return err
			}
			if err := s.noteElectorate(b); err != nil {
				return err
			}
		} else if b.LastOffset()+1 == base.offset {
			joined = uint64(b.LeaderEpoch()) == base.term
		}
	}
	if !joined { // the snapshot came from a leader whose log had gone another way, or is beyond ours
		return s.journal.Reset(base.offset)
	}
	if start < base.offset {
		return s.journal.AdvanceStart(base.offset)
	}
	return nil
}

// index adds a batch that is in the journal.
func (s *storage) index(b record.Batch) error {
	last := s.mu.base.term
	if n := len(s.mu.entries); n > 0 {
		last = s.mu.entries[n-1].term
	}
	if b.BaseOffset() != s.mu.end || b.LastOffsetDelta() < 0 {
		return fmt.Errorf("the metadata log has offsets %d to %d where %d should follow", b.BaseOffset(), b.LastOffset(), s.mu.end)
	}
	if b.LeaderEpoch() < 0 || uint64(b.LeaderEpoch()) < last {
		return fmt.Errorf("the metadata log has epoch %d after %d at offset %d", b.LeaderEpoch(), last, b.BaseOffset())
	}
	s.mu.entries = append(s.mu.entries, entry{offset: b.BaseOffset(), end: b.LastOffset() + 1, term: uint64(b.LeaderEpoch()), size: b.Length()})
	s.mu.uncached = len(s.mu.entries)
	s.mu.end = b.LastOffset() + 1
	return nil
}

// append writes batches as the entries from index on and makes them stable. Entries that were there from that
// index on are removed: another leader's word replaces them.
func (s *storage) append(index uint64, batches []record.Batch) error {
	s.mu.Lock()
	keep := int(index - s.mu.base.index - 1)
	if index <= s.mu.base.index || keep > len(s.mu.entries) {
		defer s.mu.Unlock()
		return fmt.Errorf("BUG: entry %d appended to a log with entries %d to %d", index, s.mu.base.index+1, s.mu.base.index+uint64(len(s.mu.entries)))
	}
	cut := s.truncate(keep)
	end := s.mu.end
	s.mu.Unlock()

	if cut {
		if err := s.journal.TruncateTo(end); err != nil {
			return err
		}
	}
	var all []byte
	for _, b := range batches {
		all = append(all, b...)
	}
	if err := s.journal.Write(all); err != nil {
		return err
	}
	if err := s.journal.Sync(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range batches {
		cached := s.mu.uncached
		if err := s.index(b); err != nil {
			return err
		}
		s.mu.uncached = cached
		s.mu.entries[len(s.mu.entries)-1].batch = b
		s.mu.cached += len(b)
	}
	s.trim()
	return nil
}

// truncate forgets all but the first keep entries and reports whether there were more.
func (s *storage) truncate(keep int) bool {
	if keep == len(s.mu.entries) {
		return false
	}
	for _, e := range s.mu.entries[keep:] {
		s.mu.cached -= len(e.batch)
	}
	s.mu.end = s.mu.entries[keep].offset
	clear(s.mu.entries[keep:])
	s.mu.entries = s.mu.entries[:keep]
	s.mu.uncached = min(s.mu.uncached, keep)
	return true
}

// trim lets go of the oldest cached batches beyond cacheBytes.
func (s *storage) trim() {
	for s.mu.cached > cacheBytes && s.mu.uncached < len(s.mu.entries) {
		e := &s.mu.entries[s.mu.uncached]
		s.mu.cached -= len(e.batch)
		e.batch = nil
		s.mu.uncached++
	}
}

// InitialState is part of raft.Storage.
func (s *storage) InitialState() (*pb.HardState, *pb.ConfState, error) { return s.hard, s.conf, nil }

// FirstIndex is part of raft.Storage.
func (s *storage) FirstIndex() (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.base.index + 1, nil
}

// LastIndex is part of raft.Storage.
func (s *storage) LastIndex() (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.base.index + uint64(len(s.mu.entries)), nil
}

// Term is part of raft.Storage.
func (s *storage) Term(index uint64) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if index == s.mu.base.index {
		return s.mu.base.term, nil
	}
	e, err := s.entry(index)
	return e.term, err
}

// Entries is part of raft.Storage.
func (s *storage) Entries(lo, hi, maxSize uint64) ([]*pb.Entry, error) {
	var all []*pb.Entry
	var size uint64
	for index := lo; index < hi; index++ {
		b, err := s.batch(index)
		if err != nil {
			return nil, err
		}
		if size += uint64(len(b)); size > maxSize && len(all) > 0 {
			break
		}
		all = append(all, newEntry(index, b))
	}
	return all, nil
}

// Snapshot is part of raft.Storage: what a follower gets that needs entries which are gone. raft takes any other
// error than this one for the end of the world.
func (s *storage) Snapshot() (*pb.Snapshot, error) {
	base, _ := s.bounds()
	if base.index == 0 {
		return nil, raft.ErrSnapshotTemporarilyUnavailable
	}
	data, err := s.files.readSnapshot(base)
	if err != nil {
		s.log.Error("a metadata snapshot cannot be read", "offset", base.offset, "error", err)
		return nil, raft.ErrSnapshotTemporarilyUnavailable
	}
	return &pb.Snapshot{Data: data, Metadata: &pb.SnapshotMetadata{Index: &base.index, Term: &base.term, ConfState: s.conf}}, nil
}

// entry finds an entry. The caller holds the lock.
func (s *storage) entry(index uint64) (entry, error) {
	if index <= s.mu.base.index {
		return entry{}, raft.ErrCompacted
	}
	i := index - s.mu.base.index - 1
	if i >= uint64(len(s.mu.entries)) {
		return entry{}, raft.ErrUnavailable
	}
	return s.mu.entries[i], nil
}

// batch returns the batch of an entry; its bytes must not be changed.
func (s *storage) batch(index uint64) (record.Batch, error) {
	s.mu.Lock()
	e, err := s.entry(index)
	s.mu.Unlock()
	if err != nil || e.batch != nil {
		return e.batch, err
	}
	bytes, err := s.journal.Read(e.offset, e.end, e.size)
	if err != nil {
		return nil, fmt.Errorf("reading the metadata log at offset %d: %w", e.offset, err)
	}
	b, _, err := record.First(bytes)
	if err != nil {
		return nil, fmt.Errorf("reading the metadata log at offset %d: %w", e.offset, err)
	}
	if b.BaseOffset() != e.offset || uint64(b.LeaderEpoch()) != e.term || b.Length() != e.size {
		return nil, fmt.Errorf("the metadata log has another batch at offset %d than was written", e.offset)
	}
	return b, nil
}

// position returns where an entry that is here ends.
func (s *storage) position(index uint64) (position, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if index == s.mu.base.index {
		return s.mu.base, true
	}
	e, err := s.entry(index)
	if err != nil {
		return position{}, false
	}
	return position{index: index, term: e.term, offset: e.end}, true
}

// lastOf returns the position of the last entry that ends at offset or before it and is of epoch or an earlier one; the snapshot's,
// if there is none.
func (s *storage) lastOf(epoch int32, offset int64) position {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := sort.Search(len(s.mu.entries), func(i int) bool {
		return s.mu.entries[i].end > offset || s.mu.entries[i].term > uint64(max(epoch, 0))
	})
	if n == 0 {
		return s.mu.base
	}
	return position{index: s.mu.base.index + uint64(n), term: s.mu.entries[n-1].term, offset: s.mu.entries[n-1].end}
}

// endPosition returns the last entry's position.
func (s *storage) endPosition() position {
	last, _ := s.LastIndex()
	p, _ := s.position(last)
	return p
}

// compact drops what the snapshot at p covers.
func (s *storage) compact(p position) error {
	s.mu.Lock()
	if p.index <= s.mu.base.index {
		s.mu.Unlock()
		return nil
	}
	n := sort.Search(len(s.mu.entries), func(i int) bool { return s.mu.entries[i].offset >= p.offset })
	for _, e := range s.mu.entries[:n] {
		s.mu.cached -= len(e.batch)
	}
	s.mu.entries = append([]entry(nil), s.mu.entries[n:]...)
	s.mu.uncached = max(0, s.mu.uncached-n)
	s.mu.base = p
	s.mu.Unlock()
	return s.journal.AdvanceStart(p.offset)
}

// restore starts over from a leader's snapshot.
func (s *storage) restore(p position) error {
	s.mu.Lock()
	s.mu.base, s.mu.end = p, p.offset
	s.mu.entries, s.mu.cached, s.mu.uncached = nil, 0, 0
	s.mu.Unlock()
	return s.journal.Reset(p.offset)
}

// bounds returns where the newest snapshot ends, and the offset after the last entry.
func (s *storage) bounds() (base position, end int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.base, s.mu.end
}
