package tools

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A lineReader turns lines into records, as Kafka's LineMessageReader does: parse.headers and parse.key say what comes before
// the value. Unlike in Kafka, bytes that are not UTF-8 stay as they are.
type lineReader struct {
	in                  *bufio.Reader
	parseKey            bool
	keySeparator        string
	parseHeaders        bool
	headersDelimiter    string
	headersSeparator    *regexp.Regexp
	headersKeySeparator string
	ignoreError         bool
	nullMarker          *string
	line                int
}

// newLineReader reads the properties of --reader-property and --reader-config.
func newLineReader(in io.Reader, properties map[string]string) (*lineReader, error) {
	text := func(name, fallback string) string {
		if v, ok := properties[name]; ok {
			return v
		}
		return fallback
	}
	isTrue := func(name string) bool { return strings.EqualFold(strings.TrimSpace(properties[name]), "true") }
	separator := text("headers.separator", ",")
	r := &lineReader{
		in:                  bufio.NewReaderSize(in, 64<<10),
		parseKey:            isTrue("parse.key"),
		keySeparator:        text("key.separator", "\t"),
		parseHeaders:        isTrue("parse.headers"),
		headersDelimiter:    text("headers.delimiter", "\t"),
		headersKeySeparator: text("headers.key.separator", ":"),
		ignoreError:         isTrue("ignore.error"),
	}
	if marker, ok := properties["null.marker"]; ok {
		r.nullMarker = &marker
	}
	var err error
	if r.headersSeparator, err = regexp.Compile(separator); err != nil {
		return nil, &exception{class: "java.util.regex.PatternSyntaxException", message: err.Error(), cause: err}
	}
	return r, r.checkSeparators(separator)
}

func (r *lineReader) checkSeparators(headersSeparator string) error {
	names := []string{"headers.delimiter", "headers.separator", "headers.key.separator"}
	values := []string{r.headersDelimiter, headersSeparator, r.headersKeySeparator}
	for i := range names {
		for j := range i {
			if values[i] == values[j] {
				return kafkaException(names[j] + " and " + names[i] + " may not be equal")
			}
		}
	}
	if r.nullMarker == nil {
		return nil
	}
	for i, name := range append(names, "key.separator") {
		if append(values, r.keySeparator)[i] == *r.nullMarker {
			return kafkaException("null.marker and " + name + " may not be equal")
		}
	}
	return nil
}

// next returns the record of the next line; io.EOF after the last.
func (r *lineReader) next() (*kgo.Record, error) {
	r.line++
	line, err := r.readLine()
	if err != nil {
		return nil, err
	}
	rest := line
	headers, hasHeaders, err := r.cut(&rest, line, r.parseHeaders, r.headersDelimiter, "headers delimiter")
	if err != nil {
		return nil, err
	}
	key, hasKey, err := r.cut(&rest, line, r.parseKey, r.keySeparator, "key separator")
	if err != nil {
		return nil, err
	}
	record := &kgo.Record{Value: r.orNull(rest)}
	if hasKey {
		record.Key = r.orNull(key)
	}
	if hasHeaders && !r.isNull(headers) {
		record.Headers, err = r.headers(string(headers))
	}
	return record, err
}

// readLine returns a line without its end: \n, \r\n, or \r, as Java's readers understand them.
func (r *lineReader) readLine() ([]byte, error) {
	var line []byte
	for {
		b, err := r.in.ReadByte()
		if err == io.EOF && line != nil {
			return line, nil
		}
		if err != nil {
			return nil, err
		}
		switch b {
		case '\r':
			if next, err := r.in.Peek(1); err == nil && next[0] == '\n' {
				r.in.Discard(1)
			}
			fallthrough
		case '\n':
			if line == nil {
				line = []byte{}
			}
			return line, nil
		}
		line = append(line, b)
	}
}

// cut takes what stands before separator off rest.
func (r *lineReader) cut(rest *[]byte, line []byte, enabled bool, separator, what string) (part []byte, ok bool, err error) {
	if !enabled {
		return nil, false, nil
	}
	before, after, ok := bytes.Cut(*rest, []byte(separator))
	if ok {
		*rest = after
		return before, true, nil
	}
	if r.ignoreError {
		return nil, false, nil
	}
	return nil, false, kafkaException(fmt.Sprintf("No %s found on line number %d: '%s'", what, r.line, line))
}

func (r *lineReader) isNull(text []byte) bool {
	return r.nullMarker != nil && string(text) == *r.nullMarker
}

func (r *lineReader) orNull(text []byte) []byte {
	if r.isNull(text) {
		return nil
	}
	if text == nil {
		return []byte{}
	}
	return text
}

func (r *lineReader) headers(text string) ([]kgo.RecordHeader, error) {
	pairs := r.headersSeparator.Split(text, -1)
	for len(pairs) > 1 && pairs[len(pairs)-1] == "" {
		pairs = pairs[:len(pairs)-1] // as Java's split
	}
	var headers []kgo.RecordHeader
	for _, pair := range pairs {
		key, value, ok := strings.Cut(pair, r.headersKeySeparator)
		switch {
		case !ok && r.ignoreError:
			headers = append(headers, kgo.RecordHeader{Key: pair})
			continue
		case !ok:
			return nil, kafkaException(fmt.Sprintf("No header key separator found in pair '%s' on line number %d", pair, r.line))
		case r.isNull([]byte(key)):
			return nil, kafkaException("Header keys should not be equal to the null marker '" + *r.nullMarker + "' as they can't be null")
		}
		headers = append(headers, kgo.RecordHeader{Key: key, Value: r.orNull([]byte(value))})
	}
	return headers, nil
}
