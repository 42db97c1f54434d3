package record

import "github.com/ottla/ottla/internal/kafka"

// Validated is a batch that may be appended.
type Validated struct {
	// Batch is b itself without bytes of an unfinished second batch, possibly with another timestamp
	// type and maximum timestamp, or new bytes if Rebuilt.
	Batch Batch
	// Rebuilt is whether Batch was built anew, because compression.type asks for another codec.
	Rebuilt bool
	// MaxTimestamp is the batch's maximum timestamp, NoTimestamp if no record has one.
	MaxTimestamp int64
	// AppendTime is now if the topic has LogAppendTime, else NoTimestamp (LogAppendTimeMs in the answer).
	AppendTime int64
	// Count is the number of records.
	Count int
}

// Validate checks the records of one partition: bytes of a Produce request, or of a coordinator. now is
// in milliseconds. It may stamp the timestamp type, maximum timestamp and CRC into b. Every refusal is
// an *InvalidError; the checks, their order and the texts are those of Kafka's ProduceRequest,
// UnifiedLog and LogValidator. Stricter than Kafka: a client's offset deltas must be 0, 1, 2, ..., a
// compressed record may not be longer or shorter than it says, and decompression has a budget.
//
// What Kafka answers with UNKNOWN_SERVER_ERROR because it did not foresee it has a code here: an unknown
// codec UNSUPPORTED_COMPRESSION_TYPE, a damaged compressed stream INVALID_RECORD.
func Validate(b []byte, rules Rules, now int64) (Validated, error) {
	batch, err := only(b, &rules)
	if err != nil {
		return Validated{}, err
	}
	if err := checkBatch(batch, &rules); err != nil {
		return Validated{}, err
	}
	if batch.Attributes().Codec() != None {
		return validateCompressed(batch, &rules, now)
	}
	maxTimestamp, err := checkRecords(batch, &rules, now)
	if err != nil {
		return Validated{}, err
	}
	v := accepted(batch, maxTimestamp, &rules, now)
	if rules.target(batch) != None {
		return rebuild(v, batch.payload(), &rules)
	}
	return stamped(v, &rules), nil
}

// only takes the one batch out of b, with the checks of Kafka's ProduceRequest.
func only(b []byte, rules *Rules) (Batch, error) {
	size, ok, err := nextSize(b)
	if err != nil {
		return nil, inPartition(err, rules.Partition)
	}
	if !ok {
		return nil, invalidf(kafka.InvalidRecord, "Produce requests with version %d must have at least one record batch per partition", rules.ProduceVersion)
	}
	if magic := int8(b[atMagic]); magic != Magic {
		return nil, invalidf(kafka.InvalidRecord, "Produce requests with version %d are only allowed to contain record batches with magic version 2", rules.ProduceVersion)
	}
	if size < HeaderSize {
		return nil, invalidf(kafka.CorruptMessage, "Record batch is corrupt (the size %d is smaller than the minimum allowed overhead %d) in topic partition %s", size, HeaderSize, rules.Partition)
	}
	batch := Batch(b[:size:size])
	if rules.Origin == Client && rules.ProduceVersion < 7 && batch.Attributes().Codec() == Zstd {
		return nil, invalidf(kafka.UnsupportedCompressionType, "Produce requests with version %d are not allowed to use ZStandard compression", rules.ProduceVersion)
	}
	// An unfinished batch after the first is dropped, as Kafka does.
	_, more, err := nextSize(b[size:])
	if err != nil {
		return nil, inPartition(err, rules.Partition)
	}
	if more {
		return nil, invalidf(kafka.InvalidRecord, "Produce requests with version %d are only allowed to contain exactly one record batch per partition", rules.ProduceVersion)
	}
	return batch, nil
}

// checkBatch checks what the header says.
func checkBatch(b Batch, rules *Rules) error {
	tp := rules.Partition
	if rules.Origin == Client && b.BaseOffset() != 0 {
		return invalidf(kafka.InvalidRecord, "The baseOffset of the record batch in the append to %s should be 0, but it is %d", tp, b.BaseOffset())
	}
	if err := checkSize(len(b), rules); err != nil {
		return err
	}
	if b.computeCRC() != b.CRC() {
		return invalidf(kafka.CorruptMessage, "Record is corrupt (stored crc = %d, computed crc = %d) in topic partition %s.", b.CRC(), b.computeCRC(), tp)
	}
	if codec := b.Attributes().Codec(); !codec.Known() {
		return inPartition(errUnknownCodec(codec), tp)
	}
	if rules.Origin == Client {
		return checkClientBatch(b, tp)
	}
	if b.Count() < 0 || b.LastOffsetDelta() < 0 {
		return invalidf(kafka.InvalidRecord, "Found invalid record count %d or last offset delta %d in magic v2 batch in topic partition %s", b.Count(), b.LastOffsetDelta(), tp)
	}
	return nil
}

func checkSize(size int, rules *Rules) error {
	if rules.MaxMessageBytes > 0 && size > rules.MaxMessageBytes {
		return invalidf(kafka.MessageTooLarge, "The record batch size in the append to %s is %d bytes which exceeds the maximum configured value of %d (max.message.bytes)", rules.Partition, size, rules.MaxMessageBytes)
	}
	return nil
}

func checkClientBatch(b Batch, tp kafka.TopicPartition) error {
	count, claimed := int64(b.LastOffsetDelta())+1, int64(b.Count())
	switch {
	case count <= 0:
		return invalidf(kafka.InvalidRecord, "Batch has an invalid offset range: [%d, %d] in topic partition %s", b.BaseOffset(), b.LastOffset(), tp)
	case claimed <= 0:
		return invalidf(kafka.InvalidRecord, "Invalid reported count for record batch: %d in topic partition %s", claimed, tp)
	case count != claimed:
		return invalidf(kafka.InvalidRecord, "Inconsistent batch offset range [%d, %d] and count of records %d in topic partition %s", b.BaseOffset(), b.LastOffset(), claimed, tp)
	case b.Attributes().Control():
		return invalidf(kafka.InvalidRecord, "Clients are not allowed to write control records in topic partition %s", tp)
	case b.HasProducerID() && b.BaseSequence() < 0:
		return invalidf(kafka.InvalidRecord, "Invalid sequence number %d in record batch with producerId %d in topic partition %s", b.BaseSequence(), b.ProducerID(), tp)
	}
	return nil
}
