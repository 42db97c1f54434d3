package storagecheck

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/ottla/ottla/internal/record"
)

// indexes walks both index files of a segment in step with its batches: each entry must name a batch that is there.
//
//	.index      offset - base uint32 | position uint32             the batch at position ends with offset
//	.timeindex  timestamp int64      | offset - base uint32        the batch that ends with offset has that largest
//	                                                               timestamp, and none before it has a larger one
type indexes struct {
	p              *partition
	s              *segment
	offsets, times indexWalk
	largest        int64 // timestamp so far
	stamped        int64 // timestamp of the last time index entry
	holes          int   // of the log, when the segment began
}

// indexWalk is one index file on the way.
type indexWalk struct {
	r       *reader
	suffix  string
	width   int
	at      int64 // position of the next entry
	missing bool
	padded  bool   // with zeros, from at on
	wrong   string // the first thing that is; nothing is looked at after it
}

func (p *partition) openIndexes(s *segment) *indexes {
	x := &indexes{p: p, s: s, largest: record.NoTimestamp, stamped: record.NoTimestamp, holes: len(p.holes)}
	x.offsets = p.openIndex(p.offsetReader, s, offsetIndexSuffix, 8)
	x.times = p.openIndex(p.timeReader, s, timeIndexSuffix, 12)
	return x
}

func (p *partition) openIndex(r *reader, s *segment, suffix string, width int) indexWalk {
	w := indexWalk{r: r, suffix: suffix, width: width}
	err := r.open(p.fsys, filepath.Join(p.path, s.file(suffix)))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		w.missing = true
	case err != nil:
		w.missing, w.wrong = true, err.Error()
	case r.size%int64(width) != 0:
		w.wrong = fmt.Sprintf("it has %d bytes, no multiple of the %d of an entry", r.size, width)
	}
	return w
}

// entry returns the next entry; nil at the end, or when there is no use in looking on.
func (w *indexWalk) entry() []byte {
	if w.missing || w.padded || w.wrong != "" || w.at >= w.r.size {
		return nil
	}
	b, err := w.r.bytes(w.at, w.width)
	if err != nil {
		w.wrong = err.Error()
		return nil
	}
	return b
}

// refuse is for an entry that names nothing: zeros, as a running Kafka leaves them to the end, or a wrong one.
func (w *indexWalk) refuse(entry []byte, format string, args ...any) {
	for _, c := range entry {
		if c != 0 {
			w.wrong = fmt.Sprintf("entry %d ", w.at/int64(w.width)) + fmt.Sprintf(format, args...)
			return
		}
	}
	w.padded = true
}

// batch compares the entries that should name this batch.
func (x *indexes) batch(b record.Batch, position int64) {
	last, ts := b.LastOffset(), b.MaxTimestamp()
	x.largest = max(x.largest, ts)
	for e := x.offsets.entry(); e != nil; e = x.offsets.entry() {
		offset, at := x.s.base+int64(binary.BigEndian.Uint32(e)), int64(binary.BigEndian.Uint32(e[4:]))
		if at > position {
			break
		}
		if at < position || offset != last || at == 0 {
			x.offsets.refuse(e, "says that offset %d is at position %d, where no batch ends with it", offset, at)
			break
		}
		x.offsets.at += 8
	}
	for e := x.times.entry(); e != nil; e = x.times.entry() {
		stamp, offset := int64(binary.BigEndian.Uint64(e)), x.s.base+int64(binary.BigEndian.Uint32(e[8:]))
		if offset > last {
			break
		}
		if offset < last || stamp != ts || stamp < x.largest || stamp <= x.stamped {
			x.times.refuse(e, "says that offset %d ends the batch with timestamp %d, the largest so far; it is none", offset, stamp)
			break
		}
		x.stamped = stamp
		x.times.at += 12
	}
}

// finish enters what was found.
func (x *indexes) finish() {
	defer x.offsets.r.end()
	defer x.times.r.end()
	if x.p.given(x.s) {
		return
	}
	if len(x.p.holes) > x.holes {
		return // entries for what is damaged: a repair removes both files
	}
	trusted := x.p.believed(x.s)
	for _, w := range []*indexWalk{&x.offsets, &x.times} {
		w.rest()
		name := x.p.in(x.s.file(w.suffix))
		switch {
		case w.wrong != "":
			x.p.add(Rebuilt, name, "It is rebuilt from the segment when it is used.", "%s", w.wrong).at(w.at, None)
			x.p.wrongFile(x.s.file(w.suffix))
		case w.missing && trusted && x.s.size > 0:
			x.p.add(Rebuilt, name, "It is rebuilt from the segment when it is used.", "it is missing")
		case w.padded && x.p.known.clean:
			x.p.add(Rebuilt, name, "It is rebuilt from the segment when it is used.", "%d bytes of zeros follow the entries, as if the broker had not stopped cleanly", w.r.size-w.at).at(w.at, w.r.size-w.at)
			x.p.wrongFile(x.s.file(w.suffix))
		}
	}
	if t := &x.times; trusted && t.wrong == "" && !t.missing && x.stamped < x.largest {
		x.p.add(Damaged, x.p.in(x.s.file(timeIndexSuffix)), "Retention would delete the segment too early, and lookups by time miss records: repair removes the file, and it is rebuilt.",
			"its last entry has timestamp %d, but a batch of the segment has %d", x.stamped, x.largest)
		x.p.wrongFile(x.s.file(timeIndexSuffix))
	}
}

// rest looks at what follows the last batch's entries: nothing, or zeros.
func (w *indexWalk) rest() {
	for at := w.at; w.wrong == "" && !w.missing && at < w.r.size; at += int64(w.width) {
		b, err := w.r.bytes(at, w.width)
		if err != nil {
			w.wrong = err.Error()
			return
		}
		before := w.at
		w.at = at
		w.refuse(b, "names an offset behind the end of the segment")
		if w.wrong == "" {
			w.at = before
		}
	}
}
