package record

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// dump draws a segment as kafka-dump-log --print-data-log does.
func dump(t *testing.T, segment []byte) string {
	t.Helper()
	var out strings.Builder
	position := 0
	for b, err := range Batches(segment) {
		if err != nil {
			t.Fatalf("at %d: %v", position, err)
		}
		horizon := "OptionalLong.empty"
		if ms, ok := b.DeleteHorizon(); ok {
			horizon = fmt.Sprintf("OptionalLong[%d]", ms)
		}
		a := b.Attributes()
		fmt.Fprintf(&out, "baseOffset: %d lastOffset: %d count: %d baseSequence: %d lastSequence: %d producerId: %d producerEpoch: %d partitionLeaderEpoch: %d "+
			"isTransactional: %t isControl: %t deleteHorizonMs: %s position: %d %s: %d size: %d magic: %d compresscodec: %s crc: %d isvalid: %t\n",
			b.BaseOffset(), b.LastOffset(), b.Count(), b.BaseSequence(), b.LastSequence(), b.ProducerID(), b.ProducerEpoch(), b.LeaderEpoch(),
			a.Transactional(), a.Control(), horizon, position, a.TimestampType(), b.MaxTimestamp(), b.Length(), b.Magic(), a.Codec(), b.CRC(), b.CheckCRC() == nil)
		for r, err := range b.Records(0) {
			if err != nil {
				t.Fatalf("record in batch at %d: %v", position, err)
			}
			out.WriteString(dumpRecord(t, b, &r) + "\n")
		}
		position += len(b)
	}
	return out.String()
}

func dumpRecord(t *testing.T, b Batch, r *Record) string {
	t.Helper()
	size := func(b []byte) int {
		if b == nil {
			return -1
		}
		return len(b)
	}
	sequence := NoSequence
	if b.BaseSequence() >= 0 {
		sequence = AddSequence(b.BaseSequence(), r.OffsetDelta)
	}
	var keys []string
	for h := range r.Headers() {
		keys = append(keys, h.Key)
	}
	line := fmt.Sprintf("| offset: %d %s: %d keySize: %d valueSize: %d sequence: %d headerKeys: [%s]", r.Offset, b.Attributes().TimestampType(), r.Timestamp,
		size(r.Key), size(r.Value), sequence, strings.Join(keys, ","))
	if b.Attributes().Control() {
		m, err := ParseEndTxnMarker(r)
		if err != nil {
			t.Fatal(err)
		}
		return line + fmt.Sprintf(" endTxnMarker: %s coordinatorEpoch: %d", m.Type(), m.CoordinatorEpoch)
	}
	if r.Key != nil {
		line += " key: " + string(r.Key)
	}
	if r.Value != nil {
		line += " payload: " + string(r.Value)
	}
	return strings.TrimRight(line, " ")
}

func TestSegmentsThatKafkaWroteReadAsKafkaReadsThem(t *testing.T) {
	golden, err := os.ReadFile(filepath.Join("testdata", "dump.golden"))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(golden), "segment ")[1:] {
		name, want, _ := strings.Cut(part, "\n")
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want, dump(t, segment(t, name))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func segment(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Every batch that Kafka wrote, taken apart and built again by us, reads the same; uncompressed ones
// are the same to the byte.
func TestRebuildingWhatKafkaWroteChangesNothing(t *testing.T) {
	for _, name := range []string{"topic", "transactions", "tx", "offsets", "metadata"} {
		n := 0
		for b, err := range Batches(segment(t, name)) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			n++
			a := b.Attributes()
			builder := NewBuilder(BatchOptions{
				BaseOffset: b.BaseOffset(), LeaderEpoch: b.LeaderEpoch(), Compression: NewCompression(a.Codec()),
				Producer:      &Producer{b.ProducerID(), b.ProducerEpoch(), b.BaseSequence()},
				Transactional: a.Transactional(), Control: a.Control(),
			})
			for r, err := range b.Records(0) {
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				builder.AppendRecord(&r)
			}
			again, err := builder.Build()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if a.Codec() == None {
				if builder.Size() != len(b) {
					t.Errorf("%s: Size() = %d, batch has %d bytes", name, builder.Size(), len(b))
				}
				if diff := cmp.Diff([]byte(b), []byte(again)); diff != "" {
					t.Errorf("%s at offset %d: %s", name, b.BaseOffset(), diff)
				}
			} else if diff := cmp.Diff(content(t, b), content(t, again)); diff != "" {
				t.Errorf("%s at offset %d: %s", name, b.BaseOffset(), diff)
			}
		}
		if n == 0 {
			t.Errorf("%s: no batches", name)
		}
	}
}

// content draws the records of a batch.
func content(t testing.TB, b Batch) []string {
	t.Helper()
	var lines []string
	for r, err := range b.Records(0) {
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%d @%d %q=%q nil %t %t", r.Offset, r.Timestamp, r.Key, r.Value, r.Key == nil, r.Value == nil)
		for h := range r.Headers() {
			line += fmt.Sprintf(" %s:%q(%t)", h.Key, h.Value, h.Value == nil)
		}
		lines = append(lines, line)
	}
	return lines
}
