package record

import "github.com/ottla/ottla/internal/kafka"

// checker checks the records of one batch against the rules.
type checker struct {
	rules        Rules
	now          int64
	claims       bool // the batch has timestamp type LogAppendTime
	keys         bool // every record needs a key
	maxTimestamp int64
	wrong        recordErrors
}

func (c *checker) begin(b Batch, rules *Rules, now int64) {
	a := b.Attributes()
	c.rules, c.now = *rules, now
	c.claims, c.keys = a.TimestampType() == LogAppendTime, rules.Compacted && !a.Control()
	c.restart()
}

func (c *checker) restart() { c.maxTimestamp, c.wrong = NoTimestamp, recordErrors{} }

// logAppendTime is whether the records count with the batch's timestamp. A batch that claims LogAppendTime in a
// topic with CreateTime loses the claim, so its records count with their own timestamps.
func (c *checker) logAppendTime() bool { return c.claims && c.rules.TimestampType == LogAppendTime }

// visit checks one record.
func (c *checker) visit(index int32, r *Record, keyBytes, valueBytes int) (stop bool) {
	c.maxTimestamp = max(c.maxTimestamp, r.Timestamp)
	if r.OffsetDelta != index || c.keys && r.Key == nil || !c.timely(r.Timestamp) {
		c.refuse(index, r, keyBytes, valueBytes)
	}
	return false
}

// timely is Kafka's LogValidator.validateTimestamp, with its odd corner: in a topic with
// CreateTime, a batch may claim LogAppendTime unless it has no timestamps.
func (c *checker) timely(timestamp int64) bool {
	if c.rules.TimestampType == CreateTime && timestamp != NoTimestamp {
		age := c.now - timestamp
		return age <= c.rules.TimestampBeforeMaxMs && -age <= c.rules.TimestampAfterMaxMs
	}
	return !c.claims
}

// refuse notes what is wrong with a record, if it is not only an offset delta that others than clients may have.
func (c *checker) refuse(index int32, r *Record, keyBytes, valueBytes int) {
	switch {
	case r.OffsetDelta != index && c.rules.Origin == Client:
		c.wrong.add(kafka.InvalidRecord, index, "Record %d of the batch has offset delta %d; the offset deltas must be 0, 1, 2, ... in topic partition %s", index, r.OffsetDelta, c.rules.Partition)
	case c.keys && r.Key == nil:
		c.wrong.add(kafka.InvalidRecord, index, "Compacted topic cannot accept message without key in topic partition %s", c.rules.Partition)
	case c.timely(r.Timestamp):
	case c.rules.TimestampType == CreateTime && r.Timestamp != NoTimestamp:
		c.wrong.add(kafka.InvalidTimestamp, index, "Timestamp %d of message with offset %d is out of range. The timestamp should be within [%d, %d]",
			r.Timestamp, r.Offset, c.now-c.rules.TimestampBeforeMaxMs, c.now+c.rules.TimestampAfterMaxMs)
	default:
		c.wrong.add(kafka.InvalidTimestamp, index, "Invalid timestamp type in message DefaultRecord(offset=%d, timestamp=%d, key=%d bytes, value=%d bytes). "+
			"Producer should not set timestamp type to LogAppendTime.", r.Offset, r.Timestamp, keyBytes, valueBytes)
	}
}

// checkRecords reads every record of an uncompressed batch and returns their maximum timestamp.
func checkRecords(b Batch, rules *Rules, now int64) (maxTimestamp int64, err error) {
	var check checker
	check.begin(b, rules, now)
	c := b.cursor(b.payload())
	c.logAppendTime = check.logAppendTime()
	var r Record
	for i := range b.Count() {
		if err := c.next(&r); err != nil {
			return NoTimestamp, inPartition(err, rules.Partition)
		}
		check.visit(i, &r, len(r.Key), len(r.Value))
	}
	if err := c.end(b.Count()); err != nil {
		return NoTimestamp, inPartition(err, rules.Partition)
	}
	return check.maxTimestamp, check.wrong.err()
}

// accepted describes a batch that was found right.
func accepted(b Batch, maxTimestamp int64, rules *Rules, now int64) Validated {
	v := Validated{Batch: b, MaxTimestamp: maxTimestamp, AppendTime: NoTimestamp, Count: int(b.Count())}
	if rules.TimestampType == LogAppendTime {
		v.MaxTimestamp, v.AppendTime = now, now
	}
	return v
}

// stamped stamps the timestamps into a batch that keeps its codec.
func stamped(v Validated, rules *Rules) Validated {
	v.Batch.SetMaxTimestamp(rules.TimestampType, v.MaxTimestamp)
	return v
}

// target is the codec that a batch is to have. Control records are not compressed unless they came so.
func (r *Rules) target(b Batch) Codec {
	codec := b.Attributes().Codec()
	if r.Compression == nil || codec == None && b.Attributes().Control() {
		return codec
	}
	return r.Compression.Codec
}
