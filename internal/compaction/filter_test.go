package compaction

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/record"
)

// batchOf builds a batch of records "key=value", tombstones "key", records without a key "=value".
func batchOf(t *testing.T, o record.BatchOptions, ts int64, records ...string) record.Batch {
	t.Helper()
	b := record.NewBuilder(o)
	for i, r := range records {
		var key, value []byte
		name, content, has := strings.Cut(r, "=")
		if name != "" {
			key = []byte(name)
		}
		if has {
			value = []byte(content)
		}
		b.Add(ts+int64(i), key, value, record.Header{Key: "h", Value: nil})
	}
	batch, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return batch
}

// text says what is in a batch: its offsets, sequence, codec, horizon and records.
func text(t *testing.T, b record.Batch) string {
	t.Helper()
	if b == nil {
		return "gone"
	}
	if err := b.CheckCRC(); err != nil {
		t.Fatal(err)
	}
	a := b.Attributes()
	s := fmt.Sprintf("%d-%d seq %d %s", b.BaseOffset(), b.LastOffset(), b.BaseSequence(), a.Codec())
	if horizon, ok := b.DeleteHorizon(); ok {
		s += fmt.Sprint(" horizon ", horizon)
	}
	if a.TimestampType() == record.LogAppendTime {
		s += fmt.Sprint(" appended ", b.MaxTimestamp())
	}
	for r, err := range b.Records(0) {
		if err != nil {
			t.Fatal(err)
		}
		s += fmt.Sprintf(", %d @%d %s", r.Offset, r.Timestamp, r.Key)
		if r.Value != nil {
			s += "=" + string(r.Value)
		}
		if r.HeaderCount != 1 {
			s += " without header"
		}
	}
	return s
}

func TestFilter(t *testing.T) {
	producer := &record.Producer{ID: 7, Epoch: 2, Sequence: 40}
	for _, x := range []struct {
		name    string
		options record.BatchOptions
		records []string
		prepare func(*Filter)
		want    string
	}{
		{"all are the newest", record.BatchOptions{}, []string{"a=1", "b=2"}, nil, "10-11 seq -1 none, 10 @100 a=1, 11 @101 b=2"},
		{"one is not", record.BatchOptions{Compression: record.NewCompression(record.LZ4), Producer: producer}, []string{"a=1", "a=2", "a=3", "b=4"},
			nil, "10-13 seq 40 lz4, 12 @102 a=3, 13 @103 b=4"},
		{"a newer one elsewhere", record.BatchOptions{}, []string{"a=1", "b=2"}, func(f *Filter) { f.Keys.Put([]byte("b"), 30) }, "10-11 seq -1 none, 10 @100 a=1"},
		{"newer ones of all", record.BatchOptions{}, []string{"a=1"}, func(f *Filter) { f.Keys.Put([]byte("a"), 30) }, "gone"},
		{"the last of its producer", record.BatchOptions{Producer: producer, Compression: record.NewCompression(record.Gzip)}, []string{"a=1", "b=2"}, func(f *Filter) {
			f.Keys.Put([]byte("a"), 30)
			f.Keys.Put([]byte("b"), 31)
			f.Producers[7] = LastRecord{11, 2}
		}, "10-11 seq 40 none"},
		{"not the last of its producer", record.BatchOptions{Producer: producer}, []string{"a=1"}, func(f *Filter) {
			f.Keys.Put([]byte("a"), 30)
			f.Producers[7] = LastRecord{30, 2}
		}, "gone"},
		{"the last of the segment", record.BatchOptions{}, []string{"a=1"}, func(f *Filter) {
			f.Keys.Put([]byte("a"), 30)
			f.End = 11
		}, "10-10 seq -1 none"},
		{"without a key", record.BatchOptions{}, []string{"=1", "a=1"}, nil, "10-11 seq -1 none, 11 @101 a=1"},
		{"without a key, not looked at yet", record.BatchOptions{}, []string{"=1"}, func(f *Filter) { f.Keys = NewKeys(1000, 10, 1) }, "10-10 seq -1 none, 10 @100 =1"},
		{"a tombstone", record.BatchOptions{}, []string{"a", "b=1"}, nil, "10-11 seq -1 none horizon 1500, 10 @100 a, 11 @101 b=1"},
		{"a tombstone in a batch that was not looked at to its end", record.BatchOptions{}, []string{"a", "b=1"}, func(f *Filter) {
			f.Keys = NewKeys(1000, 10, 1)
			f.Keys.Put([]byte("a"), 10)
		}, "10-11 seq -1 none, 10 @100 a, 11 @101 b=1"},
		{"a tombstone whose time has not come", record.BatchOptions{DeleteHorizon: 1001}, []string{"a", "b=1"}, nil, "10-11 seq -1 none horizon 1001, 10 @100 a, 11 @101 b=1"},
		{"a tombstone whose time has come", record.BatchOptions{DeleteHorizon: 1000}, []string{"a", "b=1"}, nil, "10-11 seq -1 none horizon 1000, 11 @101 b=1"},
		{"a tombstone that is not the newest", record.BatchOptions{}, []string{"a", "b=1"}, func(f *Filter) { f.Keys.Put([]byte("a"), 30) }, "10-11 seq -1 none, 11 @101 b=1"},
		{"log append time", record.BatchOptions{AppendTime: 77}, []string{"a", "a=1"}, nil, "10-11 seq -1 none appended 77, 11 @77 a=1"},
		{"delete.retention.ms for ever", record.BatchOptions{}, []string{"a"}, func(f *Filter) { f.DeleteRetentionMs = 1<<63 - 1 }, "10-10 seq -1 none horizon 9223372036854775807, 10 @100 a"},
	} {
		t.Run(x.name, func(t *testing.T) {
			x.options.BaseOffset = 10
			b := batchOf(t, x.options, 100, x.records...)
			f := &Filter{Keys: NewKeys(1000, 20, 1), Transactions: new(Transactions), Producers: map[int64]LastRecord{}, NowMs: 1000, DeleteRetentionMs: 500}
			for r := range b.Records(0) {
				if r.Key != nil {
					f.Keys.Put(r.Key, r.Offset)
				}
			}
			f.Keys.Reach(b.LastOffset())
			if x.prepare != nil {
				x.prepare(f)
			}
			got, err := f.Batch(b)
			if err != nil || text(t, got) != x.want {
				t.Errorf("%v\n got %s\nwant %s", err, text(t, got), x.want)
			}
		})
	}
}

// step is a batch of a log with transactions: data of a producer, or its marker.
type step struct {
	producer int64
	marker   string // "", "commit", "abort"
	horizon  int64
	want     string // what stays
}

func TestFilterOfTransactions(t *testing.T) {
	aborted := []Aborted{{ProducerID: 2, FirstOffset: 1, LastOffset: 4, LastStableOffset: 0}}
	for name, x := range map[string]struct {
		aborted []Aborted
		newer   bool // keys have newer records
		last    map[int64]LastRecord
		steps   []step
		kept    int
	}{
		"with all its data": {aborted, false, nil, []step{
			{1, "", 0, "0-0"}, {2, "", 0, "gone"}, {2, "", 0, "gone"}, {1, "commit", 0, "3-3"}, {2, "abort", 0, "4-4"}, {2, "", 0, "5-5"},
		}, 1},
		"its data goes now": {aborted, true, nil, []step{
			{1, "", 0, "gone"}, {2, "", 0, "gone"}, {2, "", 0, "gone"}, {1, "commit", 0, "3-3"}, {2, "abort", 0, "4-4"}, {2, "", 0, "gone"},
		}, 1},
		"its data went before": {[]Aborted{{ProducerID: 2, FirstOffset: -5, LastOffset: 1}}, false, nil, []step{
			{1, "commit", 0, "0-0 horizon 1500"}, {2, "abort", 0, "1-1 horizon 1500"}, {1, "commit", 1001, "2-2 horizon 1001"}, {1, "commit", 1000, "gone"}, {2, "abort", 999, "gone"},
		}, 0},
		"the last of its producers": {aborted, true, map[int64]LastRecord{1: {NoOffset, 0}, 2: {2, 0}}, []step{
			{1, "commit", 999, "0-0 empty"}, {2, "", 0, "gone"}, {2, "", 0, "2-2 empty"}, {1, "commit", 0, "3-3 horizon 1500"}, {2, "abort", 999, "4-4 horizon 999"},
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := &Filter{Keys: NewKeys(1000, 20, 1), Transactions: new(Transactions), Producers: x.last, NowMs: 1000, DeleteRetentionMs: 500}
			if x.newer {
				f.Keys.Put([]byte("a"), 50)
			}
			f.Keys.Reach(20)
			f.Transactions.Expect(x.aborted)
			for offset, s := range x.steps {
				o := record.BatchOptions{BaseOffset: int64(offset), Producer: &record.Producer{ID: s.producer, Sequence: -1}, Transactional: true, Control: s.marker != "", DeleteHorizon: s.horizon}
				builder := record.NewBuilder(o)
				switch s.marker {
				case "commit":
					builder.AddControl(100, record.CommitMarker, make([]byte, 6))
				case "abort":
					builder.AddControl(100, record.AbortMarker, make([]byte, 6))
				default:
					builder.Add(100, []byte("a"), []byte("1"))
				}
				b, err := builder.Build()
				if err != nil {
					t.Fatal(err)
				}
				got, err := f.Batch(b)
				short := "gone"
				if got != nil {
					short = fmt.Sprintf("%d-%d", got.BaseOffset(), got.LastOffset())
					if horizon, ok := got.DeleteHorizon(); ok {
						short += fmt.Sprint(" horizon ", horizon)
					}
					if got.Count() == 0 {
						short += " empty"
					}
				}
				if err != nil || short != s.want {
					t.Errorf("%d: %s of %d: %s, want %s; %v", offset, s.marker, s.producer, short, s.want, err)
				}
			}
			if kept := f.Transactions.TakeKept(); len(kept) != x.kept {
				t.Errorf("kept in the transaction index: %v", kept)
			}
		})
	}
}

// Records that cannot be read are an error, not a loss.
func TestFilterOfDamage(t *testing.T) {
	b := batchOf(t, record.BatchOptions{Compression: record.NewCompression(record.Zstd)}, 100, "a=1", "b=2")
	b[len(b)-3] ^= 0x55
	f := &Filter{Keys: NewKeys(1000, 20, 1), Transactions: new(Transactions), NowMs: 1000}
	if got, err := f.Batch(b); err == nil {
		t.Errorf("a damaged batch became %v", got)
	}
}
