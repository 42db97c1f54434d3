package commitlog

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

// Checkpoint files are text, as Kafka's CheckpointFile writes them: a version, the number of entries, one
// entry a line, and our checksum.go. Offset checkpoints have "topic partition offset", the leader epoch checkpoint "epoch offset".
const (
	checkpointVersion  = 0
	maxCheckpointBytes = 256 << 20
)

// checkpointEntry is one line of an offset checkpoint.
type checkpointEntry struct {
	tp     kafka.TopicPartition
	offset int64
}

func formatCheckpoint(count int, line func(b []byte, i int) []byte) []byte {
	b := fmt.Appendf(nil, "%d\n%d\n", checkpointVersion, count)
	for i := range count {
		b = append(line(b, i), '\n')
	}
	if count == 0 {
		return b
	}
	return appendBlankChecksum(b)
}

// parseCheckpoint calls entry with the fields of each line.
func parseCheckpoint(text string, entry func(fields []string) error) error {
	text, err := checkBlanks(text)
	if err != nil {
		return err
	}
	version, rest, _ := strings.Cut(text, "\n")
	if strings.TrimSpace(version) != strconv.Itoa(checkpointVersion) {
		return fmt.Errorf("checkpoint has version %.20q, want %d", version, checkpointVersion)
	}
	count, rest, _ := strings.Cut(rest, "\n")
	expected, err := strconv.Atoi(strings.TrimSpace(count))
	if err != nil {
		return fmt.Errorf("checkpoint's number of entries is %.20q", count)
	}
	seen := 0
	for line := range strings.Lines(rest) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if err := entry(fields); err != nil {
			return fmt.Errorf("checkpoint line %.300q: %w", line, err)
		}
		seen++
	}
	if seen != expected {
		return fmt.Errorf("checkpoint has %d entries and says %d", seen, expected)
	}
	return nil
}

func writeOffsetCheckpoint(fsys vfs.FS, path string, entries []checkpointEntry) error {
	return ReplaceFile(fsys, path, formatCheckpoint(len(entries), func(b []byte, i int) []byte {
		e := entries[i]
		b = append(append(b, e.tp.Topic...), ' ')
		b = append(strconv.AppendInt(b, int64(e.tp.Partition), 10), ' ')
		return strconv.AppendInt(b, e.offset, 10)
	}))
}

// readOffsetCheckpoint returns the offsets by partition; a file that is not there has none.
func readOffsetCheckpoint(fsys vfs.FS, path string) (map[kafka.TopicPartition]int64, error) {
	content, err := ReadFile(fsys, path, maxCheckpointBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	offsets := make(map[kafka.TopicPartition]int64)
	if len(content) == 0 && filepath.Base(path) == cleanerOffsetFile {
		return offsets, nil // Kafka makes it so, and writes to it when a log was compacted
	}
	err = parseCheckpoint(string(content), func(fields []string) error {
		if len(fields) != 3 {
			return errors.New("want topic, partition, offset")
		}
		partition, err := strconv.ParseInt(fields[1], 10, 32)
		if err != nil {
			return err
		}
		offset, err := strconv.ParseInt(fields[2], 10, 64)
		if err != nil {
			return err
		}
		offsets[kafka.TopicPartition{Topic: strings.Clone(fields[0]), Partition: int32(partition)}] = offset
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return offsets, nil
}
