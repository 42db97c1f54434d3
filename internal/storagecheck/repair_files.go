package storagecheck

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// repairSuffix ends the names of files that a repair writes before they replace others; the broker removes such files.
const repairSuffix = ".repaired" + temporarySuffix

// remove plans to move a file into the backup.
func (p *Plan) remove(x *partition, name, action string) {
	size := x.sizeOf(name)
	s := Step{Partition: x.name, File: x.in(name), Action: action, FirstOffset: None, LastOffset: None}
	s.Saved = []Saved{{0, size, s.File}}
	path := filepath.Join(x.path, name)
	s.do = func(p *Plan) error {
		if err := p.fsys.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return p.fsys.SyncDir(filepath.Dir(path))
	}
	p.Steps = append(p.Steps, s)
}

// rewrite plans to give a file another content.
func (p *Plan) rewrite(x *partition, name string, content []byte, action string) {
	s := Step{Partition: x.name, File: x.in(name), Action: action, FirstOffset: None, LastOffset: None}
	if size := x.sizeOf(name); size > 0 {
		s.Saved = []Saved{{0, size, s.File}}
	}
	path := filepath.Join(x.path, name)
	s.do = func(p *Plan) error { return replaceFile(p.fsys, path, content) }
	p.Steps = append(p.Steps, s)
}

func (p *partition) sizeOf(name string) int64 {
	info, err := p.fsys.Stat(filepath.Join(p.path, name))
	if err != nil {
		return 0
	}
	return info.Size()
}

// planSegment plans to rewrite a segment with its damaged bytes taken out. Its indexes go first: they are made anew.
func (p *Plan) planSegment(x *partition, i int, edits []edit) {
	segment := x.segments[i]
	name := segment.file(logSuffix)
	for _, suffix := range []string{offsetIndexSuffix, timeIndexSuffix} {
		if index := segment.file(suffix); x.sizeOf(index) > 0 && shifts(edits, segment.size) {
			p.remove(x, index, "is moved away: the segment changes, and the broker makes it anew")
		}
	}
	for k, e := range edits {
		s := Step{Partition: x.name, File: x.in(name), FirstOffset: None, LastOffset: None, do: func(*Plan) error { return nil }}
		if e.next > e.first {
			s.FirstOffset, s.LastOffset = e.first, e.next-1
		}
		switch {
		case e.bytes > 0 && e.next > e.first:
			s.Action = fmt.Sprintf("%d bytes at position %d are taken out, and an empty batch keeps the offsets taken", e.bytes, e.position)
		case e.bytes > 0:
			s.Action = fmt.Sprintf("%d bytes at position %d are taken out", e.bytes, e.position)
		default:
			s.Action = fmt.Sprintf("an empty batch at position %d keeps the missing offsets taken", e.position)
		}
		if e.bytes > 0 {
			s.Saved = []Saved{{e.position, e.bytes, fmt.Sprintf("%s.at-%d", x.in(name), e.position)}}
		}
		if k == len(edits)-1 { // all edits of a segment are one write
			path := filepath.Join(x.path, name)
			s.do = func(p *Plan) error { return p.rewriteSegment(path, edits) }
		}
		p.Steps = append(p.Steps, s)
	}
}

// shifts reports whether edits change more than what follows the last byte.
func shifts(edits []edit, size int64) bool { return edits[0].position < size }

// planNewSegment plans the first segment of a log that lost all of them.
func (p *Plan) planNewSegment(x *partition) {
	first, next := x.beyond.first, x.beyond.next
	if next-first > math.MaxInt32 {
		first = next - 1
		p.starts[x.tp] = first
	}
	name := offsetName(first) + logSuffix
	s := Step{Partition: x.name, File: x.in(name), FirstOffset: x.beyond.first, LastOffset: next - 1,
		Action: "is made, with an empty batch that keeps the missing offsets taken"}
	path := filepath.Join(x.path, name)
	s.do = func(p *Plan) error {
		return replaceFile(p.fsys, path, emptyBatch(edit{first: first, next: next, epoch: record.NoLeaderEpoch}))
	}
	p.Steps = append(p.Steps, s)
}

// save writes the backup.
func (p *Plan) save() error {
	type saved struct {
		File        string `json:"file"`
		Position    int64  `json:"position"`
		Bytes       int64  `json:"bytes"`
		SavedAs     string `json:"savedAs"`
		Action      string `json:"action"`
		FirstOffset *int64 `json:"firstOffset,omitempty"`
		LastOffset  *int64 `json:"lastOffset,omitempty"`
	}
	manifest := struct {
		Directory string  `json:"directory"`
		Saved     []saved `json:"saved"`
	}{p.Report.Path, []saved{}}
	if err := p.fsys.MkdirAll(p.backup, 0o755); err != nil {
		return err
	}
	for _, s := range p.Steps {
		for _, x := range s.Saved {
			entry := saved{s.File, x.Position, x.Bytes, x.As, s.Action, nil, nil}
			if s.FirstOffset != None {
				entry.FirstOffset, entry.LastOffset = &s.FirstOffset, &s.LastOffset
			}
			manifest.Saved = append(manifest.Saved, entry)
			if err := p.copyOut(s, x); err != nil {
				return err
			}
		}
	}
	content, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return err
	}
	if err := replaceFile(p.fsys, filepath.Join(p.backup, "manifest.json"), append(content, '\n')); err != nil {
		return err
	}
	return p.fsys.SyncDir(filepath.Dir(p.backup))
}

// copyOut copies a range of a file into the backup, durably.
func (p *Plan) copyOut(s Step, x Saved) error {
	to := filepath.Join(p.backup, x.As)
	if err := p.fsys.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	source, err := p.source(s)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := p.fsys.OpenFile(to, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = copyRange(target, 0, source, x.Position, x.Bytes)
	if err == nil {
		err = target.Sync()
	}
	return errors.Join(err, target.Close(), p.fsys.SyncDir(filepath.Dir(to)), p.fsys.SyncDir(p.backup))
}

// copyRange copies bytes between files and returns the position behind them in the target.
func copyRange(target vfs.File, at int64, source vfs.File, position, bytes int64) (int64, error) {
	buffer := make([]byte, min(bytes, readAhead))
	for bytes > 0 {
		b := buffer[:min(int64(len(buffer)), bytes)]
		if n, err := source.ReadAt(b, position); n < len(b) {
			return at, errors.Join(err, fmt.Errorf("%s has no %d bytes at position %d", source.Name(), len(b), position))
		}
		if _, err := target.WriteAt(b, at); err != nil {
			return at, err
		}
		n := int64(len(b))
		at, position, bytes = at+n, position+n, bytes-n
	}
	return at, nil
}

// rewriteSegment writes the segment with its edits beside it, and then puts it in its place.
func (p *Plan) rewriteSegment(path string, edits []edit) error {
	source, err := p.fsys.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer source.Close()
	size, err := source.Size()
	if err != nil {
		return err
	}
	target, err := p.fsys.OpenFile(path+repairSuffix, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	from, at := int64(0), int64(0)
	for _, e := range edits {
		if at, err = copyRange(target, at, source, from, e.position-from); err != nil {
			break
		}
		from = e.position + e.bytes
		if e.next > e.first {
			b := emptyBatch(e)
			if _, err = target.WriteAt(b, at); err != nil {
				break
			}
			at += int64(len(b))
		}
	}
	if err == nil {
		_, err = copyRange(target, at, source, from, size-from)
	}
	if err == nil {
		err = target.Sync()
	}
	if err = errors.Join(err, target.Close()); err != nil {
		return err
	}
	if err := p.fsys.Rename(path+repairSuffix, path); err != nil {
		return err
	}
	return p.fsys.SyncDir(filepath.Dir(path))
}

// replaceFile puts content at path so that a crash leaves either the old file or the new one.
func replaceFile(fsys vfs.FS, path string, content []byte) error {
	f, err := fsys.OpenFile(path+repairSuffix, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(content, 0)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := fsys.Rename(path+repairSuffix, path); err != nil {
		return err
	}
	return fsys.SyncDir(filepath.Dir(path))
}
