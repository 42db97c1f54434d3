package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/wire"
)

// The versions are those that clients of Kafka 4.3 use: topics by id, flexible encoding.
const (
	produceVersion = 13
	fetchVersion   = 17
)

// Places in frames: a request's correlation id, from the length prefix on; and in answers that have one topic and one
// partition, from after the length prefix. TestPlaces checks them against the encoder.
const (
	correlationPlace    = 8
	produceErrorPlace   = 27
	fetchErrorPlace     = 9
	fetchPartitionPlace = 37
	fetchRecordsPlace   = 68 // the records' length, a varint
	answerHead          = 80 // more than any of them
	recordSize          = 1024
	recordsPer64KB      = 63 // of recordSize bytes, with what a batch and a record cost
	maxWait             = 500 * time.Millisecond
)

// batchOf returns a batch of n records of recordSize random bytes each, without keys.
func batchOf(n int) record.Batch {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	b := record.NewBuilder(record.BatchOptions{})
	value := make([]byte, recordSize)
	now := time.Now().UnixMilli()
	for range n {
		for i := 0; i+8 <= len(value); i += 8 {
			binary.LittleEndian.PutUint64(value[i:], random.Uint64())
		}
		b.Add(now, nil, value)
	}
	batch, err := b.Build()
	if err != nil {
		panic(fmt.Sprintf("bench: a batch of %d plain records: %v", n, err))
	}
	return batch
}

func produceRequest(id kafka.UUID, partition int32, batch record.Batch) (*wire.ProduceRequest, error) {
	return &wire.ProduceRequest{Acks: -1, TimeoutMs: 30000, TopicData: []wire.ProduceRequestTopicProduceData{{
		TopicID:       id,
		PartitionData: []wire.ProduceRequestPartitionProduceData{{Index: partition, Records: batch}},
	}}}, nil
}

// produceFrame returns a whole request, acks=all.
func produceFrame(id kafka.UUID, partition int32, batch record.Batch) ([]byte, error) {
	rq, err := produceRequest(id, partition, batch)
	if err != nil {
		return nil, err
	}
	return encode(rq, produceVersion, 0)
}

// fetchFrame returns a whole request without a fetch session, and the place of its fetch offset.
func fetchFrame(id kafka.UUID, partition int32, maxBytes int32) (frame []byte, offsetPlace int, err error) {
	const sentinel = 0x0123456789abcdef
	var rq wire.FetchRequest
	rq.Reset()
	rq.MaxWaitMs, rq.MinBytes, rq.MaxBytes = int32(maxWait.Milliseconds()), 1, 50<<20
	var p wire.FetchRequestFetchPartition
	p.Reset()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = partition, sentinel, maxBytes
	rq.Topics = []wire.FetchRequestFetchTopic{{TopicID: id, Partitions: []wire.FetchRequestFetchPartition{p}}}
	if frame, err = encode(&rq, fetchVersion, 0); err != nil {
		return nil, 0, err
	}
	offsetPlace = bytes.Index(frame, binary.BigEndian.AppendUint64(nil, sentinel))
	return frame, offsetPlace, nil
}

// produceFrameToAny is produceFrame for a partition that setPartition names; place is where.
func produceFrameToAny(id kafka.UUID, batch record.Batch) (frame []byte, place int, err error) {
	const sentinel = 0x01234567
	if frame, err = produceFrame(id, sentinel, batch); err != nil {
		return nil, 0, err
	}
	return frame, bytes.Index(frame, binary.BigEndian.AppendUint32(nil, sentinel)), nil
}

func setPartition(frame []byte, place int, partition int32) {
	binary.BigEndian.PutUint32(frame[place:], uint32(partition))
}

func setCorrelation(frame []byte, id int32) {
	binary.BigEndian.PutUint32(frame[correlationPlace:], uint32(id))
}

func setOffset(frame []byte, place int, offset int64) {
	binary.BigEndian.PutUint64(frame[place:], uint64(offset))
}

// checkProduce looks at an answer without decoding it.
func checkProduce(answer []byte, correlation int32) error {
	if len(answer) < produceErrorPlace+2 {
		return fmt.Errorf("a Produce answer of %d bytes", len(answer))
	}
	if got := int32(binary.BigEndian.Uint32(answer)); got != correlation {
		return fmt.Errorf("a Produce answer has correlation id %d, want %d", got, correlation)
	}
	if code := int16(binary.BigEndian.Uint16(answer[produceErrorPlace:])); code != 0 {
		return fmt.Errorf("the broker answered Produce with error code %d", code)
	}
	return nil
}

// checkFetch looks at the first bytes of an answer and returns how many bytes of records it holds and where they begin.
func checkFetch(head []byte, correlation int32) (place, size int, err error) {
	if len(head) < fetchRecordsPlace+1 {
		return 0, 0, fmt.Errorf("a Fetch answer of %d bytes", len(head))
	}
	if got := int32(binary.BigEndian.Uint32(head)); got != correlation {
		return 0, 0, fmt.Errorf("a Fetch answer has correlation id %d, want %d", got, correlation)
	}
	code, partitionCode := binary.BigEndian.Uint16(head[fetchErrorPlace:]), binary.BigEndian.Uint16(head[fetchPartitionPlace:])
	if code != 0 || partitionCode != 0 {
		return 0, 0, fmt.Errorf("the broker answered Fetch with error code %d, its partition with %d", int16(code), int16(partitionCode))
	}
	length, n := binary.Uvarint(head[fetchRecordsPlace:]) // size + 1; 0 is null
	if n <= 0 {
		return 0, 0, fmt.Errorf("a Fetch answer without a length of its records")
	}
	return fetchRecordsPlace + n, max(int(length)-1, 0), nil
}
