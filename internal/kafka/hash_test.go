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

func TestCoordinatorPartition(t *testing.T) {
	// What Java's Utils.abs(id.hashCode()) % 50 gives; the hash of the second is negative, that of the third the least.
	for id, want := range map[string]int32{"": 0, "order-processor": 23, "polygenelubricants": 0, "group": 47, "my-group": 12} {
		if got := CoordinatorPartition(id, 50); got != want {
			t.Errorf("%q is in partition %d, want %d", id, got, want)
		}
	}
}
