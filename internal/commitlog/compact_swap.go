package commitlog

import (
	"errors"
	"io/fs"
	"slices"

	"github.com/ottla/ottla/internal/vfs"
)

// exchange puts a replacement whose files are durable into the place of a group of segments, in steps of which a recovery
// knows from the names how far they came (Kafka's LocalLog.replaceSegments; finishSwaps is the recovery):
//
//  1. .cleaned becomes .swap. As long as any .cleaned is left, nothing happened: all of both go.
//  2. The old files become .deleted. As long as the .log.swap is there, a recovery does this again.
//  3. .log.swap loses its suffix, then the indexes' do. From now on an index with the suffix only wants to lose it.
//
// The directory is synced after each, so that no step is durable before the one that it follows. It is done under the
// log's mutex: appends, and readers that come to the group just then, wait for a few syncs of the directory. Who reads the
// old segments already goes on.
func (k *compacting) exchange(group []*segment, r *replacement) error {
	if err := r.log.Close(); err != nil {
		return k.failed(err)
	}
	l := k.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := errors.Join(k.going(), l.usable()); err != nil {
		return errors.Join(errAborted, err)
	}
	list := l.list()
	i := slices.Index(list, group[0])
	if i < 0 || i+len(group) >= len(list) || !slices.Equal(list[i:i+len(group)], group) {
		return errAborted // retention took some
	}
	if err := r.offer(); err != nil {
		return err
	}
	for _, s := range group {
		s.retire()
	}
	before, after := list[:i], list[i+len(group):]
	if err := l.putInPlace(group, r); err != nil {
		l.dir.fail(err)
		for _, s := range slices.Concat(before, after) {
			s.retire()
		}
		l.mu.closed = storageError(err) // there is no telling under which name readers would find what
		return err
	}
	r.dropHeapIndexes()
	l.replaceSegments(slices.Concat(before, []*segment{r.segment}, after))
	l.size.Add(r.size())
	for _, s := range group {
		l.size.Add(-s.size())
	}
	return nil
}

// offer is step 1. A disk that is too full for names undoes it.
func (r *replacement) offer() error {
	var err error
	for _, suffix := range segmentSuffixes() {
		from := r.stem + suffix + cleanedSuffix
		if err = r.fsys.Rename(from, r.stem+suffix+swapSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			break
		}
		err = nil
	}
	path := r.run.log.path
	if err == nil {
		err = r.fsys.SyncDir(path)
	}
	if err == nil {
		return nil
	}
	if vfs.IsNoSpace(err) {
		undone := r.fsys.SyncDir(path)
		for _, suffix := range segmentSuffixes() {
			undone = errors.Join(removeIfThere(r.fsys, r.stem+suffix+swapSuffix), undone)
		}
		if undone == nil {
			return err
		}
	}
	r.run.log.dir.fail(err)
	return err
}

// putInPlace is steps 2 and 3. The caller holds l.mu.
func (l *Log) putInPlace(group []*segment, r *replacement) error {
	var deleted []string
	for i, s := range group {
		names, err := s.markDeleted(i > 0)
		deleted = append(deleted, names...)
		if err != nil {
			return err
		}
	}
	if err := l.fsys.SyncDir(l.path); err != nil {
		return err
	}
	if err := l.nameSwapped(r.stem); err != nil {
		return err
	}
	l.removeLater(deleted...)
	return nil
}

// nameSwapped is step 3.
func (l *Log) nameSwapped(stem string) error {
	for i, suffix := range segmentSuffixes() {
		err := l.fsys.Rename(stem+suffix+swapSuffix, stem+suffix)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if i == 0 {
			if err := l.fsys.SyncDir(l.path); err != nil {
				return err
			}
		}
	}
	return l.fsys.SyncDir(l.path)
}
