package commitlog

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// After an unclean stop a log ends before the first batch that is incomplete or wrong: nobody was told that what follows
// is safe, as far as the recovery point says. But the recovery point may be some seconds old, and what is wrong a flipped
// bit in what was acknowledged meanwhile, not the torn end of what never was. So these bytes are not thrown away: they go to
// a file beside the segment. If there are whole batches among them, operators are told until the next start.

// cutSuffix ends the name of such a file: 00000000000000000042.log.cut-1234 has what lay at position 1234 and behind.
const cutSuffix = ".cut"

// maxCutChecks bounds the bytes whose CRCs are computed to find records in what is cut; beyond, they are taken for granted.
const maxCutChecks = 256 << 20

// hasRecords reports whether the file has a whole batch with a right CRC somewhere in [from, to) that can be part of this
// segment. Every position is tried, as the length that would lead to it may be what is wrong.
func (s *segment) hasRecords(f vfs.File, from, to int64) (bool, error) {
	scan := s.walkThrough(f, scanBufferBytes)
	scan.end = to
	checked := 0
	for position := from; position+record.HeaderSize <= to; position++ {
		raw, err := scan.bytes(position, record.HeaderSize)
		if err != nil {
			return false, ignoreCorruption(err)
		}
		b := record.Batch(raw)
		if b.Magic() != record.Magic || b.LastOffsetDelta() < 0 || !fitsIndex(s.base, b.BaseOffset()) || position+int64(b.Length()) > to || b.Length() < record.HeaderSize {
			continue
		}
		if checked += b.Length(); checked > maxCutChecks {
			return true, nil
		}
		if _, err = scan.batch(position); err == nil {
			return true, nil
		}
		if err := ignoreCorruption(err); err != nil {
			return false, err
		}
	}
	return false, nil
}

// ignoreCorruption returns nil for damage, and what a disk says as it is.
func ignoreCorruption(err error) error {
	if _, damaged := errors.AsType[*CorruptionError](err); damaged {
		return nil
	}
	return err
}

// keepCut copies what is about to be cut, [from, to), unless it is all zeros. A disk that does not take the copy is no
// reason not to start.
func (l *Log) keepCut(s *segment, f vfs.File, from, to int64) error {
	if zero, err := allZero(f, from, to); err != nil || zero {
		return err
	}
	records, err := s.hasRecords(f, from+1, to)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%s%s-%d", s.name(), cutSuffix, from)
	if err := copyFile(l.fsys, name, f, from, to); err != nil {
		l.options().Logger.Error("what is cut looks like records, but cannot be kept", "partition", l.tp.String(), "file", name, "error", err)
		return errors.Join(removeIfThere(l.fsys, name))
	}
	l.toldKept(name, to-from, records)
	return nil
}

func (l *Log) toldKept(name string, bytes int64, records bool) {
	if !records {
		l.options().Logger.Warn("what is cut is kept; it has no whole record batch", "partition", l.tp.String(), "file", name, "bytes", bytes)
		return
	}
	l.noteKept(name)
	l.options().Logger.Error("what is cut looks like records and is kept; `ottla storage verify` checks the log directory", "partition", l.tp.String(), "file", name, "bytes", bytes)
}

// allZero reports whether a file holds nothing but zeros in [from, to): space that was reserved and never written.
func allZero(f vfs.File, from, to int64) (bool, error) {
	scan := scanner{file: f, end: to, buffer: make([]byte, 0, pageBytes)}
	for at := from; at < to; {
		b, err := scan.bytes(at, int(min(pageBytes, to-at)))
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(b, func(c byte) bool { return c != 0 }) {
			return false, nil
		}
		at += int64(len(b))
	}
	return true, nil
}

// keepSegment renames the .log file of a segment that goes because one before it was cut, unless it is empty.
func (l *Log) keepSegment(s *segment) error {
	if s.size() == 0 {
		return nil
	}
	f, _, err := s.useLog()
	if err != nil {
		return err
	}
	defer f.done()
	records, err := s.hasRecords(f, 0, s.size())
	if err != nil {
		return err
	}
	name := s.name() + cutSuffix + "-0"
	if err := l.fsys.Rename(s.name(), name); err != nil {
		return err
	}
	l.toldKept(name, s.size(), records)
	return nil
}

// copyFile makes name a durable copy of [from, to) of a file.
func copyFile(fsys vfs.FS, name string, f vfs.File, from, to int64) error {
	target, err := fsys.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	buffer := make([]byte, scanBufferBytes)
	for at := from; at < to && err == nil; {
		chunk := buffer[:min(int64(len(buffer)), to-at)]
		if _, err = f.ReadAt(chunk, at); err == nil {
			_, err = target.WriteAt(chunk, at-from)
		}
		at += int64(len(chunk))
	}
	if err == nil {
		err = target.SyncData()
	}
	return errors.Join(err, target.Close())
}
