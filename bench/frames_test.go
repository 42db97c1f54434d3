package main

import (
	"bytes"
	"io"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// The generator looks at fixed places of the answers instead of decoding them; the encoder says whether they are right.
func TestPlaces(t *testing.T) {
	id := kafka.UUID{1, 2, 3}
	answer := func(rs wire.Message, version int16) []byte {
		var w wire.Writer
		(&wire.ResponseHeader{CorrelationID: 77}).Encode(&w, 1)
		rs.Encode(&w, version)
		if w.Err() != nil {
			t.Fatal(w.Err())
		}
		return w.Bytes()
	}
	produce := func(code int16) []byte {
		return answer(&wire.ProduceResponse{Responses: []wire.ProduceResponseTopicProduceResponse{{
			TopicID: id, PartitionResponses: []wire.ProduceResponsePartitionProduceResponse{{ErrorCode: code, BaseOffset: -1}},
		}}}, produceVersion)
	}
	if err := checkProduce(produce(0), 77); err != nil {
		t.Error(err)
	}
	if checkProduce(produce(0), 78) == nil {
		t.Error("a wrong correlation id was not seen")
	}
	if checkProduce(produce(3), 77) == nil {
		t.Error("a Produce error was not seen")
	}

	commit := func(code int16) []byte {
		return answer(&wire.OffsetCommitResponse{Topics: []wire.OffsetCommitResponseTopic{{
			TopicID: id, Partitions: []wire.OffsetCommitResponsePartition{{ErrorCode: code}},
		}}}, commitVersion)
	}
	if err := checkCommit(commit(0), 77); err != nil {
		t.Error(err)
	}
	if checkCommit(commit(0), 78) == nil || checkCommit(commit(25), 77) == nil {
		t.Error("a wrong correlation id or an OffsetCommit error was not seen")
	}
	frame, groupPlace, err := commitFrame(id, "t")
	if err != nil {
		t.Fatal(err)
	}
	if setGroup(frame, groupPlace, 123); !bytes.Contains(frame, []byte("t-000123")) {
		t.Error("the group's number is elsewhere")
	}

	records := bytes.Repeat([]byte("r"), 70_000)
	fetch := func(code, partitionCode int16) []byte {
		var p wire.FetchResponsePartitionData
		p.Reset()
		p.ErrorCode, p.Records = partitionCode, records
		return answer(&wire.FetchResponse{ErrorCode: code, Responses: []wire.FetchResponseFetchableTopicResponse{{
			TopicID: id, Partitions: []wire.FetchResponsePartitionData{p},
		}}}, fetchVersion)
	}
	place, size, err := checkFetch(fetch(0, 0), 77)
	if err != nil {
		t.Fatal(err)
	}
	if got := fetch(0, 0)[place : place+size]; !bytes.Equal(got, records) {
		t.Errorf("the records are not at %d, %d bytes", place, size)
	}
	for _, codes := range [][2]int16{{6, 0}, {0, 6}} {
		if _, _, err := checkFetch(fetch(codes[0], codes[1]), 77); err == nil {
			t.Errorf("error codes %v were not seen", codes)
		}
	}
}

func TestRequestsCanBePatched(t *testing.T) {
	frame, place, err := fetchFrame(kafka.UUID{1}, 3, 1000)
	if err != nil {
		t.Fatal(err)
	}
	setCorrelation(frame, 4711)
	setOffset(frame, place, 12345)
	payload, err := readFrame(bytes.NewReader(frame))
	if err != nil {
		t.Fatal(err)
	}
	r := wire.NewReader(payload)
	var head wire.RequestHeader
	var rq wire.FetchRequest
	if err := head.Decode(r, 2); err != nil {
		t.Fatal(err)
	}
	if err := rq.Decode(r, fetchVersion); err != nil {
		t.Fatal(err)
	}
	if got := rq.Topics[0].Partitions[0].FetchOffset; head.CorrelationID != 4711 || got != 12345 || r.Done() != nil {
		t.Errorf("correlation id %d, offset %d, %v", head.CorrelationID, got, r.Done())
	}
}

func TestBatchesFitTheirNames(t *testing.T) {
	if n := len(batchOf(recordsPer64KB)); n > 64<<10 || n < 63<<10 {
		t.Errorf("the 64 KB batch has %d bytes", n)
	}
	if _, err := readFrame(bytes.NewReader([]byte{0x7f, 0, 0, 0})); err == nil || err == io.EOF {
		t.Errorf("a giant length gave %v", err)
	}
}

func TestPartitionPlace(t *testing.T) {
	frame, place, err := produceFrameToAny(kafka.UUID{1}, batchOf(1))
	if err != nil || place < 0 {
		t.Fatal(place, err)
	}
	setPartition(frame, place, 987)
	want, err := produceFrame(kafka.UUID{1}, 987, batchOf(1))
	if err != nil || len(frame) != len(want) || !bytes.Equal(frame[place-20:place+4], want[place-20:place+4]) {
		t.Errorf("the frame for partition 987 differs (%v)", err)
	}
}
