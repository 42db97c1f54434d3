package commitlog

import (
	"errors"
	"fmt"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// CorruptionError is damage found in a file: what cannot be a record batch where one must be.
type CorruptionError struct {
	File     string
	Position int64
	Offset   int64 // the first one that cannot be read; -1 if that is not known
	Reason   string
}

func (e *CorruptionError) Error() string {
	if e.Offset < 0 {
		return fmt.Sprintf("corrupt file %s at position %d: %s", e.File, e.Position, e.Reason)
	}
	return fmt.Sprintf("corrupt file %s at position %d (offset %d): %s", e.File, e.Position, e.Offset, e.Reason)
}

// As lets the error reach readers as CORRUPT_MESSAGE with the file and the position. Kafka answers the same: Java's
// consumer then stops with the offset in its error, where KAFKA_STORAGE_ERROR would have it try again for good.
func (e *CorruptionError) As(target any) bool {
	if t, ok := target.(**kafka.Error); ok {
		*t = kafka.Errorf(kafka.CorruptMessage, "%s; `ottla storage verify` checks the log directory", e.Error())
		return true
	}
	return false
}

// storageError is what clients are told about a failed disk operation.
func storageError(err error) *kafka.Error {
	return kafka.Errorf(kafka.KafkaStorageError, "Disk error when trying to access log file on disk: %v", err)
}

// readError is what a reader is told: where damage is, or that the disk fails.
func (l *Log) readError(err error) error {
	if reason, ok := errors.AsType[*CorruptionError](err); ok {
		l.noteDamage(reason)
		return err
	}
	if _, ok := errors.AsType[*kafka.Error](err); ok {
		return err
	}
	if !vfs.IsTooManyFiles(err) {
		l.noteReadFailure(err)
	}
	return storageError(err)
}

// writeError is what a writer is told whose append needs to read what is damaged.
func (l *Log) writeError(err error) error {
	if reason, ok := errors.AsType[*CorruptionError](err); ok {
		l.noteDamage(reason)
		return kafka.Errorf(kafka.KafkaStorageError, "Partition %s takes no appends: %v", l.tp, reason)
	}
	return l.readError(err)
}
