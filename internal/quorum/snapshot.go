package quorum

import (
	"errors"
	"fmt"
	"iter"
	"math"
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

// buildSnapshot makes the bytes of a snapshot file that ends at p, where e votes.
func buildSnapshot(p position, lastTimestamp int64, e electorate, values iter.Seq[[]byte], now time.Time) ([]byte, error) {
	header, err := snapshotHeader(p, lastTimestamp, e)
	if err != nil {
		return nil, err
	}
	all, next := []byte(header), header.LastOffset()+1
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

// checkSnapshot reads a whole snapshot, of which the name says where it ends, and returns that with raft's index.
func checkSnapshot(data []byte, name position) (position, error) {
	p, _, err := readSnapshot(data, name)
	if err == nil && (p.offset != name.offset || p.term != name.term) {
		err = fmt.Errorf("metadata snapshot: it ends at offset %d, epoch %d; want %d, %d", p.offset, p.term, name.offset, name.term)
	}
	return p, err
}

// sentSnapshot is checkSnapshot for one that another node sends, all of whose snapshots say where they end.
func sentSnapshot(data []byte) (position, error) {
	p, tagged, err := readSnapshot(data, position{})
	if err == nil && !tagged {
		err = errors.New("metadata snapshot: it does not say which of raft's indexes it ends at")
	}
	if err == nil && (p.index > uint64(p.offset) || p.offset == math.MaxInt64) { // an entry has at least one record
		err = fmt.Errorf("metadata snapshot: it ends at raft's index %d, offset %d", p.index, p.offset)
	}
	return p, err
}

func readSnapshot(data []byte, name position) (p position, tagged bool, err error) {
	complete, first := false, true
	for b, err := range record.Batches(data) {
		if err == nil {
			err = b.CheckCRC()
		}
		if err == nil && complete {
			err = errors.New("it goes on after its footer")
		}
		switch {
		case err != nil:
		case first:
			p, tagged, err = parseSnapshotHeader(b, name)
		case b.Attributes().Control() && !ofElectorate(b):
			_, err = controlRecord(b, record.SnapshotFooter)
			complete = true
		}
		if err != nil {
			return position{}, false, fmt.Errorf("metadata snapshot: %w", err)
		}
		first = false
	}
	if !complete {
		return position{}, false, errors.New("metadata snapshot: the footer is missing")
	}
	return p, tagged, nil
}

// ofElectorate reports whether a control batch says who votes.
func ofElectorate(b record.Batch) bool {
	for e, err := range controlRecords(b) {
		return err == nil && (e.kind == record.KRaftVersion || e.kind == record.KRaftVoters)
	}
	return false
}

// snapshotElectorate returns who votes where a snapshot ends that has been checked, or e if it does not say.
func snapshotElectorate(data []byte, p position, e electorate) (electorate, error) {
	for b := range snapshotBatches(data) {
		var err error
		if e, _, err = e.after(b); err != nil {
			return e, fmt.Errorf("%s: %w", snapshotName(p), err)
		}
	}
	e.index, e.logged = p.index, e.logged && p.offset > 0
	return e, nil
}

// withIndex makes of a snapshot that Kafka wrote one that says at which of raft's indexes it ends.
func withIndex(data []byte, p position) ([]byte, error) {
	var all []byte
	for b := range snapshotBatches(data) {
		if len(all) > 0 {
			all = append(all, b...)
			continue
		}
		var header wire.SnapshotHeaderRecord
		value, err := controlRecord(b, record.SnapshotHeader)
		if err == nil {
			err = header.Decode(wire.NewReader(value), 0)
		}
		var e electorate
		if err == nil {
			e, _, err = e.after(b)
		}
		if err == nil {
			b, err = snapshotHeader(p, header.LastContainedLogTimestamp, e)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, b...)
	}
	return all, nil
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

// newestSnapshot finds the snapshot to start from, and who votes where it ends; the zero position and e if there is none, or only
// that from which a dynamic quorum starts. A file that was not written to its end still has its temporary name.
func (f *files) newestSnapshot(e electorate) (position, electorate, error) {
	names, err := f.snapshots()
	if err != nil || len(names) == 0 {
		return position{}, e, err
	}
	newest := names[len(names)-1]
	data, err := f.readSnapshot(newest)
	if err != nil {
		return position{}, e, err
	}
	p, err := checkSnapshot(data, newest)
	if err == nil {
		e, err = snapshotElectorate(data, p, e)
	}
	if _, tagged, _ := readSnapshot(data, newest); err == nil && !tagged && p.offset > 0 {
		if len(e.voters) > 1 {
			err = fmt.Errorf("the snapshot was not written by Ottla: only a controller that is the quorum's only voter can take over Kafka's metadata log")
		} else if data, err = withIndex(data, p); err == nil {
			err = f.writeSnapshot(p, data)
		}
	}
	if err != nil {
		return position{}, e, fmt.Errorf("%s: %w", snapshotName(newest), err)
	}
	return p, e, nil
}

// snapshots lists the snapshots, oldest first.
func (f *files) snapshots() ([]position, error) {
	list, err := f.fs.ReadDir(f.folder)
	if err != nil {
		return nil, err
	}
	var all []position // ReadDir sorts by name, which sorts by offset
	for _, file := range list {
		if p, ok := parseSnapshotName(file.Name()); ok {
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
