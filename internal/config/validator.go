package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Validator restricts a property's value beyond its type. The texts of its errors are Kafka's.
type Validator interface {
	check(r *Row, v value) error
	// String describes the valid values, such as [1,...].
	String() string
}

// numberRange allows numbers between two inclusive bounds.
type numberRange struct{ min, max *float64 }

// atLeast allows numbers that are not below min.
func atLeast(min float64) Validator { return numberRange{min: &min} }

// between allows numbers from min to max.
func between(min, max float64) Validator { return numberRange{&min, &max} }

func (n numberRange) check(r *Row, v value) error {
	f := v.float
	if r.Type != Double {
		f = float64(v.number)
	}
	switch {
	case n.min != nil && f < *n.min:
		return invalid(r, v.format(r.Type), "Value must be at least "+boundText(*n.min))
	case n.max != nil && f > *n.max:
		return invalid(r, v.format(r.Type), "Value must be no more than "+boundText(*n.max))
	}
	return nil
}

func (n numberRange) String() string {
	s := "[" + boundText(*n.min) + ",..."
	if n.max != nil {
		s += "," + boundText(*n.max)
	}
	return s + "]"
}

func boundText(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// rangeOr allows a range and one value outside of it.
type rangeOr struct{ min, max, or int64 }

func (o rangeOr) check(r *Row, v value) error {
	if v.number == o.or || v.number >= o.min && v.number <= o.max {
		return nil
	}
	return invalid(r, v.format(r.Type), fmt.Sprintf("Value must be between %d and %d or equal to %d", o.min, o.max, o.or))
}

func (o rangeOr) String() string { return fmt.Sprintf("[%d,...,%d] or %d", o.min, o.max, o.or) }

// oneOf allows the listed strings.
type oneOf []string

func (o oneOf) check(r *Row, v value) error { return o.checkText(r, v.text) }

func (o oneOf) checkText(r *Row, text string) error {
	if slices.Contains(o, text) {
		return nil
	}
	return invalid(r, text, "String must be one of: "+strings.Join(o, ", "))
}

func (o oneOf) String() string { return "[" + strings.Join(o, ", ") + "]" }

// oneOfFold allows the listed strings in any case.
type oneOfFold []string

func (o oneOfFold) check(r *Row, v value) error {
	if slices.ContainsFunc(o, func(s string) bool { return strings.EqualFold(s, v.text) }) {
		return nil
	}
	return invalid(r, v.text, "String must be one of (case insensitive): "+strings.Join(o, ", "))
}

func (o oneOfFold) String() string { return "(case insensitive) [" + strings.Join(o, ", ") + "]" }

// nonEmpty forbids the empty string.
type nonEmpty struct{}

func (nonEmpty) check(r *Row, v value) error {
	if v.text == "" {
		return invalid(r, "", "String must be non-empty")
	}
	return nil
}

func (nonEmpty) String() string { return "non-empty string" }

// distinct allows lists without empty elements; what stands in them twice counts once.
type distinct struct {
	empty bool  // whether the list may be empty
	of    oneOf // the allowed elements; none means any
}

func (d distinct) check(r *Row, v value) error {
	if len(v.list) == 0 && !d.empty {
		valid := "any non-empty value"
		if len(d.of) > 0 {
			valid = d.of.String()
		}
		return valueErrorf("Configuration '%s' must not be empty. Valid values include: %s", r.Name, valid)
	}
	for _, s := range v.list {
		if s == "" {
			return valueErrorf("Configuration '%s' values must not be empty.", r.Name)
		}
		if len(d.of) > 0 {
			if err := d.of.checkText(r, s); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d distinct) String() string {
	if len(d.of) > 0 {
		return d.of.String()
	}
	return ""
}

// throttledReplicas allows * or a list of partition:broker.
type throttledReplicas struct{}

var throttledReplica = regexp.MustCompile(`^([0-9]+:[0-9]+)?$`)

const throttledReplicaForm = "[partitionId]:[brokerId],[partitionId]:[brokerId],..."

func (throttledReplicas) check(r *Row, v value) error {
	if strings.Join(v.list, "") == "*" || !slices.ContainsFunc(v.list, func(s string) bool { return !throttledReplica.MatchString(s) }) {
		return nil
	}
	return invalid(r, v.javaText(List), r.Name+" must be the literal '*' or a list of replicas in the following format: "+throttledReplicaForm)
}

func (throttledReplicas) String() string { return throttledReplicaForm }

// offsetReset allows the ways in which a share group may start: latest, earliest, by_duration:<ISO 8601 duration>.
type offsetReset struct{}

// isoDuration is what Java's Duration.parse accepts without a sign.
var isoDuration = regexp.MustCompile(`(?i)^\+?P(?:\+?\d+D)?(?:T(?:\+?\d+H)?(?:\+?\d+M)?(?:\+?\d+(?:[.,]\d{0,9})?S)?)?$`)

func (offsetReset) check(r *Row, v value) error {
	if v.text == "latest" || v.text == "earliest" {
		return nil
	}
	if d, ok := strings.CutPrefix(v.text, "by_duration:"); ok && isoDuration.MatchString(d) && !strings.HasSuffix(strings.ToUpper(d), "P") &&
		!strings.HasSuffix(strings.ToUpper(d), "T") {
		return nil
	}
	return invalid(r, v.text, fmt.Sprintf("Invalid value `%s` for configuration %s. The value must be either 'earliest', 'latest' or of the format "+
		"'by_duration:<PnDTnHnMn.nS>'.", v.text, r.Name))
}

func (offsetReset) String() string { return "[latest, earliest, by_duration:PnDTnHnMn.nS]" }
