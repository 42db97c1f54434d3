package commitlog

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// redo is what a recovery has to put into segments before they are loaded.
type redo struct {
	scan *journalScan
	logs map[kafka.TopicPartition][]redoEntry
}

// redoEntry is an entry with the place of its bytes.
type redoEntry struct {
	journalEntry
	file     int
	position int64  // of the bytes in the journal's file
	bytes    []byte // if they are not there as they were written: see mendFrame
	suspect  bool   // something that was written after it cannot be read: it may have been cut
}

// readJournal finds what there is to redo in a directory.
func readJournal(fsys vfs.FS, dir string) (*redo, error) {
	scan, err := scanJournal(fsys, dir)
	if err != nil {
		return nil, err
	}
	r := &redo{scan: scan, logs: make(map[kafka.TopicPartition][]redoEntry)}
	for i, f := range scan.frames {
		frame, err := scan.load(f)
		if err == nil {
			err = parseEntries(frame, f.frameHead, func(e journalEntry) {
				x := redoEntry{journalEntry: e, file: f.file, position: f.position + int64(e.at), suspect: i < scan.suspect}
				if f.mended {
					x.bytes = bytes.Clone(frame[e.at : e.at+e.length])
				}
				r.add(x)
			})
		}
		if err != nil {
			return nil, errors.Join(err, scan.close())
		}
	}
	return r, nil
}

// add enters what the next entry says.
func (r *redo) add(e redoEntry) {
	entries := r.logs[e.tp]
	if e.forget {
		delete(r.logs, e.tp)
		return
	}
	if n := len(entries); n > 0 && e.first < entries[n-1].next {
		entries = nil // the log was cut between, and the entry that said so cannot be read
	}
	r.logs[e.tp] = append(entries, e)
}

// apply puts into the segments of a log, in its folder, what they lack of the journal's entries, and returns the offset up to which
// these say that the log was acknowledged; 0 if they say nothing. What lies below the recovery point is in place, and left alone;
// what lies in a segment that is not there is below the log's start, and gone. The caller syncs the segments.
func (r *redo) apply(fsys vfs.FS, folder string, tp kafka.TopicPartition, c checkpointed) (acknowledged int64, err error) {
	entries := r.logs[tp]
	if len(entries) == 0 {
		return 0, nil
	}
	topicID, unreadable := readPartition(fsys, folder)
	if unreadable != nil {
		topicID = kafka.ZeroUUID // as when the log is loaded, which says so
	}
	w := redoWriter{fsys: fsys, folder: folder, scan: r.scan}
	for _, e := range entries {
		if e.next <= c.recoveryPoint || e.topicID != topicID && !e.topicID.IsZero() && !topicID.IsZero() {
			continue
		}
		acknowledged = max(acknowledged, e.next)
		if err = w.write(e); err != nil {
			break
		}
	}
	return acknowledged, errors.Join(err, w.close())
}

// sync makes durable what apply wrote, for a log that could not be loaded.
func (r *redo) sync(fsys vfs.FS, folder string, tp kafka.TopicPartition) error {
	last := int64(noOffset)
	for _, e := range r.logs[tp] {
		if e.base == last {
			continue
		}
		last = e.base
		if err := syncFile(fsys, filepath.Join(folder, offsetName(e.base)+logSuffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// redoWriter writes entries into the segments of one log, and keeps the last one open.
type redoWriter struct {
	fsys   vfs.FS
	folder string
	scan   *journalScan
	file   vfs.File
	base   int64
	old    []byte
	fresh  []byte
}

func (w *redoWriter) close() error {
	if w.file == nil {
		return nil
	}
	return w.file.Close()
}

// open opens the segment; found is false if it is not there: then the log lost more than the journal has, which is found when it
// is loaded.
func (w *redoWriter) open(base int64) (found bool, err error) {
	if w.file != nil && w.base == base {
		return true, nil
	}
	if err := w.close(); err != nil {
		return false, err
	}
	w.file, err = w.fsys.OpenFile(filepath.Join(w.folder, offsetName(base)+logSuffix), os.O_RDWR, 0)
	if err != nil {
		w.file = nil
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return false, err
	}
	w.base = base
	return true, nil
}

func (w *redoWriter) write(e redoEntry) error {
	if found, err := w.open(e.base); err != nil || !found {
		return err
	}
	fresh, err := e.bytes, error(nil)
	if fresh == nil {
		if w.fresh, err = readSome(w.scan.files[e.file], w.fresh, e.position, e.length); err != nil {
			return err
		}
		fresh = w.fresh
	}
	if w.old, err = readSome(w.file, w.old, e.journalEntry.position, e.length); err != nil {
		return err
	}
	if bytes.Equal(w.old, fresh) {
		return nil
	}
	if e.suspect && w.holdsBatches(e) {
		return nil
	}
	_, err = w.file.WriteAt(fresh, e.journalEntry.position)
	return err
}

// holdsBatches reports whether the segment has good batches where the entry's would go: then they came later.
func (w *redoWriter) holdsBatches(e redoEntry) bool {
	position := e.journalEntry.position
	scan := &scanner{file: w.file, end: position + int64(len(w.old)), base: e.base}
	_, err := scan.batch(position)
	return err == nil
}

// readSome reads n bytes, or as many as there are.
func readSome(f vfs.File, b []byte, at int64, n int) ([]byte, error) {
	if cap(b) < n {
		b = make([]byte, n)
	}
	got, err := f.ReadAt(b[:n], at)
	if got < n && isEOF(err) {
		err = nil
	}
	return b[:got], err
}
