package commitlog

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ottla/ottla/internal/kafka"
)

var testJournalID = journalID{1, 2, 3}

// testFrame builds a frame with entries of bytes that are all alike.
func testFrame(h frameHead, entries ...journalEntry) []byte {
	b := make([]byte, frameHeadSize)
	for _, e := range entries {
		b = appendEntry(b, &e)
		if !e.forget {
			b = append(b, slices.Repeat([]byte{byte(e.first)}, e.length)...)
		}
	}
	h.id, h.length, h.entries = testJournalID, len(b), len(entries)
	putFrameHead(b, h)
	return b
}

func TestFrame(t *testing.T) {
	want := frameHead{id: testJournalID, generation: 3, sequence: 77, oldest: 2, position: 8192}
	entries := []journalEntry{
		{topicID: kafka.UUID{9}, tp: kafka.TopicPartition{Topic: "orders", Partition: 7}, base: 40, position: 1 << 20, first: 41, next: 45, length: 5},
		{forget: true, tp: kafka.TopicPartition{Topic: "x", Partition: 0}},
		{tp: kafka.TopicPartition{Topic: "y", Partition: 1 << 30}, base: 0, first: 0, next: 1, length: 1},
	}
	frame := testFrame(want, entries...)
	size := frameHeadSize
	for i := range entries {
		size += entrySize(&entries[i])
	}
	if len(frame) != size {
		t.Errorf("frame has %d bytes, entries say %d", len(frame), size)
	}
	want.length, want.entries = len(frame), len(entries)
	h, ok := parseFrameHead(frame, testJournalID, 8192)
	if !ok || h != want || !frameIsWhole(frame) {
		t.Fatalf("head: %+v, %v", h, ok)
	}
	var got []journalEntry
	if err := parseEntries(frame, h, func(e journalEntry) { got = append(got, e) }); err != nil {
		t.Fatal(err)
	}
	for i, e := range got {
		if !e.forget && !slices.Equal(frame[e.at:e.at+e.length], slices.Repeat([]byte{byte(e.first)}, e.length)) {
			t.Errorf("bytes of entry %d are elsewhere", i)
		}
		got[i].at = 0
	}
	if diff := cmp.Diff(entries, got, cmp.AllowUnexported(journalEntry{})); diff != "" {
		t.Error(diff)
	}
	if _, ok := parseFrameHead(frame, testJournalID, 4096); ok {
		t.Error("a frame is one at another position too")
	}
	if _, ok := parseFrameHead(frame, journalID{}, 8192); ok {
		t.Error("a frame is one of another journal too")
	}
	for i := range 8 * len(frame) {
		frame[i/8] ^= 1 << (i % 8)
		if h, ok := parseFrameHead(frame, testJournalID, 8192); ok && h.length <= len(frame) && frameIsWhole(frame[:h.length]) {
			t.Fatalf("bit %d of byte %d is not checked", i%8, i/8)
		}
		frame[i/8] ^= 1 << (i % 8)
	}
}

func TestHead(t *testing.T) {
	b := make([]byte, headSize)
	putHead(b, testJournalID)
	if id, ok := parseHead(b); !ok || id != testJournalID {
		t.Fatalf("%v, %v", id, ok)
	}
	for i := range 8 * len(b) {
		b[i/8] ^= 1 << (i % 8)
		if _, ok := parseHead(b); ok {
			t.Fatalf("bit %d of byte %d is not checked", i%8, i/8)
		}
		b[i/8] ^= 1 << (i % 8)
	}
}

// FuzzFrame: whatever a frame with a good CRC has in it, its entries lie within it.
func FuzzFrame(f *testing.F) {
	f.Add(testFrame(frameHead{position: journalHeads}, journalEntry{forget: true, tp: kafka.TopicPartition{Topic: "x"}}, journalEntry{tp: kafka.TopicPartition{Topic: "y"}, next: 1, length: 3}))
	f.Add(testFrame(frameHead{position: journalHeads}))
	f.Fuzz(func(t *testing.T, frame []byte) {
		h, ok := parseFrameHead(frame, testJournalID, journalHeads)
		if !ok || h.length > len(frame) {
			return
		}
		frame = frame[:h.length]
		_ = frameIsWhole(frame)
		_ = parseEntries(frame, h, func(e journalEntry) {
			if !e.forget && (e.at < frameHeadSize || e.at+e.length > len(frame) || e.next <= e.first || e.first < e.base) {
				t.Fatalf("entry %+v of a frame of %d bytes", e, len(frame))
			}
		})
	})
}
