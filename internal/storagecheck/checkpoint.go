package storagecheck

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// parseCheckpoint reads Kafka's CheckpointFile: version 0, the number of entries, one entry a line.
func parseCheckpoint(text string, entry func(fields []string) error) error {
	text, err := checkBlanks(text)
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if version := strings.TrimSpace(lines[0]); version != "0" {
		return fmt.Errorf("it has version %.20q, want 0", version)
	}
	if len(lines) < 2 {
		return errors.New("the number of entries is missing")
	}
	count, err := strconv.Atoi(strings.TrimSpace(lines[1]))
	if err != nil {
		return fmt.Errorf("the number of entries is %.20q", lines[1])
	}
	seen := 0
	for _, line := range lines[2:] {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if err := entry(fields); err != nil {
			return fmt.Errorf("line %.300q: %w", line, err)
		}
		seen++
	}
	if seen != count {
		return fmt.Errorf("it has %d entries and says %d", seen, count)
	}
	return nil
}

// offsets is the content of an offset checkpoint.
type offsets map[kafka.TopicPartition]int64

// get returns the offset of a partition and whether there is one.
func (o offsets) get(tp kafka.TopicPartition) (int64, bool) {
	offset, known := o[tp]
	return offset, known
}

// readOffsets reads an offset checkpoint; one that is not there has none.
func readOffsets(fsys vfs.FS, path string) (offsets, error) {
	content, err := readWhole(fsys, path, maxTextBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	o := offsets{}
	if len(content) == 0 && filepath.Base(path) == cleanerFile {
		return o, nil // Kafka makes it so, and writes to it when a log was compacted
	}
	err = parseCheckpoint(string(content), func(fields []string) error {
		if len(fields) != 3 {
			return errors.New("want topic, partition, offset")
		}
		number, err := strconv.ParseInt(fields[1], 10, 32)
		offset, err2 := strconv.ParseInt(fields[2], 10, 64)
		if err := errors.Join(err, err2); err != nil {
			return err
		}
		tp := kafka.TopicPartition{Topic: fields[0], Partition: int32(number)}
		if _, twice := o[tp]; twice {
			return errors.New("the partition was there before")
		}
		o[tp] = offset
		return nil
	})
	if err != nil {
		return nil, err
	}
	return o, nil
}

// checkpointFiles are the offset checkpoints and what becomes of a damaged one.
var checkpointFiles = [...]struct{ name, outcome string }{
	{recoveryPointFile, "The next start ignores it; after an unclean stop it reads all logs from their beginning."},
	{logStartFile, "The next start ignores it; records that were deleted from the beginning of a segment appear again."},
	{highWatermarkFile, "The next start ignores it; the high watermarks are found again."},
	{cleanerFile, "The next start ignores it; compaction begins at the beginning of the logs again."},
}

// readCheckpoints reads the directory's checkpoints.
func (d *directory) readCheckpoints() {
	for i, file := range checkpointFiles {
		o, err := readOffsets(d.fsys, filepath.Join(d.path, file.name))
		if err != nil {
			d.add(Rebuilt, file.name, file.outcome, "%v", err)
			d.badCheckpoint[i] = true
		}
		d.checkpoints[i] = o
	}
}

// known is what the checkpoints say of one partition.
type known struct {
	clean bool
	// proven is the offset up to which the redo journal says that the log was acknowledged; 0 if it says nothing.
	proven int64
	// point is the recovery point, start the log start, high the high watermark, 0 if the checkpoint has none; cleaned
	// is where the part begins that compaction has not seen.
	point, start, high, cleaned         int64
	hasPoint, hasStart, hasHigh, hasCln bool
}

func (d *directory) knownOf(tp kafka.TopicPartition) known {
	k := known{clean: d.clean}
	if r := d.journal.of(tp.String()); r != nil {
		k.proven = r.proven
	}
	k.point, k.hasPoint = d.checkpoints[0].get(tp)
	k.start, k.hasStart = d.checkpoints[1].get(tp)
	k.high, k.hasHigh = d.checkpoints[2].get(tp)
	k.cleaned, k.hasCln = d.checkpoints[3].get(tp)
	return k
}

// vouched is the offset below which nothing may be missing.
func (k *known) vouched() int64 { return max(k.point, k.proven) }
