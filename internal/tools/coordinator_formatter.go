package tools

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/wire/recordjson"
)

// A coordinatorFormatter prints records of an internal topic as JSON, one after the other without line ends, as Kafka does. Records of
// other types are left out.
type coordinatorFormatter struct {
	schema *recordjson.Schema
	kinds  []int16
}

// newCoordinatorFormatter prints the given record types of the schema of that name.
func newCoordinatorFormatter(name string, kinds ...int16) coordinatorFormatter {
	return coordinatorFormatter{recordjson.Load(name), kinds}
}

func (f coordinatorFormatter) write(w io.Writer, r *kgo.Record) error {
	if r.Key == nil {
		return nil
	}
	c, err := decodeCoordinatorRecord(f.schema, r.Key, r.Value)
	if _, unknown := errors.AsType[unknownRecordType](err); unknown {
		return nil
	}
	if err != nil {
		return &exception{class: "java.lang.RuntimeException", cause: err,
			message: fmt.Sprintf("Could not read record at offset %d due to: %v", r.Offset, err)}
	}
	if !slices.Contains(f.kinds, c.kind) {
		return nil
	}
	fmt.Fprintf(w, `{"key":{"type":%d,"data":%s},"value":`, c.kind, c.keyJSON())
	if c.value == nil {
		io.WriteString(w, "null}")
	} else {
		fmt.Fprintf(w, `{"version":%d,"data":%s}}`, c.version, c.valueJSON())
	}
	return nil
}
