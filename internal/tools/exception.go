package tools

import (
	"errors"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
)

// An exception is a failure under the name that Kafka's tools print for it: a Java class and a message.
// Scripts look for these names.
type exception struct {
	class   string
	message string
	cause   error
}

func (e *exception) Error() string { return e.message }
func (e *exception) Unwrap() error { return e.cause }

// javaString is how Java prints err: its class, then its message.
func javaString(err error) string {
	if e, ok := errors.AsType[*exception](err); ok {
		return strings.TrimSuffix(e.class+": "+e.message, ": ")
	}
	if e, ok := errors.AsType[interface {
		error
		JavaClass() string
	}](err); ok {
		return strings.TrimSuffix(e.JavaClass()+": "+e.Error(), ": null") // Java prints a null message nowhere but inside of another text
	}
	return err.Error()
}

func illegalArgument(message string) error {
	return &exception{class: "java.lang.IllegalArgumentException", message: message}
}

func kafkaException(message string) error {
	return &exception{class: "org.apache.kafka.common.KafkaException", message: message}
}

func configException(message string) error {
	return &exception{class: "org.apache.kafka.common.config.ConfigException", message: message}
}

func timeoutException(message string) error {
	return &exception{class: "org.apache.kafka.common.errors.TimeoutException", message: message}
}

// inFuture wraps err as Java's futures report a failure.
func inFuture(err error) error {
	return &exception{class: "java.util.concurrent.ExecutionException", message: javaString(err), cause: err}
}

// inRuntime wraps err as an unchecked exception.
func inRuntime(err error) error {
	return &exception{class: "java.lang.RuntimeException", message: javaString(err), cause: err}
}

// A brokerError is an error code of a response, with the broker's text if it sent one.
type brokerError struct {
	code int16
	exception
}

// responseError is the failure that a response's code stands for, nil for success. text is the broker's own.
func responseError(code int16, text *string) error {
	if code == 0 {
		return nil
	}
	e := &brokerError{code: code}
	e.class = "org.apache.kafka.common.errors.UnknownServerException"
	e.message = "The server experienced an unexpected error when processing the request."
	if known, ok := errors.AsType[*kerr.Error](kerr.ErrorForCode(code)); ok && code > 0 {
		e.class, e.message = "org.apache.kafka.common.errors."+exceptionName(known.Message), known.Description
	}
	if text != nil && *text != "" {
		e.message = *text
	}
	e.cause = kerr.ErrorForCode(code)
	return e
}

func (e *brokerError) Error() string     { return e.message }
func (e *brokerError) JavaClass() string { return e.class }

// hasCode reports whether err came from a response with that code.
func hasCode(err error, code *kerr.Error) bool {
	e, ok := errors.AsType[*brokerError](err)
	return ok && e.code == code.Code
}

// irregularExceptions are the codes whose exception is not called as the code is.
var irregularExceptions = map[string]string{
	"UNKNOWN_SERVER_ERROR":           "UnknownServerException",
	"CORRUPT_MESSAGE":                "CorruptRecordException",
	"MESSAGE_TOO_LARGE":              "RecordTooLargeException",
	"KAFKA_STORAGE_ERROR":            "KafkaStorageException",
	"REQUEST_TIMED_OUT":              "TimeoutException",
	"RECORD_LIST_TOO_LARGE":          "RecordBatchTooLargeException",
	"INVALID_TOPIC_EXCEPTION":        "InvalidTopicException",
	"TOPIC_ALREADY_EXISTS":           "TopicExistsException",
	"INVALID_CONFIG":                 "InvalidConfigurationException",
	"NON_EMPTY_GROUP":                "GroupNotEmptyException",
	"INVALID_COMMIT_OFFSET_SIZE":     "InvalidCommitOffsetSizeException",
	"OUT_OF_ORDER_SEQUENCE_NUMBER":   "OutOfOrderSequenceException",
	"DUPLICATE_SEQUENCE_NUMBER":      "DuplicateSequenceException",
	"INVALID_PRODUCER_ID_MAPPING":    "InvalidPidMappingException",
	"INVALID_TRANSACTION_TIMEOUT":    "InvalidTxnTimeoutException",
	"TRANSACTION_COORDINATOR_FENCED": "TransactionCoordinatorFencedException",
	"DELEGATION_TOKEN_AUTH_DISABLED": "DelegationTokenDisabledException",
}

// exceptionName turns GROUP_ID_NOT_FOUND into GroupIdNotFoundException.
func exceptionName(code string) string {
	if name, ok := irregularExceptions[code]; ok {
		return name
	}
	var b strings.Builder
	for word := range strings.SplitSeq(code, "_") {
		b.WriteString(word[:1] + strings.ToLower(word[1:]))
	}
	return strings.TrimSuffix(b.String(), "Exception") + "Exception"
}
