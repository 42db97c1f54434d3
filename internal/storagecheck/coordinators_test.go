package storagecheck

import (
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// put appends a batch to a log of the directory, which it creates.
func put(t *testing.T, d *commitlog.Dir, tp kafka.TopicPartition, o record.BatchOptions, records ...record.Record) {
	t.Helper()
	l := d.Log(tp)
	if l == nil {
		var err error
		if l, err = d.Create(tp, kafka.UUID{8}, logConfig()); err != nil {
			t.Fatal(err)
		}
	}
	b := record.NewBuilder(o)
	for _, r := range records {
		b.Add(testTime.UnixMilli(), r.Key, r.Value)
	}
	batch, err := b.Build()
	if err == nil {
		_, err = l.Append(batch, commitlog.AppendOptions{LeaderEpoch: max(o.LeaderEpoch, 0), Origin: record.Coordinator, Now: testTime})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func statusRecord(t *testing.T, id string, state int8, producer int64, partitions ...int32) record.Record {
	t.Helper()
	key, err := wire.EncodeRecordKey(&wire.TransactionLogKey{TransactionalID: id})
	if err != nil {
		t.Fatal(err)
	}
	value, err := wire.EncodeRecordValue(&wire.TransactionLogValue{ProducerID: producer, PreviousProducerID: -1, NextProducerID: -1, TransactionStatus: state,
		TransactionPartitions: []wire.TransactionLogValuePartitionsSchema{{Topic: "orders", PartitionIDs: partitions}}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return record.Record{Key: key, Value: value}
}

// Open transactions are listed with what the coordinator says of them, and what ended is counted.
func TestTransactionsAreCounted(t *testing.T) {
	disk := vfs.NewMemory()
	d := openDir(t, disk)
	l := fill(t, d, 0)
	marker := record.EndTxnMarker{CoordinatorEpoch: 1, Timestamp: testTime.UnixMilli()}.Batch(2, 0) // a second one
	if _, err := l.Append(marker, commitlog.AppendOptions{LeaderEpoch: 2, Origin: record.Coordinator, Now: testTime}); err != nil {
		t.Fatal(err)
	}
	open := func(id int64) record.BatchOptions {
		return record.BatchOptions{Transactional: true, Producer: &record.Producer{ID: id}, LeaderEpoch: 2}
	}
	for id := int64(20); id < 24; id++ {
		put(t, d, orders, open(id), record.Record{Value: []byte("x")})
	}
	state := kafka.TopicPartition{Topic: kafka.TransactionsTopic, Partition: 7}
	put(t, d, state, record.BatchOptions{}, statusRecord(t, "known", 1, 20, 1, 3), statusRecord(t, "elsewhere", 1, 21, 1), statusRecord(t, "ending", 2, 22, 3), statusRecord(t, "ended", 2, 23, 3))
	put(t, d, state, record.BatchOptions{}, statusRecord(t, "ended", 4, 23))
	closeDir(t, d)
	r := verify(t, disk)
	if len(r.Findings) > 0 {
		t.Errorf("findings: %v", r.Findings)
	}
	x := r.Transactions
	if x.Committed != 6 || x.Aborted != 6 || x.EmptyMarkers != 1 || len(x.Open) != 4 {
		t.Fatalf("%+v", x)
	}
	for i, want := range []string{`orders-3 from offset 133: producer 20, epoch 0, last wrote 2023-11-14T22:13:20.000Z; transactional id "known", Ongoing`,
		"orders-3 from offset 134: producer 21, epoch 0, last wrote 2023-11-14T22:13:20.000Z; no coordinator in this directory knows of it",
		`transactional id "ending", PrepareCommit`, "no coordinator"} {
		if got := x.Open[i].String(); !strings.Contains(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// A record that a coordinator could not load is damage; one of a later Kafka's type is not.
func TestCoordinatorsRecordsMustBeReadable(t *testing.T) {
	good := statusRecord(t, "id", 0, 1)
	offset, err := wire.EncodeRecordKey(&wire.OffsetCommitKey{Group: "g", Topic: "t"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, topic string
		record      record.Record
		want        string // a part of the problem; "" for none
	}{
		{"status", kafka.TransactionsTopic, good, ""},
		{"tombstone", kafka.TransactionsTopic, record.Record{Key: good.Key}, ""},
		{"later type", kafka.TransactionsTopic, record.Record{Key: []byte("\x00\x07more"), Value: []byte("x")}, ""},
		{"no key", kafka.TransactionsTopic, record.Record{Value: good.Value}, "without a type"},
		{"key cut", kafka.TransactionsTopic, record.Record{Key: good.Key[:4], Value: good.Value}, "key: "},
		{"value cut", kafka.TransactionsTopic, record.Record{Key: good.Key, Value: good.Value[:7]}, "value: "},
		{"value longer", kafka.TransactionsTopic, record.Record{Key: good.Key, Value: append(good.Value[:len(good.Value):len(good.Value)], 0)}, "value: "},
		{"no offset", kafka.OffsetsTopic, record.Record{Key: offset, Value: []byte("\x00\x03")}, "value: "},
		{"anything else", "orders", record.Record{Key: []byte("k"), Value: []byte("v")}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			disk := vfs.NewMemory()
			d := openDir(t, disk)
			put(t, d, kafka.TopicPartition{Topic: c.topic}, record.BatchOptions{}, record.Record{Key: []byte("\x7f\x00")}, c.record)
			closeDir(t, d)
			r := verify(t, disk)
			if c.want == "" && len(r.Findings) > 0 || c.want != "" && (len(r.Findings) != 1 || r.Findings[0].Severity != Damaged || r.Findings[0].FirstOffset != 1 || !strings.Contains(r.Findings[0].Problem, c.want)) {
				t.Errorf("findings %v, want %q", r.Findings, c.want)
			}
		})
	}
}
