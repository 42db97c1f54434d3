package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
)

// value is a parsed value together with the layer it came from.
type value struct {
	text   string // strings, classes, passwords
	list   []string
	number int64 // numbers without fraction; 1 for true
	float  float64
	null   bool
	source Source
}

// parse reads a property's text as Kafka's ConfigDef.parseType does and checks it against the row's bounds.
// Errors are valueErrors with Kafka's text.
func parse(r *Row, text string) (value, error) {
	v, err := parseType(r, text)
	if err != nil {
		return value{}, err
	}
	if _, ok := r.Valid.(distinct); ok {
		v.list = unique(v.list)
	}
	if r.Valid != nil {
		if err := r.Valid.check(r, v); err != nil {
			return value{}, err
		}
	}
	return v, nil
}

func parseType(r *Row, text string) (value, error) {
	trimmed := trim(text)
	switch r.Type {
	case Boolean:
		switch {
		case strings.EqualFold(trimmed, "true"):
			return value{number: 1}, nil
		case strings.EqualFold(trimmed, "false"):
			return value{}, nil
		}
		return value{}, invalid(r, text, "Expected value to be either true or false")
	case Int, Short, Long:
		n, err := strconv.ParseInt(trimmed, 10, r.Type.bits())
		if err != nil {
			return value{}, invalid(r, text, "Not a number of type "+r.Type.String())
		}
		return value{number: n}, nil
	case Double:
		f, ok := parseDouble(trimmed)
		if !ok {
			return value{}, invalid(r, text, "Not a number of type DOUBLE")
		}
		return value{float: f}, nil
	case List:
		return value{list: splitList(trimmed)}, nil
	default:
		return value{text: trimmed}, nil
	}
}

// valueError is a value that cannot be accepted, in Kafka's words. Where a client sees it, it becomes a kafka.Error.
type valueError string

func (e valueError) Error() string { return string(e) }

func valueErrorf(format string, args ...any) error { return valueError(fmt.Sprintf(format, args...)) }

// invalid is Kafka's ConfigException(name, value, message).
func invalid(r *Row, text, message string) error {
	if r.Sensitive() {
		text = "[hidden]"
	}
	return valueErrorf("Invalid value %s for configuration %s: %s", text, r.Name, message)
}

// invalidConfig gives an error the code that clients get for settings that cannot be accepted.
func invalidConfig(err error) error {
	if err == nil {
		return nil
	}
	return kafka.Errorf(kafka.InvalidConfig, "%s", err)
}

// format writes a value as Kafka's ConfigDef.convertToString does. The value must not be null.
func (v value) format(t Type) string {
	switch t {
	case Boolean:
		return strconv.FormatBool(v.number != 0)
	case Int, Short, Long:
		return strconv.FormatInt(v.number, 10)
	case Double:
		return formatDouble(v.float)
	case List:
		return strings.Join(v.list, ",")
	default:
		return v.text
	}
}

// javaText is the value as Java prints it inside an error text, where lists stand in brackets.
func (v value) javaText(t Type) string {
	switch {
	case v.null:
		return "null"
	case t == List:
		return "[" + strings.Join(v.list, ", ") + "]"
	}
	return v.format(t)
}

// trim cuts what Java's String.trim cuts: every character up to the space.
func trim(s string) string {
	return strings.TrimFunc(s, func(c rune) bool { return c <= ' ' })
}

// splitList splits at commas and drops the white space around them; an empty text is an empty list.
func splitList(s string) []string {
	if s == "" {
		return nil
	}
	parts := strings.Split(s, ",")
	for i, p := range parts {
		parts[i] = strings.Trim(p, " \t\n\v\f\r")
	}
	return parts
}

// unique drops what stands in a list a second time.
func unique(list []string) []string {
	var kept []string
	for _, s := range list {
		if !slices.Contains(kept, s) {
			kept = append(kept, s)
		}
	}
	return kept
}

// parseDouble accepts what Java's Double.parseDouble does: an optional f or d at the end, NaN and Infinity.
func parseDouble(s string) (float64, bool) {
	sign := strings.TrimLeft(s, "+-")
	if sign == "NaN" || sign == "Infinity" {
		f, err := strconv.ParseFloat(s, 64)
		return f, err == nil
	}
	if strings.ContainsAny(s, "iInN_") {
		return 0, false
	}
	if !strings.ContainsAny(s, "xX") {
		s = trimOneSuffix(s, "fFdD")
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0, false
	}
	return f, true
}

func trimOneSuffix(s, set string) string {
	if s != "" && strings.IndexByte(set, s[len(s)-1]) >= 0 {
		return s[:len(s)-1]
	}
	return s
}

// formatDouble prints as Java's Double.toString: plain between 10^-3 and 10^7, else with an exponent.
func formatDouble(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	if abs := math.Abs(f); f == 0 || abs >= 1e-3 && abs < 1e7 {
		s := strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	s := strconv.FormatFloat(f, 'E', -1, 64)
	mantissa, exponent, _ := strings.Cut(s, "E")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, _ := strconv.Atoi(exponent)
	return mantissa + "E" + strconv.Itoa(n)
}
