package tools

import (
	"cmp"
	"slices"
	"unicode/utf16"
)

// inJavaMapOrder sorts items as iterating over a java.util.HashMap would give them that got them one by one.
// Kafka's kafka-topics prints the configs of a topic in this order; recorded output is compared with it.
func inJavaMapOrder[T any](items []T, name func(T) string) []T {
	return inJavaOrder(items, func(item T) uint32 { return javaHash(name(item)) }, javaMapSize)
}

// inComputedMapOrder is inJavaMapOrder for a map that got them by computeIfAbsent, which puts a new key before the others in its
// bucket and has the map grow one key later.
func inComputedMapOrder[T any](items []T, name func(T) string) []T {
	items = slices.Clone(items)
	slices.Reverse(items)
	return inBuckets(items, len(items)-1, func(item T) uint32 { return javaHash(name(item)) }, javaMapSize)
}

// javaMapSize is the capacity of a java.util.HashMap of which nobody said how large it will be.
const javaMapSize = 16

// inJavaOrder is inJavaMapOrder for other keys than strings, and maps that were made with a capacity.
func inJavaOrder[T any](items []T, hash func(T) uint32, capacity int) []T {
	return inBuckets(slices.Clone(items), len(items), hash, capacity)
}

// inBuckets sorts items by the buckets of a map that had a capacity and has grown for n keys.
func inBuckets[T any](items []T, n int, hash func(T) uint32, capacity int) []T {
	buckets := 1
	for buckets < capacity || n > buckets*3/4 {
		buckets *= 2
	}
	bucket := func(item T) uint32 {
		h := hash(item)
		return (h ^ h>>16) & uint32(buckets-1)
	}
	slices.SortStableFunc(items, func(a, b T) int { return cmp.Compare(bucket(a), bucket(b)) })
	return items
}

// javaIntHash is Integer.hashCode.
func javaIntHash(n int32) uint32 { return uint32(n) }

// javaHash is String.hashCode.
func javaHash(s string) uint32 {
	var h uint32
	for _, unit := range utf16.Encode([]rune(s)) {
		h = 31*h + uint32(unit)
	}
	return h
}
