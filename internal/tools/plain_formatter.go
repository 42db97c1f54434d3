package tools

import (
	"bytes"
	"io"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A plainFormatter prints the parts of a record that its properties ask for, as Kafka's DefaultMessageFormatter does.
type plainFormatter struct {
	timestamp, key, value, partition, offset, delivery, epoch, headers bool
	keySeparator, lineSeparator, headersSeparator, null                string
	keys, values, headerValues                                         deserializer // nil: the bytes as they are
	line                                                               bytes.Buffer
}

func newPlainFormatter(properties map[string]string, log logger) *plainFormatter {
	isTrue := func(name string, fallback bool) bool {
		if v, ok := properties[name]; ok {
			return strings.EqualFold(strings.TrimSpace(v), "true")
		}
		return fallback
	}
	text := func(name, fallback string) string {
		if v, ok := properties[name]; ok {
			return v
		}
		return fallback
	}
	deserializer := func(name string) deserializer {
		class, ok := properties[name]
		if !ok {
			return nil
		}
		d := deserializers()[class]
		if d == nil {
			log.fail("Unable to instantiate a deserializer from %s: there are %s", class, strings.Join(deserializerNames(), ", "))
		}
		return d
	}
	return &plainFormatter{
		timestamp:        isTrue("print.timestamp", false),
		key:              isTrue("print.key", false),
		value:            isTrue("print.value", true),
		partition:        isTrue("print.partition", false),
		offset:           isTrue("print.offset", false),
		delivery:         isTrue("print.delivery", false),
		epoch:            isTrue("print.epoch", false),
		headers:          isTrue("print.headers", false),
		keySeparator:     text("key.separator", "\t"),
		lineSeparator:    text("line.separator", "\n"),
		headersSeparator: text("headers.separator", ","),
		null:             text("null.literal", "null"),
		keys:             deserializer("key.deserializer"),
		values:           deserializer("value.deserializer"),
		headerValues:     deserializer("headers.deserializer"),
	}
}

// write prints one line. The epoch and the delivery count are never known here, as in Kafka's console consumer.
func (f *plainFormatter) write(w io.Writer, r *kgo.Record) error {
	f.line.Reset()
	var fields []func() error
	add := func(wanted bool, field func() error) {
		if wanted {
			fields = append(fields, field)
		}
	}
	text := func(s string) func() error { return func() error { f.line.WriteString(s); return nil } }
	add(f.timestamp, text(timestampText(r)))
	add(f.partition, text("Partition:"+strconv.Itoa(int(r.Partition))))
	add(f.offset, text("Offset:"+strconv.FormatInt(r.Offset, 10)))
	add(f.delivery, text("Delivery:NOT_PRESENT"))
	add(f.epoch, text("Epoch:NOT_PRESENT"))
	add(f.headers, func() error { return f.writeHeaders(r.Headers) })
	add(f.key, func() error { return f.writeBytes(r.Key, f.keys) })
	add(f.value, func() error { return f.writeBytes(r.Value, f.values) })
	var failure error
	for i, field := range fields {
		if i > 0 {
			f.line.WriteString(f.keySeparator)
		}
		if failure = field(); failure != nil {
			break
		}
	}
	if failure == nil && len(fields) > 0 {
		f.line.WriteString(f.lineSeparator)
	}
	w.Write(f.line.Bytes())
	return failure
}

func timestampText(r *kgo.Record) string {
	switch r.Attrs.TimestampType() {
	case 0:
		return "CreateTime:" + strconv.FormatInt(r.Timestamp.UnixMilli(), 10)
	case 1:
		return "LogAppendTime:" + strconv.FormatInt(r.Timestamp.UnixMilli(), 10)
	}
	return "NO_TIMESTAMP"
}

func (f *plainFormatter) writeHeaders(headers []kgo.RecordHeader) error {
	if len(headers) == 0 {
		f.line.WriteString("NO_HEADERS")
	}
	for i, h := range headers {
		if i > 0 {
			f.line.WriteString(f.headersSeparator)
		}
		f.line.WriteString(h.Key + ":")
		if err := f.writeBytes(h.Value, f.headerValues); err != nil {
			return err
		}
	}
	return nil
}

// writeBytes prints null as its literal, also when there is a deserializer: Kafka hands it the literal's bytes.
func (f *plainFormatter) writeBytes(b []byte, d deserializer) error {
	switch {
	case b == nil:
		f.line.WriteString(f.null)
	case d == nil:
		f.line.Write(b)
	default:
		text, err := d(b)
		if err != nil {
			return err
		}
		f.line.WriteString(text)
	}
	return nil
}
