package commitlog

import (
	"errors"
	"os"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// replacement is a segment that is being written to take the place of a group of others. Its files have the suffix
// .cleaned, which says to a recovery that they are not whole.
type replacement struct {
	*segment
	run     *compacting
	log     vfs.File
	pending []byte // not written yet
	written int64
}

// rewrite writes a group of segments anew and exchanges them; at is the first one's place in the compaction.
func (k *compacting) rewrite(group []*segment, at int) error {
	r, err := k.newReplacement(group)
	if err == nil {
		err = r.fill(group, at)
	}
	if err == nil {
		err = r.finish()
	}
	if err == nil {
		err = k.exchange(group, r)
	}
	if err != nil && r != nil {
		err = errors.Join(err, r.abandon())
	}
	return err
}

// newReplacement creates the .log file.
func (k *compacting) newReplacement(group []*segment) (*replacement, error) {
	first, last := group[0], group[len(group)-1]
	l := k.log
	r := &replacement{segment: l.newSegment(first.base, k.config, last.created), run: k}
	_, r.state.next = last.end()
	f, err := r.create(logSuffix)
	if err != nil {
		return nil, err
	}
	r.log = f
	return r, nil
}

// create makes a file of the replacement. It holds the log's mutex, so that this is never the folder of another log that
// was created in the place of a deleted one.
func (r *replacement) create(suffix string) (vfs.File, error) {
	l := r.run.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := r.run.going(); err != nil {
		return nil, err
	}
	f, err := l.fsys.OpenFile(r.stem+suffix+cleanedSuffix, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, r.run.failed(err)
	}
	return f, nil
}

// fill passes the batches of the group through the filter.
func (r *replacement) fill(group []*segment, at int) error {
	k := r.run
	_, k.filter.End = r.end()
	for i, s := range group {
		if err := k.expect(k.filter.Transactions, at+i, s.base, at+i == 0); err != nil {
			return err
		}
		k.result.before += s.size()
		err := k.walk(s, 0, func(b record.Batch) error {
			stays, err := k.filter.Batch(b)
			if err != nil || stays == nil {
				return err
			}
			return r.add(stays)
		})
		if err != nil {
			return err
		}
	}
	for _, a := range k.filter.Transactions.TakeKept() {
		r.noteAborted(Aborted(a))
	}
	err := r.write()
	k.result.after += r.written
	return err
}

// add appends a batch.
func (r *replacement) add(b record.Batch) error {
	if len(r.pending)+len(b) > max(r.run.limits.bufferBytes, pageBytes) {
		if err := r.write(); err != nil {
			return err
		}
	}
	position := r.written + int64(len(r.pending))
	if position+int64(len(b)) > maxSegmentBytes {
		return &CorruptionError{File: r.name(), Position: position, Reason: "the segment is too large without the records that it lost"}
	}
	r.state.Lock()
	r.note(b, position)
	r.state.Unlock()
	r.pending = append(r.pending, b...)
	return nil
}

// write writes what is pending.
func (r *replacement) write() error {
	n := len(r.pending)
	if n == 0 {
		return nil
	}
	if _, err := r.log.WriteAt(r.pending, r.written); err != nil {
		return r.run.failed(err)
	}
	r.written += int64(n)
	r.pending = r.pending[:0]
	return r.run.limits.pace(n)
}

// finish makes all files of the replacement durable, and their names.
func (r *replacement) finish() error {
	r.state.Lock()
	r.noteTime()
	r.state.size = r.written
	r.state.Unlock()
	r.synced, r.reserved = r.written, r.written
	if err := r.log.Sync(); err != nil {
		return r.run.failed(err)
	}
	offsets, times := r.formatIndexes()
	files := map[string][]byte{offsetIndexSuffix: offsets, timeIndexSuffix: times}
	if list, _ := r.abortedList(); len(list) > 0 {
		var b []byte
		for _, a := range list {
			b = appendTxnEntry(b, a)
		}
		files[txnIndexSuffix] = b
	}
	for suffix, content := range files {
		if err := r.save(suffix, content); err != nil {
			return err
		}
	}
	r.state.Lock()
	r.state.txnUnsaved = false
	r.state.Unlock()
	if err := r.fsys.SyncDir(r.run.log.path); err != nil {
		if going := r.run.going(); going != nil {
			return going // the folder has another name by now
		}
		return r.run.failed(err)
	}
	return nil
}

// save writes a small file of the replacement.
func (r *replacement) save(suffix string, content []byte) error {
	f, err := r.create(suffix)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(content, 0)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return r.run.failed(err)
	}
	return nil
}

// abandon removes the files of a replacement that did not take its place.
func (r *replacement) abandon() error {
	err := r.log.Close()
	l := r.run.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.closed != nil || l.dir.Failed() != nil {
		return err // they go with the folder, or at the next start
	}
	for _, suffix := range segmentSuffixes() {
		err = errors.Join(err, removeIfThere(r.fsys, r.stem+suffix+cleanedSuffix))
	}
	return err
}
