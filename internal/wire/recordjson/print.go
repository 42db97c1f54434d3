package recordjson

import (
	"encoding/base64"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire/schema"
)

// Get returns the value of the field with this name in the schema, nil if there is none.
func (s *Struct) Get(name string) any {
	for i := range s.fields {
		if s.fields[i].Name == name {
			return s.values[i]
		}
	}
	return nil
}

// Set replaces the value of a field.
func (s *Struct) Set(name string, value any) {
	for i := range s.fields {
		if s.fields[i].Name == name {
			s.values[i] = value
		}
	}
}

// JSON prints the fields that a version has.
func (s *Struct) JSON(version int16) JSON {
	return JSON(s.append(nil, s.message.nearest(version)))
}

func (s *Struct) append(b []byte, version schema.Versions) []byte {
	b = append(b, '{')
	first := true
	for i := range s.fields {
		f := &s.fields[i]
		if !f.Versions.Contains(version) || f.Tagged.Contains(version) && s.isInitial(i) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendValue(append(AppendQuoted(b, jsonName(f)), ':'), s.values[i], version)
	}
	return append(b, '}')
}

// isInitial reports whether a field has its default.
func (s *Struct) isInitial(i int) bool {
	return reflect.DeepEqual(s.values[i], s.message.initial(&s.fields[i]))
}

func appendValue(b []byte, value any, version schema.Versions) []byte {
	switch v := value.(type) {
	case bool:
		return strconv.AppendBool(b, v)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float64:
		return appendDouble(b, v)
	case string:
		return AppendQuoted(b, v)
	case []byte:
		return append(base64.StdEncoding.AppendEncode(append(b, '"'), v), '"')
	case kafka.UUID:
		return AppendQuoted(b, v.String())
	case JSON:
		return append(b, v...)
	case *Struct:
		return v.append(b, version)
	case []any:
		b = append(b, '[')
		for i, element := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, element, version)
		}
		return append(b, ']')
	}
	return append(b, "null"...)
}

// AppendQuoted appends a string as Jackson writes it: only what JSON itself asks for is escaped.
func AppendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', byte(c))
		case c >= ' ':
			b = utf8.AppendRune(b, c)
		case strings.ContainsRune("\b\t\n\f\r", c):
			b = append(b, '\\', "btn fr"[c-'\b'])
		default:
			const digits = "0123456789ABCDEF"
			b = append(b, `\u00`...)
			b = append(b, digits[c>>4], digits[c&15])
		}
	}
	return append(b, '"')
}

// appendDouble appends a number as Jackson does: in the form of Java's Double.toString, with quotes if it is not a number.
func appendDouble(b []byte, f float64) []byte {
	text := FormatFloat(f, 64)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return AppendQuoted(b, text)
	}
	return append(b, text...)
}

// FormatFloat prints a number of 32 or 64 bits as Java's Float.toString and Double.toString do: always with a fraction, with an
// exponent below 0.001 and from 10,000,000 on.
func FormatFloat(f float64, bits int) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	if size := math.Abs(f); f == 0 || size >= 1e-3 && size < 1e7 {
		text := strconv.FormatFloat(f, 'f', -1, bits)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'E', -1, bits), "E")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, _ := strconv.Atoi(exponent)
	return mantissa + "E" + strconv.Itoa(n)
}
