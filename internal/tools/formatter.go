package tools

import (
	"io"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A formatter prints records. An error is about one record; errors of the stream come from the writer itself.
type formatter interface {
	write(w io.Writer, r *kgo.Record) error
}

const (
	formatterPackage = "org.apache.kafka.tools.consumer."
	defaultFormatter = formatterPackage + "DefaultMessageFormatter"
)

// formatterNames are the classes that --formatter knows.
func formatterNames() []string {
	return []string{
		defaultFormatter,
		formatterPackage + "LoggingMessageFormatter",
		formatterPackage + "NoOpMessageFormatter",
		formatterPackage + "OffsetsMessageFormatter",
		formatterPackage + "GroupMetadataMessageFormatter",
		formatterPackage + "TransactionLogMessageFormatter",
	}
}

// newFormatter makes the formatter of a class that formatterNames lists.
func newFormatter(class string, properties map[string]string, log logger) formatter {
	switch class[len(formatterPackage):] {
	case "NoOpMessageFormatter":
		return noFormatter{}
	case "OffsetsMessageFormatter":
		return newCoordinatorFormatter("group_records", 0, 1)
	case "GroupMetadataMessageFormatter":
		return newCoordinatorFormatter("group_records", 2)
	case "TransactionLogMessageFormatter":
		return newCoordinatorFormatter("transaction_records", 0)
	}
	// LoggingMessageFormatter prints as the default one does and logs at INFO, a level that the tools do not show.
	return newPlainFormatter(properties, log)
}

// noFormatter prints nothing.
type noFormatter struct{}

func (noFormatter) write(io.Writer, *kgo.Record) error { return nil }
