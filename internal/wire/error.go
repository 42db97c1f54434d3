package wire

import (
	"cmp"
	"fmt"
)

// DecodeError says why bytes are not the message they should be.
type DecodeError struct {
	Message string // name of the message, "" outside of one
	Field   string // Kafka's name of the field, "" for the message as a whole
	Offset  int    // of the input, where the error was noticed
	Reason  string
}

func (e *DecodeError) Error() string {
	what := e.Message
	switch {
	case what == "":
		what = e.Field
	case e.Field != "":
		what += ", field " + e.Field
	}
	return fmt.Sprintf("decode %s at byte %d: %s", cmp.Or(what, "message"), e.Offset, e.Reason)
}

// EncodeError says what a message holds that the version asked for cannot express: the message itself
// (nothing was written then), a field that would get lost, a null, a text that is too long. What was
// written without it must not be sent.
type EncodeError struct {
	Message string
	Field   string // "" for the message as a whole, and for lengths
	Version int16
	Reason  string
}

func (e *EncodeError) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("encode %s version %d: %s", e.Message, e.Version, e.Reason)
	}
	return fmt.Sprintf("encode %s version %d, field %s: %s", e.Message, e.Version, e.Field, e.Reason)
}
