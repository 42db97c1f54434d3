package record

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

func TestStampingInPlaceKeepsTheBatchValid(t *testing.T) {
	b := threeRecords(Gzip)
	b.SetBaseOffset(1 << 40)
	b.SetLeaderEpoch(77)
	if err := b.CheckCRC(); err != nil || b.LastOffset() != 1<<40+2 || b.LeaderEpoch() != 77 {
		t.Errorf("after offset and epoch: %v, last offset %d, epoch %d", err, b.LastOffset(), b.LeaderEpoch())
	}
	b.SetMaxTimestamp(LogAppendTime, 123)
	if err := b.CheckCRC(); err != nil {
		t.Error(err)
	}
	for r, err := range b.Records(0) {
		if err != nil || r.Timestamp != 123 {
			t.Errorf("timestamp %d, %v", r.Timestamp, err)
		}
	}
	b.SetMaxTimestamp(CreateTime, validateNow-10)
	if diff := cmp.Diff(content(t, threeRecords(Gzip))[0][len("0 "):], content(t, b)[0][len("1099511627776 "):]); diff != "" {
		t.Error(diff)
	}
	b[len(b)-1] ^= 1
	if err := b.CheckCRC(); !errors.Is(err, kafka.CorruptMessage) {
		t.Errorf("flipped bit: %v", err)
	}
	if err := b[:10].CheckCRC(); !errors.Is(err, kafka.CorruptMessage) {
		t.Errorf("ten bytes: %v", err)
	}
}

func TestSequencesWrapAround(t *testing.T) {
	const last = math.MaxInt32
	for _, c := range []struct{ from, n, to int32 }{{0, 5, 5}, {last, 1, 0}, {last - 2, 2, last}, {last - 2, 3, 0}, {last, last, last - 1}} {
		if got := AddSequence(c.from, c.n); got != c.to {
			t.Errorf("%d + %d = %d, want %d", c.from, c.n, got, c.to)
		}
		if got := SubtractSequence(c.to, c.n); got != c.from {
			t.Errorf("%d - %d = %d, want %d", c.to, c.n, got, c.from)
		}
	}
	if got := build(None, &Producer{1, 0, last - 1}).LastSequence(); got != 0 {
		t.Errorf("last sequence %d", got)
	}
	if got := build(None, nil).LastSequence(); got != NoSequence {
		t.Errorf("without producer: %d", got)
	}
}

func TestBatchesTellCutsFromDamage(t *testing.T) {
	one := threeRecords(None)
	two := slices.Concat(one, one)
	for cut := range len(two) {
		n := 0
		for _, err := range Batches(two[:cut]) {
			if err == nil {
				n++
			} else if !errors.Is(err, ErrIncomplete) {
				t.Fatalf("cut at %d: %v", cut, err)
			}
		}
		if n != cut/len(one) {
			t.Fatalf("cut at %d: %d batches", cut, n)
		}
	}
	two[len(one)+atMagic] = 1
	var got []error
	for _, err := range Batches(two) {
		got = append(got, err)
	}
	if len(got) != 2 || got[0] != nil || !errors.Is(got[1], kafka.CorruptMessage) {
		t.Errorf("magic 1 in the second batch: %v", got)
	}
}

// kmsg, the codec of franz-go, reads what the builder made, field by field and record by record.
func TestKmsgReadsOurBatches(t *testing.T) {
	unpack := kgo.DefaultDecompressor()
	for _, c := range codecs {
		b := threeRecords(c)
		b.SetBaseOffset(90)
		var theirs kmsg.RecordBatch
		if err := theirs.ReadFrom(b); err != nil {
			t.Fatal(err)
		}
		want := kmsg.RecordBatch{FirstOffset: 90, Length: int32(len(b) - LogOverhead), Magic: 2, CRC: int32(b.CRC()), Attributes: int16(c), LastOffsetDelta: 2,
			FirstTimestamp: validateNow - 20, MaxTimestamp: validateNow - 10, ProducerID: 7, ProducerEpoch: 2, FirstSequence: 40, NumRecords: 3, Records: theirs.Records}
		if diff := cmp.Diff(want, theirs); diff != "" {
			t.Errorf("%s: %s", c, diff)
		}
		data := theirs.Records
		if c != None {
			var err error
			if data, err = unpack.Decompress(data, kgo.CompressionCodecType(c)); err != nil {
				t.Fatal(err)
			}
		}
		records := b.Records(0)
		for ours, err := range records {
			if err != nil {
				t.Fatal(err)
			}
			var r kmsg.Record
			if err := r.ReadFrom(data); err != nil {
				t.Fatal(err)
			}
			data = data[ours.Size():]
			var headers []kmsg.Header
			for h := range ours.Headers() {
				headers = append(headers, kmsg.Header{Key: h.Key, Value: h.Value})
			}
			mine := kmsg.Record{Length: r.Length, OffsetDelta: ours.OffsetDelta, TimestampDelta64: ours.Timestamp - b.FirstTimestamp(),
				TimestampDelta: int32(ours.Timestamp - b.FirstTimestamp()), Key: ours.Key, Value: ours.Value, Headers: headers}
			if diff := cmp.Diff(r.AppendTo(nil), mine.AppendTo(nil)); diff != "" {
				t.Errorf("%s record %d: %s", c, ours.OffsetDelta, diff)
			}
		}
	}
}

// And the reverse: a batch put together by kmsg is a batch for us.
func TestWeReadKmsgsBatches(t *testing.T) {
	for _, c := range codecs {
		var records []byte
		for i := range int32(50) {
			r := kmsg.Record{OffsetDelta: i, TimestampDelta64: int64(i) - 3, Key: []byte{byte(i)}, Value: make([]byte, 200), Headers: []kmsg.Header{{Key: "h"}}}
			r.Length = int32(len(r.AppendTo(nil)) - 1) // less the one byte of a zero length
			records = r.AppendTo(records)
		}
		packed, err := Compress(nil, NewCompression(c), records)
		if err != nil {
			t.Fatal(err)
		}
		k := kmsg.RecordBatch{PartitionLeaderEpoch: -1, Magic: 2, Attributes: int16(c), LastOffsetDelta: 49, FirstTimestamp: validateNow, MaxTimestamp: validateNow + 46,
			ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: 50, Records: packed}
		k.Length = int32(len(k.AppendTo(nil)) - LogOverhead)
		b := Batch(k.AppendTo(nil))
		b.stampCRC()
		v, err := Validate(b, defaults(), validateNow)
		if err != nil || v.MaxTimestamp != validateNow+46 || v.Count != 50 || v.Rebuilt {
			t.Errorf("%s: %+v, %v", c, v, err)
		}
		if got := content(t, v.Batch)[49]; got[:20] != "49 @1700000000046 \"1" {
			t.Errorf("%s: %s", c, got)
		}
	}
}

func TestFindingTimestamps(t *testing.T) {
	b := threeRecords(LZ4)
	b.SetBaseOffset(10)
	if got, err := b.OffsetOfMaxTimestamp(0); err != nil || got != 11 {
		t.Errorf("max timestamp at %d, %v", got, err)
	}
	for _, c := range []struct{ ms, start, want int64 }{{0, 0, 10}, {validateNow - 19, 0, 11}, {validateNow - 19, 12, 12}, {validateNow - 9, 0, -1}, {0, 13, -1}} {
		offset, ts, found, err := b.FindTimestamp(c.ms, c.start, 0)
		if err != nil || found != (c.want >= 0) || found && (offset != c.want || ts < c.ms) {
			t.Errorf("%+v: offset %d, timestamp %d, %t, %v", c, offset, ts, found, err)
		}
	}
}
