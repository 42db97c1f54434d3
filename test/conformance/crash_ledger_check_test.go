package conformance

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The checker of the crash loop must see what it is there for.
func TestLedgerFindsFaults(t *testing.T) {
	record := func(partition int32, offset int64, value string) *kgo.Record {
		return &kgo.Record{Partition: partition, Offset: offset, Value: []byte(value)}
	}
	for _, c := range []struct {
		name    string
		records []*kgo.Record
		fault   string // a part of the only fault; "" for none
	}{
		{"all there", []*kgo.Record{record(1, 0, "0 1 0"), record(1, 1, "0 1 1")}, ""},
		{"another producer between", []*kgo.Record{record(1, 0, "0 1 0"), record(1, 1, "0 1 1"), record(1, 2, "2 1 0")}, ""},
		{"lost", []*kgo.Record{record(1, 0, "0 1 0")}, "lost: producer 0, partition 1, number 1"},
		{"twice", []*kgo.Record{record(1, 0, "0 1 0"), record(1, 1, "0 1 1"), record(1, 2, "0 1 1")}, "twice: "},
		{"out of order", []*kgo.Record{record(1, 0, "0 1 0"), record(1, 1, "0 1 1"), record(1, 2, "0 1 7"), record(1, 3, "0 1 5")}, "order: "},
		{"moved", []*kgo.Record{record(1, 0, "0 1 0"), record(1, 1, "3 1 0"), record(1, 2, "0 1 1")}, "is at offset 2, acknowledged was 1"},
		{"gap", []*kgo.Record{record(1, 0, "0 1 0"), record(1, 1, "0 1 1"), record(1, 3, "0 1 2")}, "offset 3 follows 1"},
		{"garbage", []*kgo.Record{record(1, 0, "0 1 0"), record(1, 1, "0 1 1"), record(1, 2, "\x00")}, "nobody sent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			book, r := newLedger(), newReading()
			book.acknowledge(entry{0, 1, 0}, 0)
			book.acknowledge(entry{0, 1, 1}, 1)
			for _, record := range c.records {
				r.add(record)
			}
			faults := append(r.faults, book.compare(r)...)
			if c.fault == "" && len(faults) > 0 || c.fault != "" && (len(faults) != 1 || !strings.Contains(faults[0], c.fault)) {
				t.Errorf("faults %q, want %q", faults, c.fault)
			}
		})
	}
}
