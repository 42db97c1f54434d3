package kafka

import "testing"

// The values were printed by Java's "...".hashCode().
func TestJavaHash(t *testing.T) {
	for s, want := range map[string]int32{
		"":                   0,
		"a":                  97,
		"order-processor":    -1129616173,
		"Ünïcode-グループ":       2017147705,
		"polygenelubricants": -2147483648,
		"😀":                  1772899,
	} {
		if got := JavaHash(s); got != want {
			t.Errorf("JavaHash(%q) = %d, want %d", s, got, want)
		}
	}
}
