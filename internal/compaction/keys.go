package compaction

import (
	"crypto/sha256"
	"encoding/binary"
)

// EntryBytes is what one key takes in Keys, whatever its length: 16 bytes of its SHA-256 and an offset. At 128 bits two
// keys of a log do not meet by chance, nor can anybody make a key that passes for another one.
const EntryBytes = 24

// DefaultLoadFactor is Kafka's log.cleaner.io.buffer.load.factor.
const DefaultLoadFactor = 0.9

// Keys maps keys to the offset of their newest record. Its size is fixed: a table with open addressing. It is not safe
// for concurrent use.
type Keys struct {
	slots  []slot
	limit  int // of entries
	count  int
	latest int64
}

// slot is empty if its after is 0.
type slot struct {
	high, low uint64
	after     int64 // offset + 1
}

// NoOffset is an offset before all others.
const NoOffset int64 = -1

// NewKeys makes a table for at most so many keys, in at most so many bytes, of which the share loadFactor is used. It
// is at least large enough for one key.
func NewKeys(maxBytes, keys int64, loadFactor float64) *Keys {
	if loadFactor <= 0 || loadFactor > 1 {
		loadFactor = DefaultLoadFactor
	}
	slots := max(1, maxBytes/EntryBytes)
	limit := int64(float64(slots) * loadFactor)
	// A table that is half empty is searched faster.
	if roomy := 2 * max(0, keys); roomy < slots {
		slots = max(1, roomy)
		limit = slots
	}
	return &Keys{slots: make([]slot, slots), limit: int(max(1, min(limit, slots))), latest: NoOffset}
}

// Put notes that a key's newest record is at offset. It is false, and nothing changes, if the table is full.
func (k *Keys) Put(key []byte, offset int64) bool {
	high, low := hash(key)
	s := k.find(high, low)
	if s == nil || s.after == 0 && k.count >= k.limit {
		return false
	}
	if s.after == 0 {
		s.high, s.low = high, low
		k.count++
	}
	s.after = offset + 1
	k.latest = max(k.latest, offset)
	return true
}

// Newest is the offset of the newest record with this key; NoOffset if none was put.
func (k *Keys) Newest(key []byte) int64 {
	if s := k.find(hash(key)); s != nil {
		return s.after - 1
	}
	return NoOffset
}

// find returns the slot that has the key with this hash, or that is free for it; nil if the table has neither.
func (k *Keys) find(high, low uint64) *slot {
	n := uint64(len(k.slots))
	for i, at := uint64(0), high%n; i < n; i++ {
		s := &k.slots[at]
		if s.after == 0 || s.high == high && s.low == low {
			return s
		}
		if at++; at == n {
			at = 0
		}
	}
	return nil
}

func hash(key []byte) (high, low uint64) {
	sum := sha256.Sum256(key)
	return binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:])
}

// Reach says that everything up to offset was put, also where there was no key.
func (k *Keys) Reach(offset int64) { k.latest = max(k.latest, offset) }

// Latest is the offset up to which everything was put; NoOffset at first.
func (k *Keys) Latest() int64 { return k.latest }

// Len is the number of keys.
func (k *Keys) Len() int { return k.count }

// Bytes is what the table takes.
func (k *Keys) Bytes() int64 { return int64(len(k.slots)) * EntryBytes }
