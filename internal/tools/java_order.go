package tools

import (
	"cmp"
	"slices"
	"unicode/utf16"
)

// inJavaMapOrder sorts items as iterating over a java.util.HashMap would give them that got them one by one.
// Kafka's kafka-topics prints the configs of a topic in this order; recorded output is compared with it.
func inJavaMapOrder[T any](items []T, name func(T) string) []T {
	return inBuckets(slices.Clone(items), len(items), name)
}

// inComputedMapOrder is inJavaMapOrder for a map that got them by computeIfAbsent, which puts a new key before the others in its
// bucket and has the map grow one key later.
func inComputedMapOrder[T any](items []T, name func(T) string) []T {
	items = slices.Clone(items)
	slices.Reverse(items)
	return inBuckets(items, len(items)-1, name)
}

// inBuckets sorts items by the buckets of a map that has grown for n keys.
func inBuckets[T any](items []T, n int, name func(T) string) []T {
	buckets := 16
	for n > buckets*3/4 {
		buckets *= 2
	}
	bucket := func(item T) uint32 {
		h := javaHash(name(item))
		return (h ^ h>>16) & uint32(buckets-1)
	}
	slices.SortStableFunc(items, func(a, b T) int { return cmp.Compare(bucket(a), bucket(b)) })
	return items
}

// javaHash is String.hashCode.
func javaHash(s string) uint32 {
	var h uint32
	for _, unit := range utf16.Encode([]rune(s)) {
		h = 31*h + uint32(unit)
	}
	return h
}
