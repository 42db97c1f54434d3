package options

import "strings"

// A Kind is one way in which a command line can be wrong; its text is joptsimple's name of the failure,
// which some of Kafka's tools print.
type Kind string

// The kinds of a malformed command line.
const (
	Unrecognized      Kind = "UnrecognizedOptionException"
	MissingArgument   Kind = "OptionMissingRequiredArgumentException"
	MissingRequired   Kind = "MissingRequiredOptionsException"
	Unavailable       Kind = "UnavailableOptionException"
	MultipleArguments Kind = "MultipleArgumentsForOptionException"
	Conversion        Kind = "OptionArgumentConversionException"
)

// An Error tells what is wrong with a command line.
type Error struct {
	Kind    Kind
	Message string
}

func (e *Error) Error() string { return e.Message }

// JavaClass is the name under which Kafka's tools report the failure.
func (e *Error) JavaClass() string { return "joptsimple." + string(e.Kind) }

// unrecognized names the option as joptsimple does: "-xyz" is read as the cluster of -x, -y and -z.
func unrecognized(arg, name string) error {
	if !strings.HasPrefix(arg, "--") {
		name = string([]rune(name)[:1])
	}
	return &Error{Kind: Unrecognized, Message: name + " is not a recognized option"}
}
