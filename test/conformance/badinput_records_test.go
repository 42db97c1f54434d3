package conformance

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"hash/crc32"
	"io"
	"sync"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Kafka's error codes that bad records get.
const (
	unknownServerError      = -1
	corruptMessage          = 2
	unknownTopicOrPartition = 3
	messageTooLarge         = 10
	unsupportedFormat       = 43
	unsupportedCompression  = 76
	invalidRecord           = 87
)

// A batch is what a record batch says of itself, true or not.
type batch struct {
	magic      byte
	attributes uint16
	count      int32
	records    []byte
	spoilCRC   bool
	length     int32 // 0: the true one
}

// one is a record without key, with the value "x".
var one = []byte{14, 0, 0, 0, 1, 2, 'x', 0}

func (b batch) bytes() []byte {
	body := binary.BigEndian.AppendUint16(nil, b.attributes)
	body = binary.BigEndian.AppendUint32(body, uint32(b.count-1))
	body = binary.BigEndian.AppendUint64(body, 1000)               // first timestamp
	body = binary.BigEndian.AppendUint64(body, 1000)               // max timestamp
	body = append(body, bytes.Repeat([]byte{0xff}, 8+2+4)...)      // no producer
	body = binary.BigEndian.AppendUint32(body, uint32(b.count))    // number of records
	body = append(body, b.records...)                              //
	crc := crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)) //
	if b.spoilCRC {
		crc++
	}
	length := b.length
	if length == 0 {
		length = int32(4 + 1 + 4 + len(body))
	}
	out := binary.BigEndian.AppendUint64(nil, 0)             // base offset
	out = binary.BigEndian.AppendUint32(out, uint32(length)) //
	out = append(out, 0xff, 0xff, 0xff, 0xff, b.magic)       // leader epoch
	return append(binary.BigEndian.AppendUint32(out, crc), body...)
}

// badRecords produces them; none may be accepted, except where Kafka accepts too.
func badRecords(t *testing.T, tg target) {
	topic := tg.name("bad-records")
	createTopic(t, tg, topic)
	good := batch{magic: 2, count: 1, records: one}
	with := func(change func(*batch)) []byte {
		b := good
		change(&b)
		return b.bytes()
	}
	cases := []struct {
		name      string
		partition int32
		records   []byte
		codes     []int16
	}{
		{"good", 0, good.bytes(), []int16{0}},
		{"CRC", 0, with(func(b *batch) { b.spoilCRC = true }), []int16{corruptMessage}},
		{"more records announced", 0, with(func(b *batch) { b.count = 2 }), []int16{invalidRecord}},
		{"fewer records announced", 0, with(func(b *batch) { b.records = bytes.Repeat(one, 2) }), []int16{invalidRecord}},
		{"negative count", 0, with(func(b *batch) { b.count = -5 }), []int16{invalidRecord}},
		{"huge count", 0, with(func(b *batch) { b.count = 0x7fffffff }), []int16{invalidRecord}},
		{"unknown codec", 0, with(func(b *batch) { b.attributes = 7 }), []int16{corruptMessage, unsupportedCompression, invalidRecord, unknownServerError}},
		{"gzip that is none", 0, with(func(b *batch) { b.attributes = 1 }), []int16{corruptMessage, invalidRecord, unknownServerError}},
		{"old format", 0, with(func(b *batch) { b.magic = 1 }), []int16{corruptMessage, unsupportedFormat, invalidRecord}},
		{"unknown format", 0, with(func(b *batch) { b.magic = 9 }), []int16{corruptMessage, unsupportedFormat, invalidRecord}},
		{"control batch", 0, with(func(b *batch) { b.attributes = 1 << 5 }), []int16{invalidRecord}},
		{"length beyond the data", 0, with(func(b *batch) { b.length = 1 << 30 }), []int16{corruptMessage, messageTooLarge, invalidRecord}},
		{"length too short", 0, with(func(b *batch) { b.length = 3 }), []int16{corruptMessage, invalidRecord}},
		{"half a batch", 0, good.bytes()[:40], []int16{corruptMessage, invalidRecord}},
		{"two batches", 0, append(good.bytes(), good.bytes()...), []int16{invalidRecord}},
		{"nothing", 0, nil, []int16{invalidRecord, corruptMessage}},
		{"negative partition", -1, good.bytes(), []int16{unknownTopicOrPartition}},
		{"unknown partition", 1, good.bytes(), []int16{unknownTopicOrPartition}},
	}
	for _, c := range cases {
		if c.records == nil && tg.own == nil {
			continue // real Kafka never answers this
		}
		t.Run(c.name, func(t *testing.T) {
			wantCode(t, produce(t, dial(t, tg, ""), topic, c.partition, c.records), c.codes...)
		})
	}
	if tg.own == nil {
		return // real Kafka has no limit: what follows takes all of its heap
	}
	for codec, compressed := range bombs(t) {
		t.Run("bombs "+codec.name, func(t *testing.T) {
			b := batch{magic: 2, attributes: codec.id, count: 1, records: compressed}.bytes()
			var done sync.WaitGroup
			for range 8 {
				p := dial(t, tg, "")
				// What is sent is small enough, so the broker may accept it: what counts is memory.
				done.Go(func() { wantCode(t, produce(t, p, topic, 0, b), 0, messageTooLarge, invalidRecord) })
			}
			done.Wait()
		})
	}
}

func wantCode(t *testing.T, got int16, codes ...int16) {
	t.Helper()
	for _, c := range codes {
		if got == c {
			return
		}
	}
	t.Errorf("error code %d, want one of %v", got, codes)
}

func produce(t *testing.T, p peer, topic string, partition int32, records []byte) int16 {
	t.Helper()
	rq := kmsg.NewPtrProduceRequest()
	rq.Version, rq.Acks, rq.TimeoutMillis = 9, -1, 10000
	part := kmsg.NewProduceRequestTopicPartition()
	part.Partition, part.Records = partition, records
	to := kmsg.NewProduceRequestTopic()
	to.Topic, to.Partitions = topic, []kmsg.ProduceRequestTopicPartition{part}
	rq.Topics = []kmsg.ProduceRequestTopic{to}
	rs, err := p.exchange(rq)
	if err != nil {
		t.Error(err)
		return unknownServerError
	}
	return rs.(*kmsg.ProduceResponse).Topics[0].Partitions[0].ErrorCode
}

func createTopic(t *testing.T, tg target, name string) {
	t.Helper()
	rq := kmsg.NewPtrCreateTopicsRequest()
	rq.Version = 5
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, 1, 1
	rq.Topics, rq.TimeoutMillis = append(rq.Topics, topic), 10000
	if code := dial(t, tg, "").ask(rq).(*kmsg.CreateTopicsResponse).Topics[0].ErrorCode; code != 0 {
		t.Fatalf("CreateTopics: error code %d", code)
	}
}

type codec struct {
	id   uint16
	name string
}

// bombs are a record of zeros in each codec, as large as fits into max.message.bytes when it is compressed.
func bombs(t *testing.T) map[codec][]byte {
	t.Helper()
	found := map[codec][]byte{}
	for _, c := range []struct {
		codec
		megabytes int
		open      func(io.Writer) (io.WriteCloser, error)
	}{
		{codec{1, "gzip"}, 200, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriterLevel(w, gzip.BestCompression) }},
		{codec{2, "snappy"}, 16, func(w io.Writer) (io.WriteCloser, error) { return &xerial{w: w}, nil }},
		{codec{3, "lz4"}, 200, func(w io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(w), nil }},
		{codec{4, "zstd"}, 1000, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }},
	} {
		var out bytes.Buffer
		w, err := c.open(&out)
		if err != nil {
			t.Fatal(err)
		}
		size := c.megabytes << 20
		// attributes, timestamp delta, offset delta, no key, length of the value; then the value; then no headers
		head := binary.AppendVarint([]byte{0, 0, 0, 1}, int64(size))
		w.Write(append(binary.AppendVarint(nil, int64(len(head)+size+1)), head...))
		zeros := make([]byte, 1<<20)
		for range c.megabytes {
			w.Write(zeros)
		}
		w.Write([]byte{0})
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if out.Len() > 1_000_000 {
			t.Fatalf("the %s bomb has %d bytes: max.message.bytes would refuse it before it is looked at", c.name, out.Len())
		}
		found[c.codec] = out.Bytes()
	}
	return found
}

// xerial frames snappy blocks as Java's snappy does.
type xerial struct {
	w     io.Writer
	begun bool
}

func (x *xerial) Write(p []byte) (int, error) {
	if !x.begun {
		x.begun = true
		if _, err := x.w.Write([]byte{0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1}); err != nil {
			return 0, err
		}
	}
	block := s2.EncodeSnappyBest(nil, p)
	_, err := x.w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(block))), block...))
	return len(p), err
}

func (x *xerial) Close() error { return nil }
