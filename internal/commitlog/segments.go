package commitlog

import (
	"errors"
	"io/fs"
)

// replaceSegments publishes a new list. The caller holds l.mu.
func (l *Log) replaceSegments(list []*segment) { l.segments.Store(&list) }

// discard takes segments that are no longer listed out of the way: their files get the suffix .deleted and are
// removed file.delete.delay.ms later. The caller holds l.mu.
func (l *Log) discard(segments []*segment) error {
	var errs []error
	for _, s := range segments {
		l.size.Add(-s.size())
		s.retire()
		names, err := s.markDeleted(true)
		errs = append(errs, err)
		l.removeLater(names...)
	}
	if len(segments) > 0 {
		l.mu.unsynced.names = true
	}
	return errors.Join(errs...)
}

// markDeleted renames the segment's files, with the producer snapshot at its beginning if asked, and returns their new
// names.
func (s *segment) markDeleted(withSnapshot bool) (names []string, err error) {
	all := make([]string, 0, len(segmentSuffixes())+1)
	for _, suffix := range segmentSuffixes() {
		all = append(all, s.stem+suffix)
	}
	if withSnapshot {
		all = append(all, s.snapshotName())
	}
	for _, name := range all {
		switch e := s.fsys.Rename(name, name+deletedSuffix); {
		case e == nil:
			names = append(names, name+deletedSuffix)
		case !errors.Is(e, fs.ErrNotExist):
			err = errors.Join(err, e)
		}
	}
	return names, err
}

// remove closes an empty segment and deletes what files it has.
func (s *segment) remove() error {
	s.retire()
	var err error
	for _, suffix := range segmentSuffixes() {
		err = errors.Join(err, removeIfThere(s.fsys, s.stem+suffix))
	}
	return err
}
