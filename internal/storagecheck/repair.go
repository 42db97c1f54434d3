package storagecheck

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// Step is one change that a repair makes to one file.
type Step struct {
	Partition string
	// File is the path below the directory.
	File string
	// Action says what is done to it and why.
	Action string
	// Saved are the bytes that the repair takes out of the file, which go to the backup.
	Saved []Saved
	// FirstOffset to LastOffset are the offsets whose records the user loses, None if the step loses nothing. They were
	// lost before: what is readable is never dropped.
	FirstOffset, LastOffset int64

	do func(*Plan) error
}

// Saved is a range of bytes that a repair keeps a copy of.
type Saved struct {
	// Position and Bytes are the range in the file.
	Position, Bytes int64
	// As is the name of the copy below the backup folder.
	As string
}

// Plan is what a repair would do. It holds the directory's lock until Close.
type Plan struct {
	// Report is what was found.
	Report *Report
	// Steps are in the order in which they are done. Without steps there is nothing that a repair could do.
	Steps []Step

	fsys   vfs.FS
	lock   io.Closer
	backup string
	starts offsets // entries that the log start checkpoint is to have
}

// ErrJournal is why a directory cannot be repaired whose redo journal cannot be read.
var ErrJournal = errors.New("the broker did not stop cleanly, and its redo journal, which may have what the segments lack, cannot be read: copy the directory to another disk, as far as that can be done, and repair the copy")

// NewPlan checks a directory and works out how to repair it; nothing is changed. Errors are those of Check, and ErrJournal. After
// an unclean stop the next start does best what a redo journal is for; a plan does it only if something else is to be repaired.
// Close the plan to give the directory back.
func NewPlan(ctx context.Context, fsys vfs.FS, path string, o Options) (*Plan, error) {
	lock, err := hold(fsys, path)
	if err != nil {
		return nil, err
	}
	p := &Plan{fsys: fsys, lock: lock, starts: offsets{}}
	var damaged []*partition
	o.keep = func(x *partition) {
		if x.mendable() {
			damaged = append(damaged, x)
		}
	}
	if p.Report, err = check(ctx, fsys, path, o); err != nil {
		return nil, errors.Join(err, p.closeJournal(), lock.Close())
	}
	if p.Report.journalLost {
		return nil, errors.Join(ErrJournal, lock.Close())
	}
	if j := p.Report.journal; j != nil && (len(damaged) > 0 || j.damaged()) {
		p.planJournal(j)
	}
	slices.SortFunc(damaged, func(a, b *partition) int { return cmp.Compare(a.name, b.name) })
	for _, x := range damaged {
		p.plan(x)
	}
	if len(p.starts) > 0 {
		p.Steps = append(p.Steps, Step{File: logStartFile, FirstOffset: None, LastOffset: None, do: (*Plan).writeStarts,
			Action: fmt.Sprintf("is given the offsets at which the logs of %d partitions begin", len(p.starts))})
	}
	return p, nil
}

// Close gives the directory's lock back.
func (p *Plan) Close() error { return errors.Join(p.closeJournal(), p.lock.Close()) }

func (p *Plan) closeJournal() error {
	if p.Report == nil {
		return nil
	}
	err := p.Report.journal.close()
	p.Report.journal = nil
	return err
}

// Run does all steps. What they take out of files lies in the backup folder, durably, before the first file is changed,
// with a manifest.json that says what came from where. After an error the steps before it were done; another plan does
// the rest.
func (p *Plan) Run(backup string) error {
	p.backup = backup
	if err := p.save(); err != nil {
		return fmt.Errorf("nothing was changed; the backup could not be written: %w", err)
	}
	for _, s := range p.Steps {
		if err := s.do(p); err != nil {
			return fmt.Errorf("%s: %w", s.File, err)
		}
	}
	return nil
}

// mendable reports whether a repair can do something for the partition.
func (p *partition) mendable() bool {
	return len(p.wrong) > 0 || len(p.txnIndexes) > 0 || p.epochsWrong || len(p.gaps) > 0 || p.beyond != nil || p.startsAt != None ||
		slices.ContainsFunc(p.holes, func(h hole) bool { return h.mend })
}

// plan adds the steps for one partition.
func (p *Plan) plan(x *partition) {
	edits := x.edits()
	for i := range x.segments {
		if len(edits[i]) > 0 {
			p.planSegment(x, i, edits[i])
		}
	}
	if len(x.segments) == 0 && x.beyond != nil {
		p.planNewSegment(x)
	}
	for _, name := range x.wrong {
		p.remove(x, name, "is moved away: it contradicts the segments, from which the broker makes it anew")
	}
	for _, name := range slices.Sorted(maps.Keys(x.txnIndexes)) {
		p.rewrite(x, name, formatTxnIndex(x.txnIndexes[name]), "is written anew from the markers in the segment")
	}
	if x.epochsWrong {
		p.rewrite(x, leaderEpochFile, formatEpochs(x.epochs.seen), "is written anew from the epochs of the batches")
	}
	if x.startsAt != None {
		p.starts[x.tp] = x.startsAt
	}
}

// An edit takes bytes out of a segment at a position, and puts an empty batch there for the offsets that are missing.
type edit struct {
	position, bytes int64
	first, next     int64
	epoch           int32
}

// edits collects what is to be done to each segment, by position.
func (p *partition) edits() map[int][]edit {
	all := map[int][]edit{}
	for _, h := range p.holes {
		if h.mend {
			all[h.segment] = append(all[h.segment], edit{h.position, h.bytes, h.first, h.next, h.epoch})
		}
	}
	for _, h := range p.gaps {
		i, position := h.segment, h.position
		if position == 0 && h.next == p.segments[i].base { // the offsets belong to the segment before
			if i == 0 {
				continue // the log begins later now
			}
			i--
			position = p.segments[i].size
		}
		all[i] = append(all[i], edit{position: position, first: h.first, next: h.next, epoch: h.epoch})
	}
	if b := p.beyond; b != nil && b.segment >= 0 {
		all[b.segment] = append(all[b.segment], edit{position: p.segments[b.segment].size, first: b.first, next: b.next, epoch: b.epoch})
	}
	for i := range all {
		slices.SortStableFunc(all[i], func(a, b edit) int { return cmp.Compare(a.position, b.position) })
		all[i] = p.fitting(i, all[i])
	}
	return all
}

// fitting drops empty batches whose last offset the segment cannot hold.
func (p *partition) fitting(i int, edits []edit) []edit {
	limit := segmentLimit(p.segments[i].base, None)
	for k := range edits {
		if edits[k].next > limit {
			edits[k].next = edits[k].first
		}
	}
	return slices.DeleteFunc(edits, func(e edit) bool { return e.bytes == 0 && e.next == e.first })
}

func formatEpochs(list []epochStart) []byte {
	b := fmt.Appendf(nil, "0\n%d\n", len(list))
	for _, e := range list {
		b = fmt.Appendf(b, "%d %d\n", e.epoch, e.start)
	}
	return b
}

// writeStarts changes entries of the log start checkpoint and keeps the others.
func (p *Plan) writeStarts() error {
	path := filepath.Join(p.Report.Path, logStartFile)
	all, err := readOffsets(p.fsys, path)
	if err != nil || all == nil {
		all = offsets{} // it was damaged: the broker would ignore it
	}
	for tp, start := range p.starts {
		all[tp] = start
	}
	b := fmt.Appendf(nil, "0\n%d\n", len(all))
	for _, tp := range slices.SortedFunc(maps.Keys(all), func(a, b kafka.TopicPartition) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	}) {
		b = fmt.Appendf(b, "%s %d %d\n", tp.Topic, tp.Partition, all[tp])
	}
	return replaceFile(p.fsys, path, b)
}
