package wire

import (
	"bytes"
	"testing"
)

type sourceOf []byte

func (s sourceOf) ReadFrom(p []byte, skip int) (int, error) { return copy(p, s[skip:]), nil }

func TestDeferredRecordsTakeTheirSourcesInOrder(t *testing.T) {
	for _, version := range []int16{4, 12, 16} { // with long and with compact lengths
		first, second := sourceOf(bytes.Repeat([]byte("1"), 70_000)), sourceOf("22")
		encode := func(records ...[]byte) (*Writer, *FetchResponse) {
			var m FetchResponse
			m.Reset()
			m.Responses = make([]FetchResponseFetchableTopicResponse, 1)
			for _, r := range records {
				var p FetchResponsePartitionData
				p.Reset()
				p.Records = r
				m.Responses[0].Partitions = append(m.Responses[0].Partitions, p)
			}
			return new(Writer), &m
		}
		w, m := encode(Deferred(), bytes.Repeat([]byte("x"), 5000), Deferred(), []byte("y"))
		for range 2 { // a Writer can be used again
			w.Reset()
			w.BeginFrame()
			w.Defer(first, len(first))
			w.Defer(second, len(second))
			m.Encode(w, version)
			w.EndFrame()
			var whole []byte
			for _, s := range w.AppendSegments(nil) {
				if s.From != nil {
					s.Bytes = make([]byte, s.Size)
					s.From.ReadFrom(s.Bytes, 0)
				}
				if len(s.Bytes) != s.Size {
					t.Fatalf("a segment of %d bytes has %d", s.Size, len(s.Bytes))
				}
				whole = append(whole, s.Bytes...)
			}
			plain, same := encode(first, bytes.Repeat([]byte("x"), 5000), second, []byte("y"))
			plain.BeginFrame()
			same.Encode(plain, version)
			plain.EndFrame()
			if w.Err() != nil || !w.HasDeferred() || w.Size() != len(whole) || !bytes.Equal(whole, plain.Bytes()) {
				t.Fatalf("version %d: %d bytes, size %d, want %d; %v", version, len(whole), w.Size(), plain.Size(), w.Err())
			}
		}
		w.Reset()
		if w.HasDeferred() {
			t.Error("a Writer that was reset has deferred records")
		}
		w.Defer(first, len(first))
		if m.Encode(w, version); w.Err() == nil {
			t.Error("a field without a source was encoded")
		}
	}
}
