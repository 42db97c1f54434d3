package kafka

import "math"

// JavaHash is Java's String.hashCode: Kafka finds the coordinator of a group or transactional id by it. Characters
// outside of the basic plane count as their two surrogates.
func JavaHash(s string) int32 {
	var h int32
	for _, r := range s {
		if r > 0xffff {
			r -= 0x10000
			h = 31*h + 0xd800 + r>>10
			r = 0xdc00 + r&0x3ff
		}
		h = 31*h + r
	}
	return h
}

// CoordinatorPartition is the partition of an internal topic whose leader coordinates a group or transactional id: the
// absolute value of Java's hash of the id, modulo the number of partitions. The least number, which has no absolute value,
// counts as 0 (org.apache.kafka.common.utils.Utils.abs).
func CoordinatorPartition(id string, partitions int) int32 {
	hash := JavaHash(id)
	switch {
	case hash == math.MinInt32:
		hash = 0
	case hash < 0:
		hash = -hash
	}
	return hash % int32(partitions)
}
