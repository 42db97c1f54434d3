package record

import (
	"fmt"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
)

// RecordError is what is wrong with one record of a batch (Produce v8+: BatchIndex and
// BatchIndexErrorMessage of RecordErrors).
type RecordError struct {
	// BatchIndex counts the records of the batch from 0.
	BatchIndex int32
	Message    string
}

// InvalidError refuses the records of one partition. Code, Message and RecordErrors go to the fields
// ErrorCode, ErrorMessage and RecordErrors of the partition's answer. kafka.CodeOf and kafka.MessageOf
// see through it.
//
// Kafka fills ErrorMessage only when there are RecordErrors; for the other refusals it leaves null.
type InvalidError struct {
	Code    kafka.ErrorCode
	Message string
	// RecordErrors is empty when the batch as a whole is at fault. It holds the first maxRecordErrors.
	RecordErrors []RecordError
}

func (e *InvalidError) Error() string { return e.Code.String() + ": " + e.Message }

// Unwrap returns code and text as a *kafka.Error.
func (e *InvalidError) Unwrap() error { return &kafka.Error{Code: e.Code, Message: e.Message} }

// maxRecordErrors bounds the answer to a batch in which every record is at fault: without it, 1 MB of
// tiny records would make an answer of 20 MB. Producers fail the whole batch anyway.
const maxRecordErrors = 1000

// recordErrors collects what is wrong with the records of a batch.
type recordErrors struct {
	errors    []RecordError
	count     int
	timestamp bool
}

func (e *recordErrors) add(code kafka.ErrorCode, index int32, format string, args ...any) {
	e.count++
	e.timestamp = e.timestamp || code == kafka.InvalidTimestamp
	if len(e.errors) < maxRecordErrors {
		e.errors = append(e.errors, RecordError{index, fmt.Sprintf(format, args...)})
	}
}

// err is worded as in Kafka's LogValidator: one bad timestamp decides the code.
func (e *recordErrors) err() error {
	switch {
	case e.count == 0:
		return nil
	case e.timestamp:
		return &InvalidError{kafka.InvalidTimestamp, "One or more records have been rejected due to invalid timestamp", e.errors}
	}
	var first []string
	for _, re := range e.errors[:min(3, len(e.errors))] {
		first = append(first, fmt.Sprintf("RecordError(batchIndex=%d, message='%s')", re.BatchIndex, re.Message))
	}
	return &InvalidError{kafka.InvalidRecord, fmt.Sprintf("One or more records have been rejected due to %d record errors in total, "+
		"and only showing the first three errors at most: [%s]", e.count, strings.Join(first, ", ")), e.errors}
}

func invalidf(code kafka.ErrorCode, format string, args ...any) error {
	return &InvalidError{Code: code, Message: fmt.Sprintf(format, args...)}
}

// inPartition turns an error of the package into an InvalidError that names the partition.
func inPartition(err error, tp kafka.TopicPartition) error {
	if err == nil {
		return nil
	}
	code, message := kafka.CodeOf(err), err.Error()
	if text := kafka.MessageOf(err); text != nil {
		message = *text
	}
	return &InvalidError{Code: code, Message: message + " in topic partition " + tp.String()}
}
