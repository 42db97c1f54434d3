package commitlog

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// Create makes an empty log: a folder with partition.metadata, nothing more until the first append. If the
// partition is here already with this topic id, or without any, that log is returned. Another topic id is
// INCONSISTENT_TOPIC_ID, a log that is here and could not be loaded KAFKA_STORAGE_ERROR. The folder is durable with the first stable record.
func (d *Dir) Create(tp kafka.TopicPartition, topicID kafka.UUID, c Config) (*Log, error) {
	if err := d.offline(); err != nil {
		return nil, err
	}
	d.folders.Lock()
	defer d.folders.Unlock()
	if err := d.forget(tp); err != nil {
		return nil, d.createFailed(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.mu.closed {
		return nil, kafka.Errorf(kafka.KafkaStorageError, "Log directory %s is closed", d.path)
	}
	if l := d.mu.logs[tp]; l != nil {
		if l.unloadable != nil {
			return nil, l.unloadable
		}
		return l, l.adopt(topicID)
	}
	path := filepath.Join(d.path, tp.String())
	if err := d.fsys.MkdirAll(path, 0o755); err != nil {
		return nil, d.createFailed(err)
	}
	if err := writeFile(d.fsys, filepath.Join(path, partitionFile), formatPartition(topicID), false); err != nil {
		return nil, d.createFailed(err)
	}
	l := newLog(d, tp, path, topicID, c)
	l.replaceSegments([]*segment{l.newSegment(0, &c, d.options.Now())})
	l.mu.unsynced.folder = true
	d.mu.logs[tp] = l
	d.flusher.checkpointSoon()
	return l, nil
}

// createFailed: nothing was acknowledged, so a full disk is no reason to go offline; anything else is reported
// without doing so either, as no data is in doubt.
func (d *Dir) createFailed(err error) error { return storageError(err) }

// adopt checks the topic id of a log that is there, or gives it one.
func (l *Log) adopt(topicID kafka.UUID) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.topicID == topicID || topicID.IsZero() {
		return nil
	}
	if !l.mu.topicID.IsZero() {
		return kafka.Errorf(kafka.InconsistentTopicID, "Tried to assign topic ID %s to log for topic partition %s, but log already contained topic ID %s", topicID, l.tp, l.mu.topicID)
	}
	if err := ReplaceFile(l.fsys, filepath.Join(l.path, partitionFile), formatPartition(topicID)); err != nil {
		return storageError(err)
	}
	l.mu.topicID = topicID
	return nil
}

// partitionChecksum begins the line behind those that Kafka reads of partition.metadata.
const partitionChecksum = "crc32c: "

func formatPartition(topicID kafka.UUID) []byte {
	text := fmt.Sprintf("version: 0\ntopic_id: %s\n", topicID)
	return []byte(text + checksumLine(partitionChecksum, text))
}

// readPartition returns the topic id of a folder; the zero UUID if there is no readable partition.metadata.
func readPartition(fsys vfs.FS, folder string) (kafka.UUID, error) {
	path := filepath.Join(folder, partitionFile)
	content, err := ReadFile(fsys, path, maxMetaBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return kafka.ZeroUUID, nil
	}
	if err != nil {
		return kafka.ZeroUUID, err
	}
	if err := checkLine(partitionChecksum, string(content)); err != nil {
		return kafka.ZeroUUID, fmt.Errorf("%s: %w", path, err)
	}
	for line := range strings.Lines(string(content)) {
		if id, ok := strings.CutPrefix(line, "topic_id:"); ok {
			return kafka.ParseUUID(strings.TrimSpace(id))
		}
	}
	return kafka.ZeroUUID, fmt.Errorf("%s has no topic_id", path)
}
