package kafka

import (
	"errors"
	"fmt"
)

// Error is a failure that a client is told about: Kafka's code and a text for people. The text carries
// the numbers, the name of the setting and the way out; tools print it verbatim.
type Error struct {
	Code    ErrorCode
	Message string
}

func (e *Error) Error() string {
	if e.Message == "" {
		return e.Code.String()
	}
	return e.Code.String() + ": " + e.Message
}

// Is makes errors.Is(err, kafka.SomeCode) true for an Error of that code.
func (e *Error) Is(target error) bool {
	code, ok := target.(ErrorCode)
	return ok && code == e.Code
}

// Errorf returns an Error with a formatted text.
func Errorf(code ErrorCode, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// CodeOf returns the code that a response carries for err: None for nil, UnknownServerError for an
// error that names no code.
func CodeOf(err error) ErrorCode {
	if err == nil {
		return None
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	if c, ok := errors.AsType[ErrorCode](err); ok {
		return c
	}
	return UnknownServerError
}

// MessageOf returns the text that a response carries for err, or nil where the code says it all: the
// form of a nullable error message on the wire.
func MessageOf(err error) *string {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		if e.Message == "" {
			return nil
		}
		return &e.Message
	}
	if _, ok := errors.AsType[ErrorCode](err); ok {
		return nil
	}
	text := err.Error()
	return &text
}
