package commitlog

import (
	"fmt"

	"github.com/ottla/ottla/internal/kafka"
)

// CorruptionError is damage found in a file: what cannot be a record batch where one must be.
type CorruptionError struct {
	File     string
	Position int64
	Reason   string
}

func (e *CorruptionError) Error() string {
	return fmt.Sprintf("corrupt file %s at position %d: %s", e.File, e.Position, e.Reason)
}

// As lets the error reach clients as KAFKA_STORAGE_ERROR with the file and the position.
func (e *CorruptionError) As(target any) bool {
	if t, ok := target.(**kafka.Error); ok {
		*t = kafka.Errorf(kafka.KafkaStorageError, "%s", e.Error())
		return true
	}
	return false
}

// storageError is what clients are told about a failed disk operation.
func storageError(err error) *kafka.Error {
	return kafka.Errorf(kafka.KafkaStorageError, "Disk error when trying to access log file on disk: %v", err)
}
