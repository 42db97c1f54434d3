package compaction

import (
	"cmp"
	"slices"

	"github.com/ottla/ottla/internal/record"
)

// Aborted is an aborted transaction, as the transaction index of a segment lists it.
type Aborted struct {
	ProducerID       int64
	FirstOffset      int64 // of the transaction's first record
	LastOffset       int64 // of the abort marker
	LastStableOffset int64 // first offset that was still undecided when the marker was written
}

// Transactions follows the transactions of a log while its batches pass by, all of which are decided. The zero value
// is ready.
type Transactions struct {
	coming    []Aborted           // by first offset
	aborted   map[int64]*aborting // by producer: those between first record and marker
	committed map[int64]bool      // producers of which records passed by that are not aborted, before the marker
	kept      []Aborted
}

type aborting struct {
	Aborted
	seen bool // a batch of it passed by
}

// Expect adds aborted transactions whose first record comes. It is called before that record passes by.
func (t *Transactions) Expect(list []Aborted) {
	t.coming = append(t.coming, list...)
	slices.SortFunc(t.coming, func(a, b Aborted) int { return cmp.Compare(a.FirstOffset, b.FirstOffset) })
}

// Pass takes in the next batch. gone says that the batch need not stay for itself: it has data of an aborted
// transaction, or a marker of which no other batch is left. The error (INVALID_RECORD) is that of a control batch that
// cannot be read.
func (t *Transactions) Pass(b record.Batch) (gone bool, err error) {
	t.begin(b.LastOffset())
	switch a := b.Attributes(); {
	case a.Control():
		return t.control(b)
	case !a.Transactional():
		return false, nil
	}
	if x := t.aborted[b.ProducerID()]; x != nil {
		x.seen = true
		return true, nil
	}
	if t.committed == nil {
		t.committed = map[int64]bool{}
	}
	t.committed[b.ProducerID()] = true
	return false, nil
}

// begin opens the transactions that begin at or before offset.
func (t *Transactions) begin(offset int64) {
	n := 0
	for ; n < len(t.coming) && t.coming[n].FirstOffset <= offset; n++ {
		if t.aborted == nil {
			t.aborted = map[int64]*aborting{}
		}
		if a := t.coming[n]; t.aborted[a.ProducerID] == nil {
			t.aborted[a.ProducerID] = &aborting{Aborted: a}
		}
	}
	t.coming = t.coming[n:]
}

func (t *Transactions) control(b record.Batch) (gone bool, err error) {
	for r, err := range b.Records(0) {
		if err != nil {
			return false, err
		}
		kind, err := record.ParseControlKey(r.Key)
		if err != nil {
			return false, err
		}
		switch kind {
		case record.AbortMarker:
			x := t.aborted[b.ProducerID()]
			delete(t.aborted, b.ProducerID())
			if x != nil && x.seen {
				t.kept = append(t.kept, x.Aborted)
				return false, nil
			}
			return true, nil
		case record.CommitMarker:
			open := t.committed[b.ProducerID()]
			delete(t.committed, b.ProducerID())
			return !open, nil
		}
		return false, nil
	}
	return true, nil // an earlier compaction took the record
}

// TakeKept returns the aborted transactions whose marker passed by since the last call and must stay in the transaction
// index, by the offset of the marker: batches of them were there until now.
func (t *Transactions) TakeKept() []Aborted {
	kept := t.kept
	t.kept = nil
	return kept
}
