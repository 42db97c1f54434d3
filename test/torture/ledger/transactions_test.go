package ledger

import (
	"strings"
	"testing"
)

// The checker must see what it is there for: transaction 0 of producer 0 has records in partitions 1 and 2, and its commit was
// acknowledged; that of 1 was asked for; 2 was not to be committed. Of 3 one record's offset is not known.
func TestTransactionFaultsAreFound(t *testing.T) {
	all := []read{{0, "t 0 1 0"}, {0, "t 0 2 0"}}
	for _, c := range []struct {
		name    string
		records []read
		upTo    int64
		whole   bool
		fault   string // a part of the only fault; "" for none
	}{
		{"all there", all, 9, true, ""},
		{"the one in doubt, too", append(all[:2:2], read{3, "t 0 1 1"}, read{4, "t 0 2 1"}), 9, true, ""},
		{"half of it", append(all[:2:2], read{3, "t 0 1 1"}), 9, true, "torn: of transaction 1"},
		{"half of it, not at the end", append(all[:2:2], read{3, "t 0 1 1"}), 9, false, "torn: of transaction 1"},
		{"half of it, the rest may come", append(all[:2:2], read{3, "t 0 1 1"}), 4, false, ""},
		{"at another offset", append(all[:2:2], read{3, "t 0 1 1"}, read{5, "t 0 2 1"}), 9, true, "is at offset 5, acknowledged was 4"},
		{"lost", nil, 9, true, "lost: t-1, producer 0, number 0"},
		{"lost, not at the end", nil, 9, false, "lost: t-1, producer 0, number 0"},
		{"half lost", all[:1], 9, true, "lost: t-2, producer 0, number 0 of transaction 0"},
		{"to come", nil, 0, false, ""},
		{"an aborted one is visible", append(all[:2:2], read{6, "t 0 1 2"}), 9, true, "aborted: t-1, producer 0, number 2"},
		{"twice", append(all[:2:2], read{1, "t 0 1 0"}), 9, true, "twice: t-1"},
		{"a stranger", append(all[:2:2], read{1, "t 7 1 0"}), 9, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			book, r := New(), NewReading("t", Promise{Once: true, Transactions: true})
			for n := range 3 {
				x := Transaction{"t", 0, n}
				for partition := 1; partition <= 2; partition++ {
					e := Entry{"t", 0, partition, n}
					book.Send(x, e)
					book.Stored(x, e, int64(n*(2+partition)))
				}
				if n < 2 {
					book.Ask(x)
				}
				if n == 0 {
					book.Confirm(x)
				}
			}
			told := book.Snapshot("t")
			for _, record := range c.records {
				r.Add(int32(record.value[4]-'0'), record.offset, []byte(record.value))
			}
			r.next[1], r.next[2] = c.upTo, c.upTo
			faults := r.Decide(book, told, c.whole)
			if c.fault == "" && len(faults) > 0 || c.fault != "" && (len(faults) != 1 || !strings.Contains(faults[0], c.fault)) {
				t.Errorf("faults %q, want %q", faults, c.fault)
			}
			if committed, doubtful, others := book.Transactions("t"); committed != 1 || doubtful != 1 || others != 1 {
				t.Errorf("%d committed, %d in doubt, %d others", committed, doubtful, others)
			}
		})
	}
}

// A look in the middle leaves what is to come to the next one.
func TestTransactionsThatComeLater(t *testing.T) {
	book, r := New(), NewReading("t", Promise{Once: true, Transactions: true, Gapless: true})
	x := Transaction{"t", 0, 0}
	for n := range 2 {
		book.Send(x, Entry{"t", 0, n, 0})
		book.Stored(x, Entry{"t", 0, n, 0}, 0)
	}
	book.Ask(x)
	before := book.Snapshot("t")
	book.Confirm(x)
	r.Add(0, 0, []byte("t 0 0 0"))
	if faults := r.Decide(book, before, false); len(faults) > 0 {
		t.Error(faults)
	}
	r.next[1] = 1
	if faults := r.Decide(book, book.Snapshot("t"), false); len(faults) != 1 || !strings.Contains(faults[0], "lost: t-1") {
		t.Error(faults)
	}
	r.Add(0, 2, []byte("t 0 0 2"))
	if faults := r.Decide(book, book.Snapshot("t"), false); !strings.Contains(strings.Join(faults, " "), "gap: t-0, producer 0, number 2 follows number 0") {
		t.Error(faults)
	}
	if r.Length(0, 0) != 1 || r.Length(0, 3) != 0 {
		t.Errorf("lengths %d and %d", r.Length(0, 0), r.Length(0, 3))
	}
}
