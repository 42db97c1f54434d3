package wire

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Records of 1 KiB and more leave as they are, between slices of the buffer; smaller ones are copied.
func TestWriterRefersToRecords(t *testing.T) {
	large, small := bytes.Repeat([]byte("r"), 1<<10), bytes.Repeat([]byte("s"), 1<<10-1)
	var m FetchResponse
	m.Reset()
	for _, records := range [][]byte{large, small, nil, large} {
		var p FetchResponsePartitionData
		p.Reset()
		p.Records = records
		m.Responses = append(m.Responses, FetchResponseFetchableTopicResponse{Partitions: []FetchResponsePartitionData{p}})
	}
	var w Writer
	for range 2 { // a Writer can be used again
		w.Reset()
		w.BeginFrame()
		m.Encode(&w, 12)
		w.EndFrame()
		segments := w.Segments()
		var referred int
		for _, s := range segments {
			if len(s) == len(large) && &s[0] == &large[0] {
				referred++
			}
		}
		if referred != 2 || len(segments) != 5 {
			t.Errorf("%d of %d segments are the records", referred, len(segments))
		}
		whole := bytes.Join(segments, nil)
		if !bytes.Equal(whole, w.Bytes()) || len(whole) != w.Size() || len(w.Buf) != w.Size()-2*len(large) {
			t.Errorf("segments of %d bytes, %d in one, size %d, buffer %d", len(whole), len(w.Bytes()), w.Size(), len(w.Buf))
		}
		if n := int(whole[2])<<8 | int(whole[3]); n != len(whole)-4 {
			t.Errorf("frame length %d of %d bytes", n, len(whole))
		}
		var got FetchResponse
		r := NewReader(whole[4:])
		if err := got.Decode(r, 12); err != nil || r.Done() != nil || len(got.Responses[1].Partitions[0].Records) != len(small) {
			t.Errorf("%v", err)
		}
		if n, err := segments.WriteTo(new(bytes.Buffer)); n != int64(len(whole)) || err != nil {
			t.Errorf("wrote %d, %v", n, err)
		}
	}
	w.Reset()
	if kept := w.references[:1][0]; kept.bytes != nil {
		t.Error("a Writer that was reset holds on to records")
	}
}

// Sizes of tagged fields that need more than the one byte kept for them.
func TestTagsLongerThanTheirPlace(t *testing.T) {
	var m ApiVersionsResponse
	m.Reset()
	for range 200 {
		m.SupportedFeatures = append(m.SupportedFeatures, ApiVersionsResponseSupportedFeatureKey{Name: strings.Repeat("f", 100), MaxVersion: 3})
	}
	m.ZkMigrationReady = true
	for tag := range uint32(150) {
		m.UnknownTags = append(m.UnknownTags, Tag{10 + tag, bytes.Repeat([]byte{byte(tag)}, int(tag))})
	}
	var w Writer
	m.Encode(&w, 4)
	var got ApiVersionsResponse
	r := NewReader(w.Bytes())
	got.Decode(r, 4)
	if err := r.Done(); err != nil {
		t.Fatal(err)
	}
	m.ApiKeys, m.FinalizedFeatures = got.ApiKeys, got.FinalizedFeatures // nil or empty
	for i := range m.UnknownTags {
		m.UnknownTags[i].Data = bytes.Clone(m.UnknownTags[i].Data)
	}
	if diff := cmp.Diff(m, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWriterRefusesWhatKafkaCannotExpress(t *testing.T) {
	var w Writer
	(&SaslHandshakeRequest{Mechanism: strings.Repeat("x", 1<<15)}).Encode(&w, 1)
	if e, ok := errors.AsType[*EncodeError](w.Err()); !ok || e.Message != "SaslHandshakeRequest" {
		t.Errorf("a string of 32768 bytes: %v", w.Err())
	}
	w.Reset()
	(&JoinGroupResponse{ProtocolType: new("consumer")}).Encode(&w, 6)
	if e, ok := errors.AsType[*EncodeError](w.Err()); !ok || e.Field != "ProtocolName" {
		t.Errorf("null in a version that does not have it: %v", w.Err())
	}
}
