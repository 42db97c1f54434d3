package commitlog

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ottla/ottla/internal/producerstate"
	"github.com/ottla/ottla/internal/record"
)

// checkLog is an independent look at a log: everything derived must agree with the batches themselves.
func checkLog(tb testing.TB, l *Log) []record.Batch {
	tb.Helper()
	batches := readAll(tb, l, l.StartOffset(), 700)
	next := l.StartOffset()
	for i, b := range batches {
		if err := b.CheckCRC(); err != nil {
			tb.Fatal(err)
		}
		if b.BaseOffset() != next && (i > 0 || b.BaseOffset() > next) {
			tb.Fatalf("batch at %d, expected %d", b.BaseOffset(), next)
		}
		next = b.LastOffset() + 1
	}
	if next != l.EndOffset() {
		tb.Fatalf("batches end at %d, the log at %d", next, l.EndOffset())
	}
	checkOffsets(tb, l, batches)
	checkTimes(tb, l, batches)
	if len(batches) > 0 && l.list()[0].base == 0 && l.StartOffset() == 0 {
		checkProducers(tb, l, batches)
		checkEpochs(tb, l, batches)
	}
	return batches
}

func checkOffsets(tb testing.TB, l *Log, batches []record.Batch) {
	tb.Helper()
	for _, b := range batches {
		for _, offset := range []int64{b.BaseOffset(), b.LastOffset()} {
			span, err := l.Find(max(offset, l.StartOffset()), 1, l.EndOffset(), true)
			if err != nil || span.BaseOffset != b.BaseOffset() || span.Size != b.Length() {
				tb.Fatalf("find %d: batch at %d with %d bytes, want %d with %d; %v", offset, span.BaseOffset, span.Size, b.BaseOffset(), b.Length(), err)
			}
			span.Release()
		}
	}
}

func checkTimes(tb testing.TB, l *Log, batches []record.Batch) {
	tb.Helper()
	type row struct{ offset, ts int64 }
	var rows []row
	largest := row{noOffset, noTimestamp}
	for _, b := range batches {
		for r, err := range b.Records(0) {
			if err != nil {
				tb.Fatal(err)
			}
			if r.Offset < l.StartOffset() {
				continue
			}
			rows = append(rows, row{r.Offset, r.Timestamp})
			if r.Timestamp > largest.ts {
				largest = row{r.Offset, r.Timestamp}
			}
		}
	}
	for i := 0; i < len(rows); i += 1 + len(rows)/20 {
		for _, ts := range []int64{max(0, rows[i].ts), rows[i].ts + 1} {
			want := row{noOffset, noTimestamp}
			if at := slices.IndexFunc(rows, func(r row) bool { return r.ts >= ts }); at >= 0 {
				want = rows[at]
			}
			offset, timestamp, _, found, err := l.OffsetForTimestamp(ts)
			if err != nil || found != (want.offset >= 0) || offset != want.offset || timestamp != want.ts {
				tb.Fatalf("offset for time %d: %d at %d (%v, %v), want %d at %d", ts, offset, timestamp, found, err, want.offset, want.ts)
			}
		}
	}
	if l.list()[0].base < l.StartOffset() {
		return // records below the start still count for the segment's largest timestamp
	}
	if _, ts, _, found, err := l.MaxTimestamp(); err != nil || ts != largest.ts || found != (largest.ts >= 0) {
		tb.Fatalf("max timestamp %d (%v, %v), want %d", ts, found, err, largest.ts)
	}
}

func checkProducers(tb testing.TB, l *Log, batches []record.Batch) {
	tb.Helper()
	table := producerstate.New(l.tp)
	var aborted []Aborted
	for _, b := range batches {
		done, ended, err := table.Update(b)
		if err != nil {
			tb.Fatal(err)
		}
		if ended && done.Aborted {
			aborted = append(aborted, Aborted{done.ProducerID, done.FirstOffset, done.LastOffset, done.LastStableOffset})
		}
	}
	if diff := cmp.Diff(table.Producers(), l.Producers()); diff != "" {
		tb.Fatalf("producers (-replayed +log):\n%s", diff)
	}
	got, err := l.AbortedTransactions(l.StartOffset(), l.EndOffset())
	if err != nil {
		tb.Fatal(err)
	}
	if diff := cmp.Diff(aborted, got); diff != "" {
		tb.Fatalf("aborted transactions (-replayed +log):\n%s", diff)
	}
}

func checkEpochs(tb testing.TB, l *Log, batches []record.Batch) {
	tb.Helper()
	for _, b := range batches {
		if got := l.EpochAt(b.BaseOffset()); got != b.LeaderEpoch() {
			tb.Fatalf("epoch at %d is %d, the batch says %d", b.BaseOffset(), got, b.LeaderEpoch())
		}
	}
}
