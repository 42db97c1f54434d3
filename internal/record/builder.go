package record

import (
	"encoding/binary"
	"math"

	"github.com/ottla/ottla/internal/kafka"
)

// Producer is what stamps a batch as one of an idempotent producer.
type Producer struct {
	ID       int64
	Epoch    int16
	Sequence int32
}

// NoProducer is what batches without an idempotent producer carry.
var NoProducer = Producer{NoProducerID, NoProducerEpoch, NoSequence}

// BatchOptions are the header fields of a batch to build. The zero value makes an uncompressed batch
// of CreateTime records at offset 0 without a producer.
type BatchOptions struct {
	BaseOffset  int64
	LeaderEpoch int32
	Compression Compression
	// Producer is nil for none.
	Producer      *Producer
	Transactional bool
	Control       bool
	// AppendTime, if not 0, makes it a batch with LogAppendTime of that time in milliseconds.
	AppendTime int64
	// DeleteHorizon, if not 0, is stamped as the batch's delete horizon in milliseconds (KIP-534).
	DeleteHorizon int64
}

// Builder makes one batch, record by record. It is not safe for concurrent use.
type Builder struct {
	options       BatchOptions
	buf           []byte // header and uncompressed records
	count         int32
	lastDelta     int32
	baseTimestamp int64
	maxTimestamp  int64
	disorder      bool
}

// NewBuilder starts a batch.
func NewBuilder(o BatchOptions) *Builder {
	b := new(Builder)
	b.Reset(o)
	return b
}

// Reset starts another batch and keeps the memory. A batch that Build returned before stays intact.
func (b *Builder) Reset(o BatchOptions) {
	buf := b.buf
	if cap(buf) < HeaderSize {
		buf = make([]byte, HeaderSize, 512)
	}
	*b = Builder{options: o, buf: buf[:HeaderSize], lastDelta: -1, baseTimestamp: NoTimestamp, maxTimestamp: NoTimestamp}
	if o.DeleteHorizon != 0 {
		b.baseTimestamp = o.DeleteHorizon
	}
}

// Add appends a record at the next offset. A nil key or value is null. timestamp is in milliseconds.
func (b *Builder) Add(timestamp int64, key, value []byte, headers ...Header) {
	b.Append(b.lastDelta+1, timestamp, key, value, headers...)
}

// Append appends a record at BaseOffset + delta. Deltas must grow; Build reports it if they did not.
func (b *Builder) Append(delta int32, timestamp int64, key, value []byte, headers ...Header) {
	size := sizeOfVarint(int32(len(headers)))
	for _, h := range headers {
		size += sizeOfVarint(int32(len(h.Key))) + len(h.Key) + sizeOfBytes(h.Value)
	}
	b.begin(delta, timestamp, key, value, size)
	b.buf = appendVarint(b.buf, int32(len(headers)))
	for _, h := range headers {
		b.buf = appendVarint(b.buf, int32(len(h.Key)))
		b.buf = append(b.buf, h.Key...)
		b.buf = appendBytes(b.buf, h.Value)
	}
}

// AppendRecord appends r with its timestamp, key, value and headers at its offset delta. It is for
// compaction: with BaseOffset that of the batch that r came from, offsets stay.
func (b *Builder) AppendRecord(r *Record) {
	b.begin(r.OffsetDelta, r.Timestamp, r.Key, r.Value, sizeOfVarint(int32(r.HeaderCount))+len(r.headers))
	b.buf = appendVarint(b.buf, int32(r.HeaderCount))
	b.buf = append(b.buf, r.headers...)
}

// begin appends a record up to its headers, for which headersSize bytes follow.
func (b *Builder) begin(delta int32, timestamp int64, key, value []byte, headersSize int) {
	if b.count == 0 && b.options.DeleteHorizon == 0 {
		b.baseTimestamp = timestamp
	}
	b.disorder = b.disorder || delta <= b.lastDelta
	b.count++
	b.lastDelta = delta
	b.maxTimestamp = max(b.maxTimestamp, timestamp)
	since := timestamp - b.baseTimestamp
	body := 1 + sizeOfVarlong(since) + sizeOfVarint(delta) + sizeOfBytes(key) + sizeOfBytes(value) + headersSize
	b.buf = appendVarint(b.buf, int32(body))
	b.buf = append(b.buf, 0)
	b.buf = appendVarlong(b.buf, since)
	b.buf = appendVarint(b.buf, delta)
	b.buf = appendBytes(b.buf, key)
	b.buf = appendBytes(b.buf, value)
}

// Count is the number of records so far.
func (b *Builder) Count() int { return int(b.count) }

// Size is the size of the batch in bytes if it were built uncompressed now: exact without compression,
// else what a size limit should reckon with until Build tells.
func (b *Builder) Size() int { return len(b.buf) }

// SizeOf returns how many bytes a record adds at most to an uncompressed batch.
func SizeOf(key, value []byte, headers ...Header) int {
	const overhead = 21 // length 5, attributes 1, timestamp delta 10, offset delta 5
	size := overhead + sizeOfBytes(key) + sizeOfBytes(value) + sizeOfVarint(int32(len(headers)))
	for _, h := range headers {
		size += sizeOfVarint(int32(len(h.Key))) + len(h.Key) + sizeOfBytes(h.Value)
	}
	return size
}

// Build returns the batch in bytes of its own. Without records it is an empty batch, which keeps a
// producer's last sequence in a compacted log.
func (b *Builder) Build() (Batch, error) { return b.BuildUpTo(b.lastDelta) }

// BuildUpTo is Build with another last offset delta: compaction keeps that of the batch it thins out.
func (b *Builder) BuildUpTo(lastDelta int32) (Batch, error) {
	if b.disorder || lastDelta < b.lastDelta {
		return nil, kafka.Errorf(kafka.InvalidRecord, "BUG: offset deltas of a batch must grow up to the last, %d", lastDelta)
	}
	h := make([]byte, HeaderSize, len(b.buf))
	o, p := &b.options, NoProducer
	if o.Producer != nil {
		p = *o.Producer
	}
	maxTimestamp := b.maxTimestamp
	if o.AppendTime != 0 {
		maxTimestamp = o.AppendTime
	}
	put := binary.BigEndian
	put.PutUint64(h[atBaseOffset:], uint64(o.BaseOffset))
	put.PutUint32(h[atLeaderEpoch:], uint32(o.LeaderEpoch))
	h[atMagic] = Magic
	put.PutUint16(h[atAttributes:], uint16(o.attributes()))
	put.PutUint32(h[atLastOffsetDelta:], uint32(lastDelta))
	put.PutUint64(h[atBaseTimestamp:], uint64(b.baseTimestamp))
	put.PutUint64(h[atMaxTimestamp:], uint64(maxTimestamp))
	put.PutUint64(h[atProducerID:], uint64(p.ID))
	put.PutUint16(h[atProducerEpoch:], uint16(p.Epoch))
	put.PutUint32(h[atBaseSequence:], uint32(p.Sequence))
	put.PutUint32(h[atCount:], uint32(b.count))
	return seal(h, b.buf[HeaderSize:], o.Compression)
}

func (o *BatchOptions) attributes() Attributes {
	var a Attributes
	if o.AppendTime != 0 {
		a |= logAppendTimeFlag
	}
	if o.Transactional {
		a |= transactionalFlag
	}
	if o.Control {
		a |= controlFlag
	}
	if o.DeleteHorizon != 0 {
		a |= deleteHorizonFlag
	}
	return a
}

// seal appends records, compressed, to a header whose other fields are right, and sets codec, length
// and CRC. A batch without records is not compressed.
func seal(header, records []byte, c Compression) (Batch, error) {
	if len(records) == 0 {
		c = Compression{}
	}
	out, err := Compress(header, c, records)
	if err != nil {
		return nil, err
	}
	if len(out) > math.MaxInt32 || len(records) > math.MaxInt32 {
		return nil, kafka.Errorf(kafka.RecordListTooLarge, "a batch of %d bytes does not fit the length field", len(out))
	}
	b := Batch(out)
	a := b.Attributes()&^codecMask | Attributes(c.Codec)
	binary.BigEndian.PutUint16(b[atAttributes:], uint16(a))
	binary.BigEndian.PutUint32(b[atLength:], uint32(len(b)-LogOverhead))
	b.stampCRC()
	return b, nil
}

// Emptied returns a copy of b without its records: what compaction leaves of the last batch of a
// producer, so that its sequence survives (Kafka's writeEmptyHeader).
func (b Batch) Emptied() Batch {
	e := Batch(append([]byte(nil), b[:HeaderSize]...))
	a := b.Attributes() &^ (codecMask | deleteHorizonFlag)
	binary.BigEndian.PutUint32(e[atLength:], HeaderSize-LogOverhead)
	binary.BigEndian.PutUint16(e[atAttributes:], uint16(a))
	noTimestamp := NoTimestamp
	binary.BigEndian.PutUint64(e[atBaseTimestamp:], uint64(noTimestamp))
	binary.BigEndian.PutUint32(e[atCount:], 0)
	e.stampCRC()
	return e
}

func sizeOfBytes(b []byte) int {
	if b == nil {
		return 1
	}
	return sizeOfVarint(int32(len(b))) + len(b)
}

func appendBytes(buf, b []byte) []byte {
	if b == nil {
		return appendVarint(buf, -1)
	}
	return append(appendVarint(buf, int32(len(b))), b...)
}
