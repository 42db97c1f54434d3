package commitlog

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
)

// The transaction index lists the aborted transactions whose marker lies in the segment, in order of the
// markers. An entry of 34 bytes, big-endian:
//
//	 0         2             10             18            26                   34
//	+---------+-------------+--------------+-------------+--------------------+
//	| version | producer id | first offset | last offset | last stable offset |
//	+---------+-------------+--------------+-------------+--------------------+
const (
	txnEntrySize    = 34
	txnEntryVersion = 0
)

func appendTxnEntry(b []byte, a Aborted) []byte {
	b = binary.BigEndian.AppendUint16(b, txnEntryVersion)
	for _, v := range [...]int64{a.ProducerID, a.FirstOffset, a.LastOffset, a.LastStableOffset} {
		b = binary.BigEndian.AppendUint64(b, uint64(v))
	}
	return b
}

// parseTxnIndex returns the entries of a segment that ends before next; ok is false if the file is damaged.
func parseTxnIndex(b []byte, base, next int64) (entries []Aborted, ok bool) {
	if len(b)%txnEntrySize != 0 {
		return nil, false
	}
	for ; len(b) > 0; b = b[txnEntrySize:] {
		v := func(at int) int64 { return int64(binary.BigEndian.Uint64(b[at:])) }
		a := Aborted{v(2), v(10), v(18), v(26)}
		if binary.BigEndian.Uint16(b) != txnEntryVersion || a.FirstOffset < 0 || a.FirstOffset >= a.LastOffset || a.LastOffset < base || a.LastOffset >= next {
			return nil, false
		}
		if n := len(entries); n > 0 && a.LastOffset <= entries[n-1].LastOffset {
			return nil, false
		}
		entries = append(entries, a)
	}
	return entries, true
}

// noteAborted adds an aborted transaction. The caller owns the segment's writing side; the list was loaded.
func (s *segment) noteAborted(a Aborted) {
	s.state.Lock()
	defer s.state.Unlock()
	s.state.aborted = append(s.state.aborted, a)
	s.state.txnUnsaved = true
}

// abortedList returns the segment's aborted transactions; known is false until they were loaded.
func (s *segment) abortedList() (list []Aborted, known bool) {
	s.state.RLock()
	defer s.state.RUnlock()
	return s.state.aborted, s.state.abortedKnown
}

// loadAborted reads the .txnindex if that was not done. A damaged file is rebuilt from the log.
func (l *Log) loadAborted(s *segment) ([]Aborted, error) {
	if list, known := s.abortedList(); known {
		return list, nil
	}
	_, next := s.end()
	content, err := s.readTxnIndex()
	if err != nil {
		return nil, err
	}
	entries, ok := parseTxnIndex(content, s.base, next)
	if ok {
		if ok, err = l.abortedAreTrue(entries); err != nil {
			return nil, err
		}
	}
	if !ok {
		l.dir.options.Logger.Warn("rebuilding a damaged transaction index", "file", s.stem+txnIndexSuffix)
		if entries, err = l.rebuildAborted(s); err != nil {
			return nil, err
		}
	}
	s.state.Lock()
	defer s.state.Unlock()
	if !s.state.abortedKnown {
		s.state.aborted, s.state.abortedKnown, s.state.txnUnsaved = entries, true, !ok
	}
	return s.state.aborted, nil
}

// readTxnIndex returns the content of the .txnindex; none if there is no file. It is errRetired of a segment whose name may
// have been that of another file by then.
func (s *segment) readTxnIndex() ([]byte, error) {
	content, err := ReadFile(s.fsys, s.stem+txnIndexSuffix, maxIndexBytes)
	if s.isRetired() {
		return nil, errRetired
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, storageError(err)
	}
	return content, nil
}

// saveAborted writes the .txnindex of a segment if it lacks entries; the flusher syncs it. The caller holds l.mu.
func (l *Log) saveAborted(s *segment) error {
	if !s.abortedUnsaved() {
		return nil
	}
	if err := s.writeAborted(false); err != nil {
		return err
	}
	l.mu.unsynced.add(s.stem + txnIndexSuffix)
	l.mu.unsynced.names = true
	return nil
}

func (s *segment) abortedUnsaved() bool {
	s.state.RLock()
	defer s.state.RUnlock()
	return s.state.txnUnsaved
}

// writeAborted writes all entries in place, so that those that are durable already stay so.
func (s *segment) writeAborted(sync bool) error {
	list, _ := s.abortedList() // only the holder of the log's mutex adds to it
	var b []byte
	for _, a := range list {
		b = appendTxnEntry(b, a)
	}
	f, err := s.fsys.OpenFile(s.stem+txnIndexSuffix, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, 0)
	if err == nil {
		err = f.Truncate(int64(len(b)))
	}
	if err == nil && sync {
		err = f.SyncData()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	s.state.Lock()
	defer s.state.Unlock()
	s.state.txnUnsaved = false
	return nil
}

// cutAborted drops entries whose marker is at or after offset, durably; that takes no room on the disk if all were saved. The list was
// loaded.
func (s *segment) cutAborted(offset int64) error {
	dropped := s.dropAborted(offset)
	switch {
	case s.abortedUnsaved():
		return s.writeAborted(true)
	case dropped:
		return s.shortenAborted()
	}
	return nil
}

// shortenAborted is for a file that has the list, and more behind it.
func (s *segment) shortenAborted() error {
	list, _ := s.abortedList()
	f, err := s.fsys.OpenFile(s.stem+txnIndexSuffix, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err = f.Truncate(int64(len(list)) * txnEntrySize); err == nil {
		err = f.SyncData()
	}
	return errors.Join(err, f.Close())
}

// dropAborted is cutAborted for the list; it reports whether it dropped something.
func (s *segment) dropAborted(offset int64) bool {
	s.state.Lock()
	defer s.state.Unlock()
	n := len(s.state.aborted)
	for n > 0 && s.state.aborted[n-1].LastOffset >= offset {
		n--
	}
	if n < len(s.state.aborted) {
		s.state.aborted = slices.Clone(s.state.aborted[:n])
		return true
	}
	return false
}

// undecided says from which offset on damage hides how transactions ended.
type undecided struct {
	from   int64
	reason *CorruptionError
}

// undecidedBecause is for a replay that met damage: transactions that were open there may have ended behind. The caller is
// loading the log.
func (l *Log) undecidedBecause(reason *CorruptionError) *undecided {
	from := reason.Offset
	if first, open := l.mu.producers.FirstUndecidedOffset(); open {
		from = min(from, first)
	}
	return &undecided{from, reason}
}

// AbortedTransactions returns the aborted transactions that a read_committed consumer must know to filter the
// records in [from, below). When retention has taken from's segment meanwhile, they are not known any more: that is
// OFFSET_OUT_OF_RANGE. In a damaged log nobody knows of those behind the damage, which is the error then.
func (l *Log) AbortedTransactions(from, below int64) ([]Aborted, error) {
	if u := l.undecided.Load(); u != nil && from >= u.from {
		return nil, u.reason
	}
	for {
		list := l.list()
		if list[0].base > from {
			return nil, kafka.Errorf(kafka.OffsetOutOfRange, "offset %d of partition %s was deleted while it was read: the log begins at %d now", from, l.tp, l.start.Load())
		}
		found, whole, err := l.abortedIn(list[l.segmentAt(list, from):], from, below)
		if whole || err != nil {
			return found, err
		}
		if err := l.closed(); err != nil { // it waits while segments are being exchanged
			return nil, err
		}
	}
}

// abortedIn is AbortedTransactions for the segments that hold the range; whole is false if one of them was taken away
// meanwhile, perhaps before its index was read.
func (l *Log) abortedIn(list []*segment, from, below int64) (found []Aborted, whole bool, err error) {
	for _, s := range list {
		if !s.acquire() {
			return nil, false, nil
		}
		entries, err := l.loadAborted(s)
		s.release()
		if !slices.Contains(l.list(), s) || errors.Is(err, errRetired) {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		for _, a := range entries {
			if a.LastOffset >= from && a.FirstOffset < below {
				found = append(found, a)
			}
			// Nothing below this was undecided any more, so no later marker can reach back into the range.
			if a.LastStableOffset >= below {
				return found, true, nil
			}
		}
	}
	return found, true, nil
}
