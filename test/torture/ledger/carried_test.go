package ledger

import (
	"strings"
	"testing"
)

func TestTornOffsetsAreFound(t *testing.T) {
	for _, c := range []struct {
		name    string
		carried []int // transactions whose offset was acknowledged
		visible []int
		offset  int64
		fault   string // a part of the only fault; "" for none
	}{
		{"nothing", nil, []int{0}, 0, ""},
		{"the last one", []int{0, 2}, []int{0, 1, 2}, 3, ""},
		{"the last was aborted", []int{0, 2}, []int{0, 1}, 1, ""},
		{"one whose acknowledgement was lost", []int{0}, []int{0, 2}, 3, ""},
		{"of an aborted one", []int{0, 2}, []int{0, 1}, 3, "offset 3 of producer 7 is committed, the records of transaction 2"},
		{"missing", []int{0, 2}, []int{0, 1, 2}, 1, "the records of transaction 2 of producer 7 are committed, but not its offset: that is 1"},
		{"of nobody", nil, []int{0}, 9, "offset 9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			book, carried, all := New(), NewCarried(), NewReading("t", Promise{Once: true, Transactions: true})
			for n := range 3 {
				book.Send(Transaction{"t", 7, n}, Entry{"t", 7, 0, n})
			}
			for _, n := range c.carried {
				carried.Stored(Transaction{"t", 7, n})
			}
			for i, n := range c.visible {
				all.Add(0, int64(i), Entry{"t", 7, 0, n}.Value())
			}
			got := carried.Faults(book, all, 7, c.offset)
			if c.fault == "" && len(got) > 0 || c.fault != "" && (len(got) != 1 || !strings.Contains(got[0], c.fault)) {
				t.Errorf("%q, want %q", got, c.fault)
			}
		})
	}
}
