package quorum

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/wire"
)

const (
	// maxSnapshotBytes bounds a snapshot file that is read.
	maxSnapshotBytes = 1 << 30
	// snapshotBatchBytes is about the size of the batches of a snapshot.
	snapshotBatchBytes = 256 << 10
)

// A snapshot file holds batches at offsets of their own that begin at 0: one control record SnapshotHeader,
// the records of the metadata, one control record SnapshotFooter. Its name is the offset after the last record
// of the log that it stands for and that record's epoch (Kafka's Snapshots, KIP-630).

func snapshotName(p position) string {
	return fmt.Sprintf("%0*d-%0*d%s", offsetDigits, p.offset, epochDigits, p.term, snapshotSuffix)
}

// parseSnapshotName reads offset and term; the index is not in the name.
func parseSnapshotName(name string) (p position, ok bool) {
	stem, ok := strings.CutSuffix(name, snapshotSuffix)
	if !ok || len(stem) != offsetDigits+1+epochDigits || stem[offsetDigits] != '-' {
		return position{}, false
	}
	offset, err := strconv.ParseUint(stem[:offsetDigits], 10, 63)
	term, err2 := strconv.ParseUint(stem[offsetDigits+1:], 10, 31)
	return position{offset: int64(offset), term: term}, err == nil && err2 == nil
}

// buildSnapshot makes the bytes of a snapshot file that ends at p.
func buildSnapshot(p position, lastTimestamp int64, values iter.Seq[[]byte], now time.Time) ([]byte, error) {
	header, err := snapshotHeader(p, lastTimestamp)
	if err != nil {
		return nil, err
	}
	all, next := []byte(header), int64(1)
	options := func() record.BatchOptions {
		return record.BatchOptions{BaseOffset: next, LeaderEpoch: int32(p.term)}
	}
	b := record.NewBuilder(options())
	flush := func() error {
		if b.Count() == 0 {
			return nil
		}
		batch, err := b.Build()
		all = append(all, batch...)
		next += int64(b.Count())
		b.Reset(options())
		return err
	}
	for value := range values {
		if b.Count() > 0 && b.Size()+len(value) > snapshotBatchBytes {
			if err := flush(); err != nil {
				return nil, err
			}
		}
		b.Add(now.UnixMilli(), nil, value)
	}
	if err := flush(); err != nil {
		return nil, err
	}
	footer, err := control(position{offset: next, term: p.term}, record.SnapshotFooter, &wire.SnapshotFooterRecord{}, 0, now.UnixMilli())
	return append(all, footer...), err
}

// checkSnapshot reads a whole snapshot and returns where it ends.
func checkSnapshot(data []byte) (position, error) {
	var p position
	complete := false
	first := true
	for b, err := range record.Batches(data) {
		if err == nil {
			err = b.CheckCRC()
		}
		if err == nil && complete {
			err = errors.New("it goes on after its footer")
		}
		if err == nil && first {
			p, err = parseSnapshotHeader(b)
		} else if err == nil && b.Attributes().Control() {
			_, err = controlRecord(b, record.SnapshotFooter)
			complete = true
		}
		if err != nil {
			return position{}, fmt.Errorf("metadata snapshot: %w", err)
		}
		first = false
	}
	if !complete {
		return position{}, errors.New("metadata snapshot: the footer is missing")
	}
	return p, nil
}

// writeSnapshot stores a snapshot under its name.
func (f *files) writeSnapshot(p position, data []byte) error {
	return f.replace(filepath.Join(f.folder, snapshotName(p)), data)
}

func (f *files) readSnapshot(p position) ([]byte, error) {
	return f.read(filepath.Join(f.folder, snapshotName(p)), maxSnapshotBytes)
}

// readPart reads a part of a snapshot file, and tells its size.
func (f *files) readPart(p position, at int64, maxBytes int) (part []byte, size int64, err error) {
	file, err := f.fs.OpenFile(filepath.Join(f.folder, snapshotName(p)), os.O_RDONLY, 0)
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	if size, err = file.Size(); err != nil {
		return nil, 0, err
	}
	if at < 0 || at >= size {
		return nil, 0, kafka.Errorf(kafka.PositionOutOfRange, "position %d of a metadata snapshot of %d bytes", at, size)
	}
	part = make([]byte, min(size-at, int64(max(maxBytes, 1))))
	_, err = file.ReadAt(part, at)
	return part, size, err
}

// newestSnapshot finds the snapshot to start from; the zero position if there is none. A file that was not
// written to its end still has its temporary name.
func (f *files) newestSnapshot() (position, error) {
	names, err := f.snapshots()
	if err != nil || len(names) == 0 {
		return position{}, err
	}
	newest := names[len(names)-1]
	data, err := f.readSnapshot(newest)
	if err != nil {
		return position{}, err
	}
	p, err := checkSnapshot(data)
	if err == nil && (p.offset != newest.offset || p.term != newest.term) {
		err = fmt.Errorf("the snapshot ends at offset %d, epoch %d", p.offset, p.term)
	}
	if err != nil {
		return position{}, fmt.Errorf("%s: %w", snapshotName(newest), err)
	}
	return p, nil
}

// snapshots lists the snapshots, oldest first.
func (f *files) snapshots() ([]position, error) {
	list, err := f.fs.ReadDir(f.folder)
	if err != nil {
		return nil, err
	}
	var all []position // ReadDir sorts by name, which sorts by offset
	for _, file := range list {
		if p, ok := parseSnapshotName(file.Name()); ok && p.offset > 0 {
			all = append(all, p)
		}
	}
	return all, nil
}

// removeSnapshots deletes what is older than p.
func (f *files) removeSnapshots(p position) error {
	all, err := f.snapshots()
	for _, old := range all {
		if old.offset < p.offset {
			err = errors.Join(err, f.fs.Remove(filepath.Join(f.folder, snapshotName(old))))
		}
	}
	return err
}
