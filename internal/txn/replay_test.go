package txn

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

func logKey(t testing.TB, id string) []byte {
	return must[[]byte](t)(wire.EncodeRecordKey(&wire.TransactionLogKey{TransactionalID: id}))
}

func logValue(t testing.TB, v *wire.TransactionLogValue, version int16) []byte {
	return must[[]byte](t)(wire.EncodeRecordValue(v, version))
}

// load replays records into a coordinator that nobody has used yet.
func load(t testing.TB, records ...statemachine.Record) *bench {
	t.Helper()
	b := newBench(t)
	for i, r := range records {
		if err := b.machine.Replay(int64(i), r); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
	}
	return b
}

func describe(b *bench, id string) (text string) {
	b.do(func(c *Coordinator, _ time.Time) statemachine.Output {
		return c.Describe(id, func(d wire.DescribeTransactionsResponseTransactionState, err error) {
			text = printDescribed(d, err, time.UnixMilli(0))
		})
	}, func(err error) { b.t.Error(err) })
	return text
}

// TestRecordBytes pins the format: what Kafka's own classes decode, by their schema.
func TestRecordBytes(t *testing.T) {
	s := status{
		state: PrepareCommit, producerID: 0x11, previousID: 0x11, nextID: 0x22, epoch: 3, timeout: 60000, started: 5, updated: 6, version: 2,
		partitions: []kafka.TopicPartition{{Topic: "a", Partition: 1}, {Topic: "a", Partition: 2}, {Topic: "b", Partition: 0}},
	}
	for _, c := range []struct {
		s       status
		version int16
		want    string
	}{
		{s, 0, "0000" + "0000000000000011" + "0003" + "0000ea60" + "02" + "00000002" + "0001" + "61" + "00000002" + "00000001" + "00000002" + "0001" + "62" + "00000001" + "00000000" +
			"0000000000000006" + "0000000000000005"},
		{s, 1, "0001" + "0000000000000011" + "0003" + "0000ea60" + "02" + "03" + "02" + "61" + "03" + "00000001" + "00000002" + "00" + "02" + "62" + "02" + "00000000" + "00" +
			"0000000000000006" + "0000000000000005" + "03" + "0008" + "0000000000000011" + "0108" + "0000000000000022" + "0202" + "0002"},
		{status{producerID: 1, previousID: 1, nextID: -1, started: -1, timeout: 1}, 2, "0001" + "0000000000000001" + "0000" + "00000001" + "00" + "00" +
			"0000000000000000" + "ffffffffffffffff" + "01" + "0008" + "0000000000000001"},
		{status{state: CompleteAbort, producerID: 1, previousID: -1, nextID: -1, timeout: 1}, 2, "0001" + "0000000000000001" + "0000" + "00000001" + "05" + "01" +
			"0000000000000000" + "0000000000000000" + "00"},
	} {
		r := statusRecord("id", &c.s, c.version)
		if got := hex.EncodeToString(r.Key); got != "0000"+"0002"+"6964" {
			t.Errorf("key %s", got)
		}
		if got := hex.EncodeToString(r.Value); got != c.want {
			t.Errorf("transaction.version %d: value\n %s, want\n %s", c.version, got, c.want)
		}
	}
}

func TestForeignRecords(t *testing.T) {
	ongoing := &wire.TransactionLogValue{
		ProducerID: 7, ProducerEpoch: 2, TransactionTimeoutMs: 1000, TransactionStatus: int8(Ongoing), TransactionStartTimestampMs: 3,
		PreviousProducerID: -1, NextProducerID: -1, NextProducerEpoch: -1,
		TransactionPartitions: []wire.TransactionLogValuePartitionsSchema{ // in no order, and twice, as other hands may write it
			{Topic: "u", PartitionIDs: []int32{1}}, {Topic: "t", PartitionIDs: []int32{2, 0, 2}}, {Topic: "u", PartitionIDs: []int32{1}},
		},
	}
	key, value := logKey(t, "a"), logValue(t, ongoing, 0)
	b := load(t, statemachine.Record{Key: key, Value: value})
	if got, want := describe(b, "a"), "described: Ongoing 7/2 timeout=1000ms started=3ms t[0 2] u[1]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	b = load(t, statemachine.Record{Key: key, Value: value}, statemachine.Record{Key: key})
	if got := describe(b, "a"); got != "described: TRANSACTIONAL_ID_NOT_FOUND" || len(b.machine.open) != 0 {
		t.Errorf("after a tombstone: %s, %d open", got, len(b.machine.open))
	}
	// What a later version has written is not for us.
	b = load(t, statemachine.Record{Key: []byte{0, 9, 1}, Value: []byte{1}}, statemachine.Record{Key: key, Value: []byte{0, 2, 9, 9}})
	if len(b.machine.transactions) != 0 {
		t.Error("records of unknown versions count")
	}
	for _, state := range []State{Dead, PrepareEpochFence, 8, -1} {
		ongoing.TransactionStatus = int8(state)
		if err := newBench(t).machine.Replay(0, statemachine.Record{Key: key, Value: logValue(t, ongoing, 1)}); err == nil {
			t.Errorf("state %d is loaded", state)
		}
	}
	for _, r := range []statemachine.Record{{Key: nil}, {Key: []byte{0}}, {Key: []byte{0, 0, 0, 9}}, {Key: key, Value: []byte{}}, {Key: key, Value: value[:9]}} {
		if err := newBench(t).machine.Replay(0, r); err == nil {
			t.Errorf("%x: %x is loaded", r.Key, r.Value)
		}
	}
}

// TestHousekeepingInPortions: what does not fit into one batch takes several.
func TestHousekeepingInPortions(t *testing.T) {
	b := newBench(t)
	b.settings.IDExpiration = time.Hour
	idle, ongoing := 2*maxStepRecords+10, maxStepRecords+5
	for i := range idle + ongoing {
		s := status{producerID: int64(i), nextID: -1, previousID: -1, timeout: 1000, started: b.clock.Now().UnixMilli(), updated: b.clock.Now().UnixMilli()}
		if i >= idle {
			s.state, s.partitions = Ongoing, []kafka.TopicPartition{{Topic: "t"}}
		}
		if err := b.machine.Replay(int64(i), statusRecord(fmt.Sprintf("id%05d", i), &s, 1)); err != nil {
			t.Fatal(err)
		}
	}
	b.markers = func(Marker, func([]error)) {} // they take for ever
	b.clock.Advance(30 * time.Second)
	sizes := func() (sizes []int) {
		for _, batch := range b.log.Batches() {
			if batch.Count() > 1 {
				sizes = append(sizes, int(batch.Count()))
			}
		}
		return sizes
	}
	timedOut := 0
	for _, tr := range b.machine.open {
		if tr.state == PrepareAbort {
			timedOut++
		}
	}
	if got := fmt.Sprint(sizes()); got != "[1000 5]" || timedOut != ongoing {
		t.Errorf("timeouts: batches of %s, %d aborted", got, timedOut)
	}
	b.clock.Advance(90 * time.Minute)
	if got := fmt.Sprint(sizes()); got != "[1000 5 1000 1000 10]" || len(b.machine.transactions) != ongoing {
		t.Errorf("expiry: batches of %s, %d left", got, len(b.machine.transactions))
	}
}

// TestKafkasLog loads a partition of __transaction_state that Kafka 4.3.1 wrote: it is understood, and our own records of the
// same states are the same bytes.
func TestKafkasLog(t *testing.T) {
	segment, err := os.ReadFile("../storagecheck/testdata/kafka/__transaction_state-47/00000000000000000000.log")
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	records := 0
	for batch, err := range record.Batches(segment) {
		if err != nil {
			t.Fatal(err)
		}
		for r, err := range batch.Records(1 << 20) {
			if err != nil {
				t.Fatal(err)
			}
			if err := b.machine.Replay(r.Offset, statemachine.Record{Key: r.Key, Value: r.Value}); err != nil {
				t.Fatal(err)
			}
			var key wire.TransactionLogKey
			if err := wire.DecodeRecordKey(r.Key, &key); err != nil {
				t.Fatal(err)
			}
			s := b.machine.transactions[key.TransactionalID].status
			if ours := statusRecord(key.TransactionalID, &s, 2); !bytes.Equal(ours.Key, r.Key) || !bytes.Equal(ours.Value, r.Value) {
				t.Errorf("offset %d: Kafka wrote %x, we %x", r.Offset, r.Value, ours.Value)
			}
			records++
		}
	}
	if records < 10 || len(b.machine.transactions) == 0 {
		t.Errorf("%d records of %d transactional ids", records, len(b.machine.transactions))
	}
}
