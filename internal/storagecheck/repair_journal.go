package storagecheck

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/ottla/ottla/internal/vfs"
)

// planJournal plans what a start would do with the redo journal: the segments get what they lack, durably, and then the journal
// goes. It comes before all that changes where something lies in a segment: a redo after that would write into the wrong places.
func (p *Plan) planJournal(j *journal) {
	for _, name := range slices.Sorted(maps.Keys(j.redo)) {
		r := j.redo[name]
		if r.proven == 0 {
			continue
		}
		s := Step{Partition: name, File: name, FirstOffset: None, LastOffset: None, do: func(p *Plan) error { return p.redo(name, r) }}
		s.Action = "its segments are synced: the redo journal goes, which has the same"
		if r.missing > 0 {
			s.Action = fmt.Sprintf("its segments get %d bytes, offsets %d to %d, that the redo journal alone has", r.missing, r.first, r.next-1)
		}
		p.Steps = append(p.Steps, s)
	}
	for i, f := range j.files { // the first file's name is what makes a journal
		if f == nil {
			continue
		}
		path := filepath.Join(p.Report.Path, journalName(i))
		p.Steps = append(p.Steps, Step{File: journalName(i), FirstOffset: None, LastOffset: None, Saved: []Saved{{0, j.sizes[i], journalName(i)}},
			Action: "is moved away: what can be read of the redo journal is in the segments",
			do: func(p *Plan) error {
				if err := p.fsys.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return err
				}
				return p.fsys.SyncDir(p.Report.Path)
			}})
	}
}

// redo puts into the segments of a log what they lack, and syncs all of which the journal says that it was acknowledged: they may
// have it in memory only.
func (p *Plan) redo(name string, r *logRedo) error {
	last := None
	for _, e := range r.entries {
		if e.base == last {
			continue
		}
		last = e.base
		if err := p.redoSegment(filepath.Join(p.Report.Path, name, e.segment()), r.patches[e.base]); err != nil {
			return err
		}
	}
	return nil
}

func (p *Plan) redoSegment(path string, patches []patch) error {
	f, err := p.fsys.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // retention took it
	}
	if err != nil {
		return err
	}
	var b []byte
	for _, x := range patches {
		b = slices.Grow(b[:0], x.length)[:x.length]
		if n, err := x.source.ReadAt(b, x.at); n < x.length {
			return errors.Join(fmt.Errorf("the redo journal has no %d bytes at position %d", x.length, x.at), err, f.Close())
		}
		if _, err := f.WriteAt(b, x.position); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return errors.Join(f.Sync(), f.Close())
}

// source opens a file for the backup: a segment with what the redo journal has for it, as the plan's positions are of that.
func (p *Plan) source(s Step) (vfs.File, error) {
	path := filepath.Join(p.Report.Path, s.File)
	base, suffix, ok := parseOffsetName(filepath.Base(s.File))
	r := p.Report.journal.of(s.Partition)
	if !ok || suffix != logSuffix || r == nil || len(r.patches[base]) == 0 {
		return p.fsys.OpenFile(path, os.O_RDONLY, 0)
	}
	f := new(patchedFile)
	if err := f.begin(p.fsys, path, r.patches[base]); err != nil {
		return nil, err
	}
	if f.File == nil {
		return nil, fs.ErrNotExist
	}
	return f, nil
}
