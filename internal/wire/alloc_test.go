package wire

import (
	"bytes"
	"testing"
)

// In the steady state, with reused structs, the hot path allocates nothing.
func TestHotPathAllocatesNothing(t *testing.T) {
	records := bytes.Repeat([]byte("record"), 1000)
	var produce ProduceRequest
	produce.Reset()
	for _, topic := range []string{"orders", "payments"} {
		data := ProduceRequestTopicProduceData{Name: topic}
		for i := range int32(3) {
			data.PartitionData = append(data.PartitionData, ProduceRequestPartitionProduceData{Index: i, Records: records})
		}
		produce.TopicData = append(produce.TopicData, data)
	}
	var fetch FetchRequest
	fetch.Reset()
	fetch.RackID = "rack"
	for _, topic := range []string{"orders", "payments"} {
		var p FetchRequestFetchPartition
		p.Reset()
		fetch.Topics = append(fetch.Topics, FetchRequestFetchTopic{Topic: topic, Partitions: []FetchRequestFetchPartition{p, p}})
	}
	for _, version := range []int16{3, 8, 9, 12, 13} {
		decodeAllocatesNothing(t, "ProduceRequest", &produce, new(ProduceRequest), version)
	}
	for _, version := range []int16{4, 11, 12, 13, 18} {
		decodeAllocatesNothing(t, "FetchRequest", &fetch, new(FetchRequest), version)
	}

	var fetched FetchResponse
	fetched.Reset()
	var produced ProduceResponse
	produced.Reset()
	for range 2 {
		var p FetchResponsePartitionData
		p.Reset()
		p.Records = records
		fetched.Responses = append(fetched.Responses, FetchResponseFetchableTopicResponse{Topic: "orders", Partitions: []FetchResponsePartitionData{p, p}})
		var q ProduceResponsePartitionProduceResponse
		q.Reset()
		produced.Responses = append(produced.Responses, ProduceResponseTopicProduceResponse{Name: "orders", PartitionResponses: []ProduceResponsePartitionProduceResponse{q, q}})
	}
	for _, version := range []int16{4, 11, 12, 18} {
		encodeAllocatesNothing(t, "FetchResponse", &fetched, version)
	}
	for _, version := range []int16{3, 8, 9, 13} {
		encodeAllocatesNothing(t, "ProduceResponse", &produced, version)
	}
}

func decodeAllocatesNothing(t *testing.T, name string, from, into Message, version int16) {
	t.Helper()
	var w Writer
	from.Encode(&w, version)
	in := w.Bytes()
	r := &Reader{Intern: NewIntern()}
	if n := testing.AllocsPerRun(20, func() {
		r.Reset(in)
		into.Decode(r, version)
		if r.Done() != nil {
			t.Fatal(r.Err())
		}
	}); n != 0 {
		t.Errorf("%s version %d: %v allocations to decode", name, version, n)
	}
}

func encodeAllocatesNothing(t *testing.T, name string, m Message, version int16) {
	t.Helper()
	var w Writer
	header := ResponseHeader{CorrelationID: 1}
	if n := testing.AllocsPerRun(20, func() {
		w.Reset()
		w.BeginFrame()
		header.Encode(&w, ResponseHeaderVersion(m.Key(), version))
		m.Encode(&w, version)
		w.EndFrame()
		if len(w.Segments()) == 0 || w.Err() != nil {
			t.Fatal(w.Err())
		}
	}); n != 0 {
		t.Errorf("%s version %d: %v allocations to encode", name, version, n)
	}
}

func BenchmarkDecodeProduce(b *testing.B) {
	var m ProduceRequest
	m.Reset()
	m.TopicData = []ProduceRequestTopicProduceData{{Name: "orders",
		PartitionData: []ProduceRequestPartitionProduceData{{Records: make([]byte, 1<<20)}}}}
	var w Writer
	m.Encode(&w, 9)
	in := w.Bytes()
	r := &Reader{Intern: NewIntern()}
	for b.Loop() {
		r.Reset(in)
		m.Decode(r, 9)
	}
}

func BenchmarkEncodeFetchOf1000Partitions(b *testing.B) {
	var m FetchResponse
	m.Reset()
	partitions := make([]FetchResponsePartitionData, 1000)
	for i := range partitions {
		partitions[i].Reset()
	}
	m.Responses = []FetchResponseFetchableTopicResponse{{Topic: "orders", Partitions: partitions}}
	var w Writer
	for b.Loop() {
		w.Reset()
		m.Encode(&w, 12)
	}
}
