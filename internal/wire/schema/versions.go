package schema

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Versions is an inclusive range of versions. Max is Open in a range without end, and below Min in an
// empty one.
type Versions struct{ Min, Max int }

// Open is the Max of a range without end.
const Open = math.MaxInt16

// None is the empty range, All the range of every version.
var (
	None = Versions{0, -1}
	All  = Versions{0, Open}
)

// ParseVersions reads "none", "3", "3-13" or "9+".
func ParseVersions(text string) (Versions, error) {
	if text == "none" {
		return None, nil
	}
	first, open := strings.CutSuffix(text, "+")
	first, last, bounded := strings.Cut(first, "-")
	low, err := strconv.ParseInt(first, 10, 16)
	v := Versions{int(low), int(low)}
	switch {
	case err == nil && open && !bounded:
		v.Max = Open
	case err == nil && bounded && !open:
		var high int64
		high, err = strconv.ParseInt(last, 10, 16)
		v.Max = int(high)
	case open && bounded:
		err = strconv.ErrSyntax
	}
	if err != nil || v.Min < 0 || v.Empty() {
		return None, fmt.Errorf("%q is not a range of versions", text)
	}
	return v, nil
}

func (v Versions) String() string {
	switch {
	case v.Empty():
		return "none"
	case v.Max == Open:
		return fmt.Sprintf("%d+", v.Min)
	case v.Min == v.Max:
		return strconv.Itoa(v.Min)
	}
	return fmt.Sprintf("%d-%d", v.Min, v.Max)
}

// Empty reports whether no version is in v.
func (v Versions) Empty() bool { return v.Max < v.Min }

// Contains reports whether all of o is in v.
func (v Versions) Contains(o Versions) bool { return o.Empty() || v.Min <= o.Min && o.Max <= v.Max }

// Intersect returns the versions that are in both.
func (v Versions) Intersect(o Versions) Versions {
	both := Versions{max(v.Min, o.Min), min(v.Max, o.Max)}
	if both.Empty() {
		return None
	}
	return both
}
