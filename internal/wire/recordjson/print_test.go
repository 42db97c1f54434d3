package recordjson

import (
	"math"
	"testing"
)

func TestFormatFloat(t *testing.T) {
	for _, c := range []struct {
		f    float64
		want string
	}{
		{0, "0.0"}, {1, "1.0"}, {50.5, "50.5"}, {1024, "1024.0"}, {9999999, "9999999.0"}, {1e7, "1.0E7"}, {1.5e10, "1.5E10"}, {0.001, "0.001"},
		{0.0001, "1.0E-4"}, {-2, "-2.0"}, {math.Inf(1), "Infinity"}, {math.NaN(), "NaN"},
	} {
		if got := FormatFloat(c.f, 64); got != c.want {
			t.Errorf("%g is printed as %s, want %s", c.f, got, c.want)
		}
	}
}
