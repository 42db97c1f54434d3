package ledger

import (
	"strings"
	"testing"
)

type read struct {
	offset int64
	value  string
}

// The checker must see what it is there for.
func TestFaultsAreFound(t *testing.T) {
	once := Promise{Once: true}
	for _, c := range []struct {
		name    string
		promise Promise
		start   int64
		records []read
		fault   string // a part of the only fault; "" for none
	}{
		{"all there", once, 0, []read{{0, "t 0 1 0"}, {1, "t 0 1 1"}}, ""},
		{"another producer between", once, 0, []read{{0, "t 0 1 0"}, {1, "t 0 1 1"}, {2, "t 2 1 0"}}, ""},
		{"lost", once, 0, []read{{0, "t 0 1 0"}}, "lost: t-1, producer 0, number 1"},
		{"twice", once, 0, []read{{0, "t 0 1 0"}, {1, "t 0 1 1"}, {2, "t 0 1 1"}}, "twice: "},
		{"twice, as may be", Promise{}, 0, []read{{0, "t 0 1 0"}, {1, "t 0 1 1"}, {2, "t 0 1 1"}}, ""},
		{"moved, as may be", Promise{}, 0, []read{{0, "t 0 1 0"}, {1, "t 5 1 0"}, {2, "t 0 1 1"}}, ""},
		{"out of order", once, 0, []read{{0, "t 0 1 0"}, {1, "t 0 1 1"}, {2, "t 0 1 7"}, {3, "t 0 1 5"}}, "order: "},
		{"moved", once, 0, []read{{0, "t 0 1 0"}, {1, "t 3 1 0"}, {2, "t 0 1 1"}}, "is at offset 2, acknowledged was 1"},
		{"gap", once, 0, []read{{0, "t 0 1 0"}, {1, "t 0 1 1"}, {3, "t 0 1 2"}}, "offset 3 follows 1"},
		{"garbage", once, 0, []read{{0, "t 0 1 0"}, {1, "t 0 1 1"}, {2, "\x00"}}, "nobody sent"},
		{"of another topic", once, 0, []read{{0, "t 0 1 0"}, {1, "t 0 1 1"}, {2, "u 0 1 2"}}, "nobody sent"},
		{"beginning deleted by retention", Promise{Once: true, Trimmed: true}, 1, []read{{1, "t 0 1 1"}}, ""},
		{"beginning gone without retention", once, 1, []read{{1, "t 0 1 1"}}, "offset 1 follows -1"},
		{"lost above the start", Promise{Once: true, Trimmed: true}, 1, []read{{1, "t 7 1 1"}}, "lost: t-1, producer 0, number 1"},
		{"a hole above the start", Promise{Once: true, Trimmed: true}, 0, []read{{0, "t 0 1 0"}, {1, "t 0 1 1"}, {3, "t 0 1 2"}}, "offset 3 follows 1, and the log begins at 0"},
		{"compacted", Promise{Once: true, Latest: true}, 0, []read{{1, "t 0 1 1"}}, ""},
		{"compacted too much", Promise{Once: true, Latest: true}, 0, []read{{0, "t 0 1 0"}}, "number 1 was acknowledged, the last one there is 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			book, r := New(), NewReading("t", c.promise)
			book.Acknowledge(Entry{"t", 0, 1, 0}, 0)
			book.Acknowledge(Entry{"t", 0, 1, 1}, 1)
			r.Next(1, c.start)
			for _, record := range c.records {
				r.Add(1, record.offset, []byte(record.value))
			}
			r.Trim(1, c.start)
			faults := r.Faults(book.Snapshot("t"))
			if c.fault == "" && len(faults) > 0 || c.fault != "" && (len(faults) == 0 || !strings.Contains(strings.Join(faults, "\n"), c.fault)) {
				t.Errorf("faults %q, want %q", faults, c.fault)
			}
		})
	}
}
