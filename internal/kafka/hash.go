package kafka

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
