package record

import (
	"runtime"
	"sync"

	"github.com/ottla/ottla/internal/kafka"
)

// checkRecords reads every record of data, the uncompressed records of b, and returns their maximum
// timestamp.
func checkRecords(b Batch, data []byte, rules *Rules, now int64) (maxTimestamp int64, err error) {
	maxTimestamp = NoTimestamp
	keys := rules.Compacted && !b.Attributes().Control()
	var wrong recordErrors
	var r Record
	c := b.cursor(data)
	// A batch that claims LogAppendTime in a topic with CreateTime loses the claim, so its records count
	// with their own timestamps.
	c.logAppendTime = c.logAppendTime && rules.TimestampType == LogAppendTime
	for i := range b.Count() {
		if err := c.next(&r); err != nil {
			return NoTimestamp, inPartition(err, rules.Partition)
		}
		maxTimestamp = max(maxTimestamp, r.Timestamp)
		switch {
		case r.OffsetDelta != i && rules.Origin == Client:
			wrong.add(kafka.InvalidRecord, i, "Record %d of the batch has offset delta %d; the offset deltas must be 0, 1, 2, ... in topic partition %s", i, r.OffsetDelta, rules.Partition)
		case keys && r.Key == nil:
			wrong.add(kafka.InvalidRecord, i, "Compacted topic cannot accept message without key in topic partition %s", rules.Partition)
		default:
			checkTimestamp(b, &r, i, rules, now, &wrong)
		}
	}
	if err := c.end(b.Count()); err != nil {
		return NoTimestamp, inPartition(err, rules.Partition)
	}
	return maxTimestamp, wrong.err()
}

// checkTimestamp is Kafka's LogValidator.validateTimestamp, with its odd corner: in a topic with
// CreateTime, a batch may claim LogAppendTime unless it has no timestamps.
func checkTimestamp(b Batch, r *Record, index int32, rules *Rules, now int64, wrong *recordErrors) {
	if rules.TimestampType == CreateTime && r.Timestamp != NoTimestamp {
		age := now - r.Timestamp
		if age > rules.TimestampBeforeMaxMs || -age > rules.TimestampAfterMaxMs {
			wrong.add(kafka.InvalidTimestamp, index, "Timestamp %d of message with offset %d is out of range. The timestamp should be within [%d, %d]",
				r.Timestamp, r.Offset, now-rules.TimestampBeforeMaxMs, now+rules.TimestampAfterMaxMs)
		}
	} else if b.Attributes().TimestampType() == LogAppendTime {
		wrong.add(kafka.InvalidTimestamp, index, "Invalid timestamp type in message DefaultRecord(offset=%d, timestamp=%d, key=%d bytes, value=%d bytes). "+
			"Producer should not set timestamp type to LogAppendTime.", r.Offset, r.Timestamp, len(r.Key), len(r.Value))
	}
}

// finish stamps the timestamps into a batch that was found right, or builds it anew where it must be.
func finish(b Batch, data []byte, maxTimestamp int64, rules *Rules, now int64) (Validated, error) {
	v := Validated{Batch: b, MaxTimestamp: maxTimestamp, AppendTime: NoTimestamp, Count: int(b.Count())}
	if rules.TimestampType == LogAppendTime {
		v.MaxTimestamp, v.AppendTime = now, now
	}
	target := b.Attributes().Codec()
	if rules.Compression != nil && !(target == None && b.Attributes().Control()) {
		// Control records are not compressed unless they came so.
		target = rules.Compression.Codec
	}
	if target == b.Attributes().Codec() {
		b.SetMaxTimestamp(rules.TimestampType, v.MaxTimestamp)
		return v, nil
	}
	rebuilt, err := rebuild(b, data, *rules.Compression)
	if err != nil {
		return Validated{}, inPartition(err, rules.Partition)
	}
	rebuilt.SetMaxTimestamp(rules.TimestampType, v.MaxTimestamp)
	v.Batch, v.Rebuilt = rebuilt, true
	return v, checkSize(rebuilt, rules)
}

// decompressing has a place for each processor: more batches decompressed at once than that would be
// no faster and take 128 MiB each at worst.
var decompressing = make(chan struct{}, runtime.GOMAXPROCS(0))

// decompressBuffers holds *[]byte, scratch memory of validateCompressed.
var decompressBuffers sync.Pool

// maxPooledBuffer is the largest buffer kept for the next batch.
const maxPooledBuffer = 4 << 20

func validateCompressed(b Batch, rules *Rules, now int64) (Validated, error) {
	decompressing <- struct{}{}
	defer func() { <-decompressing }()
	buffer, _ := decompressBuffers.Get().(*[]byte)
	if buffer == nil {
		buffer = new([]byte)
	}
	data, err := Decompress((*buffer)[:0], b.Attributes().Codec(), b.payload(), rules.DecompressionBudget(len(b)))
	if err != nil {
		decompressBuffers.Put(buffer)
		return Validated{}, inPartition(err, rules.Partition)
	}
	if *buffer = data; cap(data) <= maxPooledBuffer {
		defer decompressBuffers.Put(buffer)
	}
	maxTimestamp, err := checkRecords(b, data, rules, now)
	if err != nil {
		return Validated{}, err
	}
	return finish(b, data, maxTimestamp, rules, now)
}

// rebuild returns new bytes for b with another codec. data are b's uncompressed records.
func rebuild(b Batch, data []byte, c Compression) (Batch, error) {
	out := make([]byte, HeaderSize, HeaderSize+len(data))
	copy(out, b)
	return seal(out, data, c)
}
