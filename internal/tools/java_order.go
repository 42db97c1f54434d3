package tools

import (
	"cmp"
	"slices"
	"unicode/utf16"
)

// inJavaMapOrder sorts items as iterating over a java.util.HashMap would give them that got them one by one.
// Kafka's kafka-topics prints the configs of a topic in this order; recorded output is compared with it.
func inJavaMapOrder[T any](items []T, name func(T) string) []T {
	buckets := 16
	for len(items) > buckets*3/4 {
		buckets *= 2
	}
	bucket := func(item T) uint32 {
		h := javaHash(name(item))
		return (h ^ h>>16) & uint32(buckets-1)
	}
	sorted := slices.Clone(items)
	slices.SortStableFunc(sorted, func(a, b T) int { return cmp.Compare(bucket(a), bucket(b)) })
	return sorted
}

// javaHash is String.hashCode.
func javaHash(s string) uint32 {
	var h uint32
	for _, unit := range utf16.Encode([]rune(s)) {
		h = 31*h + uint32(unit)
	}
	return h
}
