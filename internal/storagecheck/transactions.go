package storagecheck

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/ottla/ottla/internal/producerstate"
	"github.com/ottla/ottla/internal/record"
)

// The transaction index of a segment lists the aborted transactions whose marker lies in it, by marker; an entry is
// version int16 = 0 | producer id | first offset | last offset (the marker's) | last stable offset, int64 each.
const (
	txnEntrySize     = 34
	maxTxnIndexBytes = 1 << 29
)

type aborted struct{ producer, first, last, stable int64 }

func (a aborted) String() string {
	return fmt.Sprintf("producer %d, offsets %d to %d, last stable offset %d", a.producer, a.first, a.last, a.stable)
}

// txnCheck collects a segment's aborted transactions, as a replay of its batches tells them.
type txnCheck struct {
	found []aborted
	// strangers are abort markers of transactions whose beginning the replay has not seen.
	strangers []aborted
}

// all is what the index should have. Of a transaction that began before the replay the beginning is not known; from the
// replay's on is early enough.
func (t *txnCheck) all(exact bool, from int64) []aborted {
	all := slices.Clone(t.found)
	if !exact {
		for _, a := range t.strangers {
			a.first, a.stable = from, a.last+1
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b aborted) int { return cmp.Compare(a.last, b.last) })
	return all
}

func (t *txnCheck) stranger(e aborted) bool {
	return slices.ContainsFunc(t.strangers, func(a aborted) bool { return a.last == e.last && a.producer == e.producer })
}

// note replays a batch into everything that depends on what came before.
func (p *partition) note(txn *txnCheck, b record.Batch) {
	p.checkSnapshots(b.BaseOffset())
	p.checkEpoch(b)
	if !b.HasProducerID() {
		return
	}
	done, ended, err := p.producers.Update(b)
	if err == nil && b.Attributes().Control() {
		p.noteEnd(done, ended)
	}
	switch {
	case err != nil:
		p.add(Damaged, p.name, "The broker passes over it, and so do consumers; the transaction that it should end stays open.", "the control batch of producer %d is no transaction marker: %v", b.ProducerID(), err).offsets(b.BaseOffset(), b.LastOffset())
		p.producers.SetEnd(b.LastOffset() + 1)
	case ended && done.Aborted:
		txn.found = append(txn.found, aborted{done.ProducerID, done.FirstOffset, done.LastOffset, done.LastStableOffset})
	case !ended && b.Attributes().Control() && !p.exact:
		if m, ok, err := b.EndTxnMarker(); ok && err == nil && !m.Commit {
			txn.strangers = append(txn.strangers, aborted{producer: b.ProducerID(), last: b.BaseOffset()})
		}
	}
}

// checkTxnIndex compares the file with the markers. What lies above the newest producer snapshot that the next start
// loads is found again by it, so the file need not have that.
func (p *partition) checkTxnIndex(s *segment, txn *txnCheck) {
	name := s.file(txnIndexSuffix)
	content, err := readWhole(p.fsys, filepath.Join(p.path, name), maxTxnIndexBytes)
	if errors.Is(err, fs.ErrNotExist) {
		content, err = nil, nil
	}
	var entries []aborted
	if err == nil {
		entries, err = parseTxnIndex(content, s.base, p.expected)
	}
	if err != nil && !p.believed(s) {
		return // it may tell of markers in a tail that was lost
	}
	if err != nil {
		p.add(Rebuilt, p.in(name), "It is rebuilt from the segment when it is used.", "%v", err)
		p.wrongTxnIndex(s, txn)
		return
	}
	if wrong := p.compareAborted(txn, entries); wrong != "" {
		p.add(Damaged, p.in(name), "Consumers with isolation.level=read_committed would see aborted records, or miss committed ones: repair writes the file anew.", "%s", wrong)
		p.wrongTxnIndex(s, txn)
	}
}

// compareAborted says what is wrong with the entries of a transaction index, if anything is.
func (p *partition) compareAborted(txn *txnCheck, entries []aborted) string {
	if p.thinned || p.filled || len(p.holes) > 0 {
		return "" // the log may lack what the index has
	}
	believed := p.believedSnapshot()
	found := txn.found
	for _, e := range entries {
		for len(found) > 0 && found[0].last < e.last {
			if found[0].last < believed {
				return fmt.Sprintf("it lacks the aborted transaction of %s", found[0])
			}
			found = found[1:]
		}
		switch {
		case e.last >= believed:
		case len(found) > 0 && found[0].last == e.last:
			want := found[0]
			if !p.exact { // transactions that are open since before the replay count for it
				want.stable = e.stable
				if e.first < p.replayedFrom {
					want.first = e.first
				}
			}
			if e != want {
				return fmt.Sprintf("it has %s, the log says %s", e, want)
			}
		case !txn.stranger(e) || e.first >= p.replayedFrom:
			return fmt.Sprintf("it has %s, but there is no such abort marker", e)
		}
		if len(found) > 0 && found[0].last == e.last {
			found = found[1:]
		}
	}
	if len(found) > 0 && found[0].last < believed {
		return fmt.Sprintf("it lacks the aborted transaction of %s", found[0])
	}
	return ""
}

// parseTxnIndex reads the entries of a segment with offsets from base on, below next.
func parseTxnIndex(b []byte, base, next int64) (entries []aborted, err error) {
	if len(b)%txnEntrySize != 0 {
		return nil, fmt.Errorf("it has %d bytes, no multiple of the %d of an entry", len(b), txnEntrySize)
	}
	for ; len(b) > 0; b = b[txnEntrySize:] {
		v := func(at int) int64 { return int64(binary.BigEndian.Uint64(b[at:])) }
		e := aborted{v(2), v(10), v(18), v(26)}
		if version := binary.BigEndian.Uint16(b); version != 0 {
			return nil, fmt.Errorf("entry %d has version %d, want 0", len(entries), version)
		}
		if n := len(entries); e.first >= e.last || e.last < base || e.last >= next || n > 0 && e.last <= entries[n-1].last {
			return nil, fmt.Errorf("entry %d, of %s, contradicts itself, those before it, or the segment's offsets %d to %d", n, e, base, next-1)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func formatTxnIndex(entries []aborted) []byte {
	var b []byte
	for _, e := range entries {
		b = append(b, 0, 0)
		for _, v := range []int64{e.producer, e.first, e.last, e.stable} {
			b = binary.BigEndian.AppendUint64(b, uint64(v))
		}
	}
	return b
}

// newTable is the producers before the first batch: those of the snapshot at the log's beginning, if there is one.
func (p *partition) newTable() {
	p.producers = producerstate.New(p.tp)
	p.replayedFrom = 0
	if len(p.segments) == 0 {
		return
	}
	p.replayedFrom = p.segments[0].base
	p.exact = p.replayedFrom == 0
	if p.exact {
		return
	}
	content, err := readWhole(p.fsys, filepath.Join(p.path, offsetName(p.replayedFrom)+snapshotSuffix), maxSnapshotBytes)
	if err == nil {
		const forever = 1<<63 - 1
		p.exact = p.producers.Load(content, p.replayedFrom, 0, forever) == nil
	}
}
