package config

import (
	"math"
	"slices"
	"time"
)

// settings are the effective values of one resource. They never change, so that they can be shared and cached.
type settings[R Resource] struct {
	values []value // by Row.index
}

// Bool returns a BOOLEAN.
func (s settings[R]) Bool(k Key[R, bool]) bool { return s.values[k.index].number != 0 }

// Int returns an INT or SHORT; 0 when it has no value.
func (s settings[R]) Int(k Key[R, int]) int { return int(s.values[k.index].number) }

// Long returns a LONG; 0 when it has no value.
func (s settings[R]) Long(k Key[R, int64]) int64 { return s.values[k.index].number }

// Double returns a DOUBLE.
func (s settings[R]) Double(k Key[R, float64]) float64 { return s.values[k.index].float }

// Text returns a STRING, CLASS or PASSWORD; empty when it has no value.
func (s settings[R]) Text(k Key[R, string]) string { return s.values[k.index].text }

// List returns a LIST; nil when it is empty or has no value.
func (s settings[R]) List(k Key[R, []string]) []string { return slices.Clone(s.values[k.index].list) }

// Duration returns a number with a unit of time. What does not fit (9223372036854775807 ms is Kafka's "never") is the
// longest time.Duration, 292 years; negative numbers stay negative.
func (s settings[R]) Duration(k row[R]) time.Duration {
	var resource R
	r := k.of(resource)
	unit := r.Unit.duration()
	if unit == 0 {
		panic("BUG: config: " + r.Name + " is not a time")
	}
	n := s.values[r.index].number
	if n > math.MaxInt64/int64(unit) {
		return math.MaxInt64
	}
	if n < math.MinInt64/int64(unit) {
		return math.MinInt64
	}
	return time.Duration(n) * unit
}

// row is implemented by every key of a resource, for questions that do not depend on the type.
type row[R Resource] interface{ of(R) *Row }

func (k Key[R, T]) of(R) *Row { return k.Row }

// IsNull reports whether the property has no value, not even by default.
func (s settings[R]) IsNull(k row[R]) bool { var r R; return s.values[k.of(r).index].null }

// Source returns the layer that the value comes from.
func (s settings[R]) Source(k row[R]) Source { var r R; return s.values[k.of(r).index].source }
