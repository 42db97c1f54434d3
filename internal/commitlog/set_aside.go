package commitlog

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/ottla/ottla/internal/kafka"
)

// A log that cannot be loaded (a file of it cannot be read, or is none of ours) does not keep the others from being used;
// Kafka takes the whole log directory offline then, or does not start. A log that is set aside is there by name, so that nobody
// makes another, empty one in its place. Everything that is asked of it is KAFKA_STORAGE_ERROR with the reason, its files are
// not touched, and the checkpoints go on saying of it what they said. The next start tries again; deleting it works.

// setAside returns what takes the place of a log that could not be loaded.
func (d *Dir) setAside(tp kafka.TopicPartition, c checkpointed, reason error) *Log {
	path := filepath.Join(d.path, tp.String())
	d.options.Logger.Error("log cannot be loaded; its partition is offline, the others are not", "partition", tp.String(), "path", path, "error", reason)
	topicID, _ := readPartition(d.fsys, path) // without it the log is nobody's, and stays
	l := newLog(d, tp, path, topicID, d.options.Config(tp.Topic))
	l.unloadable = kafka.Errorf(kafka.KafkaStorageError, "Partition %s cannot be loaded from %s: %v; the other partitions are not affected. Repair the folder or delete the topic; the next start of the broker tries again", tp, path, reason)
	l.mu.closed = l.unloadable
	l.replaceSegments([]*segment{l.newSegment(c.start, l.config.Load(), d.options.Now())})
	l.start.Store(c.start)
	l.high.Store(c.high)
	end := max(c.start, c.high, c.recoveryPoint)
	l.end.Store(end)
	l.stable.Store(end)
	l.flushed.Store(c.recoveryPoint)
	return l
}

// Unloadable returns why the log could not be loaded, if so: it is KAFKA_STORAGE_ERROR then, and nothing can be done with
// the log but to delete it.
func (l *Log) Unloadable() error { return l.unloadable }

func (l *Log) isSetAside() bool { return l.unloadable != nil }

// UnloadableCount is the number of logs that could not be loaded.
func (d *Dir) UnloadableCount() (n int) {
	for _, l := range d.Logs() {
		if l.isSetAside() {
			n++
		}
	}
	return n
}

// allSetAside reports a directory of which nothing can be loaded: it is not the logs that are broken.
func (d *Dir) allSetAside() error {
	var reasons []error
	for _, l := range d.Logs() {
		if !l.isSetAside() {
			return nil
		}
		if len(reasons) < maxReasons {
			reasons = append(reasons, l.unloadable)
		}
	}
	if len(reasons) == 0 {
		return nil
	}
	return fmt.Errorf("no log can be loaded: %w", errors.Join(reasons...))
}

// maxReasons bounds an error text.
const maxReasons = 10
