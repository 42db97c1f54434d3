package txn

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

func printProducer(p statemachine.Producer) string {
	if p == NoProducer {
		return "-"
	}
	return fmt.Sprintf("%d/%d", p.ID, p.Epoch)
}

func printAnswer(p statemachine.Producer, err error) string {
	if err != nil {
		return codeOf(err)
	}
	return printProducer(p)
}

func printPartitions(partitions []kafka.TopicPartition) string {
	texts := make([]string, len(partitions))
	for i, tp := range partitions {
		texts[i] = tp.String()
	}
	return "[" + strings.Join(texts, " ") + "]"
}

func printMarker(m Marker) string {
	result := "abort"
	if m.Commit {
		result = "commit"
	}
	return fmt.Sprintf("%s %s v=%d coordinator=%d %s", result, printProducer(m.Producer), m.Version, m.CoordinatorEpoch, printPartitions(m.Partitions))
}

// printRecord prints a record of the log: the value's version and what is not as usual in brackets. The time of the update is
// that of the clock, or it is told.
func printRecord(t testing.TB, r statemachine.Record, now, start time.Time) string {
	var key wire.TransactionLogKey
	if err := wire.DecodeRecordKey(r.Key, &key); err != nil {
		t.Fatal(err)
	}
	if r.Value == nil {
		return key.TransactionalID + " tombstone"
	}
	var v wire.TransactionLogValue
	version := must[int16](t)(wire.DecodeRecordValue(r.Value, &v))
	s := must[status](t)(statusOf(&v))
	text := fmt.Sprintf("%s v%d %s %s", key.TransactionalID, version, s.state, printProducer(s.producer()))
	if v.TransactionPartitions != nil {
		text += " " + printPartitions(s.partitions)
	}
	if s.previousID != s.producerID && s.previousID != noProducerID {
		text += fmt.Sprintf(" previous=%d", s.previousID)
	}
	if s.nextID != noProducerID {
		text += fmt.Sprintf(" next=%d", s.nextID)
	}
	if s.version != 0 {
		text += fmt.Sprintf(" client=%d", s.version)
	}
	if s.started != noTimestamp {
		text += fmt.Sprintf(" started=%v", time.UnixMilli(s.started).Sub(start))
	}
	if s.timeout != 60_000 {
		text += fmt.Sprintf(" timeout=%dms", s.timeout)
	}
	if s.updated != now.UnixMilli() {
		text += fmt.Sprintf(" updated=%v", time.UnixMilli(s.updated).Sub(start))
	}
	return text
}

func printDescribed(d wire.DescribeTransactionsResponseTransactionState, err error, start time.Time) string {
	if err != nil {
		return "described: " + codeOf(err)
	}
	text := fmt.Sprintf("described: %s %d/%d timeout=%dms", d.TransactionState, d.ProducerID, d.ProducerEpoch, d.TransactionTimeoutMs)
	if d.TransactionStartTimeMs != noTimestamp {
		text += fmt.Sprintf(" started=%v", time.UnixMilli(d.TransactionStartTimeMs).Sub(start))
	}
	for _, topic := range d.Topics {
		text += fmt.Sprintf(" %s%v", topic.Topic, topic.Partitions)
	}
	return text
}

// printReport shows the state, whose it is, when it is aborted, and the causes.
func printReport(r *Report, start time.Time) string {
	text := "why: " + r.State
	if r.Producer != nil {
		text += fmt.Sprintf(" %d/%d of %s", r.Producer.ID, r.Producer.Epoch, named(r.Client))
	}
	if !r.AbortedAfter.IsZero() {
		text += fmt.Sprintf(", aborted after %v", r.AbortedAfter.Sub(start))
	}
	if len(r.Partitions) > 0 {
		text += fmt.Sprintf(", partitions %v", r.Partitions)
	}
	if r.Waiting > 0 {
		text += fmt.Sprintf(", %d wait", r.Waiting)
	}
	for _, c := range r.Causes {
		text += fmt.Sprintf("\n\t%v %s: %s", c.Last.Sub(start), c.Kind, c.Text)
	}
	return text
}
