package record

import (
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var dumpCases = flag.String("dump-cases", "", "write the cases for Kafka's own validator to this file")

// dumpForKafka writes one line per case: name, rules and bytes.
func dumpForKafka(t *testing.T, path string) {
	t.Helper()
	var out strings.Builder
	for _, c := range validateCases(t) {
		target := "producer"
		if c.rules.Compression != nil {
			target = c.rules.Compression.Codec.String()
		}
		r := c.rules
		fmt.Fprintf(&out, "%s\t%s\t%d\t%d\t%t\t%s\t%d\t%d\t%s\t%s\n", c.name, r.Origin, r.ProduceVersion, r.MaxMessageBytes, r.Compacted, r.TimestampType,
			r.TimestampBeforeMaxMs, r.TimestampAfterMaxMs, target, hex.EncodeToString(c.bytes))
	}
	if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// verdict draws what Validate made of a case, in the form of testdata/kafka.verdicts.
func verdict(c validateCase) string {
	v, err := Validate(slices.Clone(c.bytes), c.rules, validateNow)
	if err != nil {
		var invalid *InvalidError
		if !errors.As(err, &invalid) {
			return "not an InvalidError: " + err.Error()
		}
		text := fmt.Sprintf("%d %s", invalid.Code, invalid.Message)
		for _, re := range invalid.RecordErrors {
			text += fmt.Sprintf(" | %d %s", re.BatchIndex, re.Message)
		}
		return text
	}
	b := v.Batch
	if err := b.CheckCRC(); err != nil {
		return err.Error()
	}
	text := fmt.Sprintf("ok codec=%s type=%s max=%d appendTime=%d", b.Attributes().Codec(), b.Attributes().TimestampType(), b.MaxTimestamp(), v.AppendTime)
	for r, err := range b.Records(0) {
		if err != nil {
			return err.Error()
		}
		// Kafka's offset counter starts at 100 in the harness that recorded the verdicts.
		text += fmt.Sprintf(" [%d @%d %s=%s %d]", 100+r.OffsetDelta, r.Timestamp, text2(r.Key), text2(r.Value), r.HeaderCount)
	}
	return text
}

func text2(b []byte) string {
	if b == nil {
		return "null"
	}
	return strconv.Quote(string(b))
}

// deviation is an answer of ours that is not Kafka's.
type deviation struct {
	answer string // ours
	why    string
}

// deviations are by case, or by case without the codec at its end.
var deviations = map[string]deviation{
	"gap in offset deltas none":     {gap, "Kafka stores the batch as it is, and consumers trip over it"},
	"gap in offset deltas":          {gap, "Kafka dies of an UnsupportedOperationException"},
	"CRC":                           {"2 Record is corrupt (stored crc = 1947678757, computed crc = 2256321318) in topic partition t-3.", "says more"},
	"too large":                     {"10 The record batch size in the append to t-3 is 100 bytes which exceeds the maximum configured value of 50 (max.message.bytes)", "names the setting"},
	"too large after recompression": {"10 The record batch size in the append to t-3 is 155 bytes which exceeds the maximum configured value of 130 (max.message.bytes)", "one text for both"},
	"length below the header":       {"2 Record batch is corrupt (the size 32 is smaller than the minimum allowed overhead 61) in topic partition t-3", "Kafka takes the rest for a second batch"},
	"codec 5":                       {"76 " + unknownCodec(5), "Kafka did not foresee it"},
	"codec 6":                       {"76 " + unknownCodec(6), "Kafka did not foresee it"},
	"codec 7":                       {"76 " + unknownCodec(7), "Kafka did not foresee it"},
	"damaged gzip":                  {"87 Failed to decompress record stream of 39 bytes (gzip): gzip: invalid header", "Kafka did not foresee it"},
	"damaged snappy":                {"87 Failed to decompress record stream of 39 bytes (snappy): corrupt snappy input", "Kafka did not foresee it"},
	"damaged lz4":                   {"87 Failed to decompress record stream of 39 bytes (lz4): not an lz4 frame (invalid magic bytes)", "Kafka did not foresee it"},
	"damaged zstd":                  {"87 Failed to decompress record stream of 39 bytes (zstd): invalid input: magic number mismatch", "Kafka did not foresee it"},
	"record with a tail":            {"87 Invalid record size: expected to read 7 bytes in record payload, but instead read 6", "Kafka skips through compressed records"},
	"too many headers":              {"87 Found invalid number of record headers. 100 is larger than the remaining size of the buffer", "Kafka skips through compressed records"},
	"key beyond the end":            {"87 Found invalid record structure", "Kafka skips through compressed records"},
}

const gap = "87 One or more records have been rejected due to 1 record errors in total, and only showing the first three errors at most: " +
	"[RecordError(batchIndex=1, message='Record 1 of the batch has offset delta 5; the offset deltas must be 0, 1, 2, ... in topic partition t-3')] | " +
	"1 Record 1 of the batch has offset delta 5; the offset deltas must be 0, 1, 2, ... in topic partition t-3"

func unknownCodec(id int) string {
	return fmt.Sprintf("Unknown compression type id: %d (known are 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd)", id)
}

func TestValidateDecidesAsKafka(t *testing.T) {
	if *dumpCases != "" {
		dumpForKafka(t, *dumpCases)
		return
	}
	file, err := os.ReadFile(filepath.Join("testdata", "kafka.verdicts"))
	if err != nil {
		t.Fatal(err)
	}
	kafkas := map[string]string{}
	for line := range strings.Lines(string(file)) {
		if name, verdict, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t"); ok {
			kafkas[name] = verdict
		}
	}
	for _, c := range validateCases(t) {
		t.Run(c.name, func(t *testing.T) {
			want, known := kafkas[c.name]
			if !known {
				t.Fatal("no verdict of Kafka in testdata/kafka.verdicts: record one with -dump-cases")
			}
			// Where Kafka does not name the partition, we do; skipping compressed records it draws them otherwise.
			got := strings.TrimSuffix(verdict(c), " in topic partition t-3")
			want = strings.TrimSuffix(want, " in topic partition t-3")
			want = strings.ReplaceAll(strings.ReplaceAll(want, "PartialDefaultRecord", "DefaultRecord"), "=-1 bytes", "=0 bytes")
			if got == want {
				return
			}
			d, ok := deviations[c.name]
			if i := strings.LastIndexByte(c.name, ' '); !ok && i > 0 {
				d, ok = deviations[c.name[:i]]
			}
			if !ok || strings.TrimSuffix(d.answer, " in topic partition t-3") != got {
				t.Errorf("Kafka: %s\n  we: %s\n%s", want, got, cmp.Diff(want, got))
			}
		})
	}
}
