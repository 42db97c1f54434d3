package compaction

import (
	"fmt"
	"testing"
)

func TestKeysRememberTheNewest(t *testing.T) {
	k := NewKeys(100*EntryBytes, 1<<40, 0.5)
	for i := range 50 {
		if !k.Put(fmt.Append(nil, i), int64(i)) {
			t.Fatalf("no room for key %d", i)
		}
	}
	if k.Put([]byte("one more"), 50) || k.Latest() != 49 || k.Len() != 50 {
		t.Errorf("a table of 100 slots, half of them to be used, has %d keys up to %d", k.Len(), k.Latest())
	}
	if !k.Put([]byte("7"), 60) {
		t.Error("no room for a key that is there")
	}
	for i := range 50 {
		want := int64(i)
		if i == 7 {
			want = 60
		}
		if got := k.Newest(fmt.Append(nil, i)); got != want {
			t.Errorf("newest of %d is %d, want %d", i, got, want)
		}
	}
	if got := k.Newest([]byte("another")); got != NoOffset {
		t.Errorf("newest of a key that was not put: %d", got)
	}
	if k.Bytes() != 100*EntryBytes {
		t.Errorf("%d bytes", k.Bytes())
	}
}

// Few keys cost little, whatever may be used; and a full table can be searched.
func TestKeysAreAsLargeAsNeeded(t *testing.T) {
	if k := NewKeys(1<<30, 10, 0.9); k.Bytes() > 20*EntryBytes {
		t.Errorf("%d bytes for 10 keys", k.Bytes())
	}
	k := NewKeys(0, 10, 1)
	if !k.Put([]byte("a"), 3) || k.Put([]byte("b"), 4) || k.Newest([]byte("b")) != NoOffset || k.Newest([]byte("a")) != 3 {
		t.Error("a table for one key")
	}
}

func BenchmarkKeys(b *testing.B) {
	k := NewKeys(128<<20, 1<<40, 0.9)
	key := make([]byte, 20)
	for i := range b.N {
		key[i%20]++
		if !k.Put(key, int64(i)) {
			b.Fatal("full")
		}
	}
}
