package wire

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"strings"
	"testing"
)

// uvarint is n in groups of 7 bits.
func uvarint(n uint64) []byte { return binary.AppendUvarint(nil, n) }

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// Inputs that made other decoders spin or allocate gigabytes: each is refused for the reason given.
func TestHostileInput(t *testing.T) {
	i32 := func(n int32) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }
	for _, c := range []struct {
		name    string
		m       Message
		version int16
		in      []byte
		reason  string
	}{
		{"4 billion tags", new(ApiVersionsRequest), 3, join(uvarint(1), uvarint(1), uvarint(1<<32-1)), "4294967295 tags announced in 0 bytes"},
		{"tags that run out", new(ApiVersionsRequest), 3, join(uvarint(1), uvarint(1), uvarint(3), bytes.Repeat([]byte{9, 0}, 2), []byte{9, 200}), "2 bytes wanted, 1 left"},
		{"tag longer than the input", new(ApiVersionsRequest), 3, join(uvarint(1), uvarint(1), uvarint(1), []byte{9}, uvarint(1<<31)), "announces 2147483648 bytes, 0 left"},
		{"tag that does not fill its size", new(FetchRequest), 12, join(make([]byte, 25), uvarint(1), uvarint(1), uvarint(1), uvarint(1), []byte{0, 9, 2, 'c', 'x', 'y', 'z', 0, 0, 0, 0, 0}), "tag 0 announced 9 bytes and has 2"},
		{"compact array of 4 billion", new(ProduceRequest), 9, join([]byte{0}, make([]byte, 6), uvarint(1<<32-1)), "length 4294967295"},
		{"compact array of 2 billion", new(ProduceRequest), 9, join([]byte{0}, make([]byte, 6), uvarint(1<<31-1)), "2147483646 elements announced in 0 bytes"},
		{"classic array of 2 billion", new(ProduceRequest), 3, join([]byte{255, 255}, make([]byte, 6), i32(1<<31-1)), "elements announced"},
		{"classic array of -2", new(ProduceRequest), 3, join([]byte{255, 255}, make([]byte, 6), i32(-2)), "length -2"},
		{"null for an array", new(ProduceRequest), 3, join([]byte{255, 255}, make([]byte, 6), i32(-1)), "null, but"},
		{"classic string of -2", new(ProduceRequest), 3, []byte{255, 254}, "length -2 of a string"},
		{"compact string of 32768", new(ProduceRequest), 9, join(uvarint(32769), make([]byte, 40000)), "length 32768 of a string"},
		{"varint of 6 bytes", new(ProduceRequest), 9, []byte{0x80, 0x80, 0x80, 0x80, 0x80, 0}, "a varint of more than 32 bits"},
		{"varint of 36 bits", new(ProduceRequest), 9, []byte{0xff, 0xff, 0xff, 0xff, 0x7f}, "a varint of more than 32 bits"},
		{"varint without end", new(ProduceRequest), 9, []byte{0x80}, "2 bytes wanted, 1 left"},
		{"tag of another version", new(FetchRequest), 12, join(make([]byte, 25), uvarint(1), uvarint(1), uvarint(1), uvarint(1), []byte{1, 0}), "tag 1 is not valid in this version"},
	} {
		r := NewReader(c.in)
		err := c.m.Decode(r, c.version)
		if err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: %v, want %s", c.name, err, c.reason)
		}
	}
}

// An array of the smallest elements asks for many times the input: the budget ends it before the
// memory is taken.
func TestBudgetEndsAmplification(t *testing.T) {
	// 9 million topics without a name, partitions or tags: 3 bytes each, 80 in memory.
	const topics = 9 << 20
	in := join([]byte{0}, make([]byte, 6), uvarint(topics+1), bytes.Repeat([]byte{1, 1, 0}, topics), []byte{0})
	var m ProduceRequest
	allocated := measure(func() {
		err := m.Decode(NewReader(in), 9)
		if err == nil || !strings.Contains(err.Error(), "budget") {
			t.Errorf("error %v", err)
		}
	})
	if allocated > 1<<20 {
		t.Errorf("%d bytes allocated", allocated)
	}

	r := &Reader{Budget: 1 << 10}
	r.Reset(in[:1000])
	m.Decode(r, 9)
	if !strings.Contains(r.Err().Error(), "announced") {
		t.Errorf("the count is checked first: %v", r.Err())
	}
	in = join([]byte{0}, make([]byte, 6), uvarint(1001), bytes.Repeat([]byte{1, 1, 0}, 1000), []byte{0})
	r.Reset(in)
	if err := m.Decode(r, 9); err == nil || !strings.Contains(err.Error(), "budget") {
		t.Errorf("small budget: %v", err)
	}
	if err := m.Decode(NewReader(in), 9); err != nil {
		t.Errorf("default budget: %v", err)
	}
}

// measure returns the bytes that f allocates.
func measure(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Kafka takes tags in any order and more than once, and keeps those it does not know.
func TestTagsInAnyOrder(t *testing.T) {
	in := join(make([]byte, 25), uvarint(1), uvarint(1), uvarint(1), uvarint(4),
		[]byte{77, 1, 'u'}, []byte{0, 2, 2, 'a'}, []byte{5, 0}, []byte{0, 2, 2, 'b'})
	var m FetchRequest
	r := NewReader(in)
	m.Decode(r, 12)
	if err := r.Done(); err != nil {
		t.Fatal(err)
	}
	if m.ClusterID == nil || *m.ClusterID != "b" || len(m.UnknownTags) != 2 || m.UnknownTags[0].Tag != 77 || m.UnknownTags[1].Tag != 5 {
		t.Errorf("cluster %v, unknown %v", m.ClusterID, m.UnknownTags)
	}
}

// Kafka replaces what is not UTF-8 and goes on.
func TestTextThatIsNotUTF8(t *testing.T) {
	in := []byte{0, 0, 0, 1, 0, 4, 'a', 0xff, 0xfe, 'b'}
	for _, names := range []*Intern{nil, NewIntern()} {
		var m MetadataRequest
		r := &Reader{Intern: names}
		r.Reset(in)
		m.Decode(r, 1)
		if err := r.Done(); err != nil || *m.Topics[0].Name != "a\uFFFDb" {
			t.Errorf("%v, %q", err, *m.Topics[0].Name)
		}
	}
}
