package record

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ottla/ottla/internal/kafka"
)

// What compaction does: records go, offsets, timestamps and the last offset delta stay, and the delete
// horizon takes the place of the base timestamp.
func TestBuilderThinsOutABatch(t *testing.T) {
	from := threeRecords(Zstd)
	from.SetBaseOffset(500)
	b := NewBuilder(BatchOptions{BaseOffset: 500, LeaderEpoch: 3, Compression: NewCompression(Zstd), Producer: &Producer{7, 2, 40}, DeleteHorizon: validateNow + 999})
	for r, err := range from.Records(0) {
		if err != nil {
			t.Fatal(err)
		}
		if r.OffsetDelta == 1 {
			b.AppendRecord(&r)
		}
	}
	thin, err := b.BuildUpTo(from.LastOffsetDelta())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(content(t, from)[1:2], content(t, thin)); diff != "" {
		t.Error(diff)
	}
	horizon, ok := thin.DeleteHorizon()
	if !ok || horizon != validateNow+999 || thin.LastOffset() != 502 || thin.LastSequence() != 42 || thin.CheckCRC() != nil {
		t.Errorf("horizon %d %t, last offset %d, last sequence %d", horizon, ok, thin.LastOffset(), thin.LastSequence())
	}
	empty := thin.Emptied()
	if _, ok := empty.DeleteHorizon(); ok || empty.CheckCRC() != nil || empty.Length() != HeaderSize || len(content(t, empty)) != 0 ||
		empty.LastSequence() != 42 || empty.LastOffset() != 502 || empty.MaxTimestamp() != thin.MaxTimestamp() {
		t.Errorf("emptied: % x", []byte(empty))
	}
}

func TestBuilderKeepsExtremes(t *testing.T) {
	b := NewBuilder(BatchOptions{AppendTime: 5, Transactional: true, Control: true})
	b.Append(3, math.MinInt64, []byte{}, nil)
	b.Append(math.MaxInt32, math.MaxInt64, nil, []byte{}, Header{"", []byte{}})
	size := b.Size()
	batch, err := b.Build()
	if err != nil || len(batch) != size {
		t.Fatalf("%d bytes, Size() was %d, %v", len(batch), size, err)
	}
	want := []string{`3 @5 ""="" nil false true`, `2147483647 @5 ""="" nil true false :""(false)`}
	if diff := cmp.Diff(want, content(t, batch)); diff != "" {
		t.Error(diff)
	}
	if a := batch.Attributes(); !a.Transactional() || !a.Control() || a.TimestampType() != LogAppendTime || a.HasDeleteHorizon() {
		t.Errorf("attributes %b", a)
	}
	b.Reset(BatchOptions{})
	b.Append(3, 0, nil, nil)
	b.Append(3, 0, nil, nil)
	if _, err := b.Build(); !errors.Is(err, kafka.InvalidRecord) {
		t.Errorf("the same offset twice: %v", err)
	}
	if len(content(t, batch)) != 2 {
		t.Error("Reset touched the batch that was built before")
	}
}

func TestSizeOfBoundsWhatARecordAdds(t *testing.T) {
	b := NewBuilder(BatchOptions{})
	b.Append(0, 0, nil, nil)
	for i, r := range []struct{ key, value []byte }{{nil, nil}, {[]byte("k"), make([]byte, 1000)}, {make([]byte, 70000), nil}} {
		before := b.Size()
		b.Append(math.MaxInt32-5+int32(i), math.MaxInt64, r.key, r.value, Header{"h", []byte("v")})
		if added, most := b.Size()-before, SizeOf(r.key, r.value, Header{"h", []byte("v")}); added > most || added < most-21 {
			t.Errorf("record %d added %d bytes, SizeOf says %d", i, added, most)
		}
	}
}

func TestEndTxnMarkers(t *testing.T) {
	for _, commit := range []bool{true, false} {
		want := EndTxnMarker{Commit: commit, CoordinatorEpoch: 9, Timestamp: 77}
		b := want.Batch(5, 1)
		got, ok, err := b.EndTxnMarker()
		if err != nil || !ok || got != want || b.ProducerID() != 5 || b.ProducerEpoch() != 1 || b.BaseSequence() != NoSequence || !b.Attributes().Control() || !b.Attributes().Transactional() {
			t.Errorf("%+v became %+v, %t, %v", want, got, ok, err)
		}
	}
	if _, ok, err := (EndTxnMarker{}).Batch(5, 1).Emptied().EndTxnMarker(); ok || err != nil {
		t.Errorf("emptied: %t, %v", ok, err)
	}
	bad := map[string]Record{
		"no key":           {Value: make([]byte, 6)},
		"negative version": {Key: []byte{0xff, 0xff, 0, 0}, Value: make([]byte, 6)},
		"leader change":    {Key: LeaderChange.Key(), Value: make([]byte, 6)},
		"short value":      {Key: CommitMarker.Key(), Value: make([]byte, 5)},
		"bad version":      {Key: CommitMarker.Key(), Value: []byte{0xff, 0xff, 0, 0, 0, 0}},
	}
	for name, r := range bad {
		if _, err := ParseEndTxnMarker(&r); !errors.Is(err, kafka.InvalidRecord) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for id := range ControlType(7) {
		if got, err := ParseControlKey(id.Key()); err != nil || got != id || !got.Known() {
			t.Errorf("%s: %s, %v", id, got, err)
		}
	}
	if got, err := ParseControlKey([]byte{0, 3, 0, 99}); err != nil || got.Known() || got.String() != "UNKNOWN(99)" {
		t.Errorf("type 99: %s, %v", got, err)
	}
}
