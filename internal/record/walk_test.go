package record

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

// told is a visitor that notes what it is shown.
type told struct{ lines []string }

func (v *told) visit(index int32, r *Record, keyBytes, valueBytes int) (stop bool) {
	v.lines = append(v.lines, fmt.Sprintf("%d: %d %d @%d key %t %d value %t %d", index, r.OffsetDelta, r.Offset, r.Timestamp, r.Key == nil, keyBytes, r.Value == nil, valueBytes))
	return false
}

// atOnce is what a walker should tell of data, found by parsing it in one piece.
func atOnce(b Batch, data []byte) ([]string, error) {
	var v told
	var r Record
	c := b.cursor(data)
	for i := range b.Count() {
		if err := c.next(&r); err != nil {
			return v.lines, err
		}
		v.visit(i, &r, len(r.Key), len(r.Value))
	}
	return v.lines, c.end(b.Count())
}

// inPieces gives data to a walker in pieces of the given sizes, over and over.
func inPieces(b Batch, data []byte, sizes []byte) ([]string, error) {
	var v told
	var w walker
	w.begin(b, &v)
	for i := 0; len(data) > 0; i++ {
		n := len(data)
		if len(sizes) > 0 {
			n = min(n, int(sizes[i%len(sizes)])+1)
		}
		w.accept(copy(w.space(n), data[:n]))
		data = data[n:]
	}
	w.accept(len(w.space(0))) // as from a codec that comes to the end
	return v.lines, w.finish()
}

func headerFor(count int32) Batch {
	return edit(build(None, nil)[:HeaderSize], func(b Batch) { set32(atCount, count)(b) })
}

// Whatever the bytes and wherever they are cut, a walker tells what is there in one piece.
func FuzzWalk(f *testing.F) {
	for _, c := range validateCases(f) {
		if len(c.bytes) > HeaderSize {
			f.Add(c.bytes[HeaderSize:], int32(3), []byte{0, 3, 1})
		}
	}
	f.Add(slices.Concat(plain(0), plain(1)), int32(1), []byte{2})
	f.Add(slices.Concat(plain(0), rawRecord(append([]byte{0, 0, 2, 0}, append(appendVarint(nil, 70_000), append(make([]byte, 70_000), 0)...)...)...), plain(2)), int32(3), []byte{255})
	f.Fuzz(func(t *testing.T, data []byte, count int32, sizes []byte) {
		b := headerFor(count % 1000)
		want, wantErr := atOnce(b, data)
		got, err := inPieces(b, data, sizes)
		if !slices.Equal(got, want) || fmt.Sprint(err) != fmt.Sprint(wantErr) {
			t.Fatalf("in pieces %q, %v\nat once %q, %v", got, err, want, wantErr)
		}
	})
}

// Whatever the body of a record, parsing it without keeping it decides as parsing it whole.
func FuzzLongRecord(f *testing.F) {
	for _, c := range validateCases(f) {
		if len(c.bytes) > HeaderSize+1 {
			f.Add(c.bytes[HeaderSize+1:], 3)
		}
	}
	f.Add([]byte{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 1, 0}, 1)
	f.Add([]byte{0, 0, 0, 2, 'k', 4, 'v', 'v', 4, 2, 'h', 1, 0, 2, 'x'}, 4)
	f.Fuzz(func(t *testing.T, body []byte, piece int) {
		if len(body) == 0 {
			return
		}
		c := headerFor(1).cursor(nil)
		var want, got Record
		wantErr := c.parse(body, &want)
		l := longRecord{size: len(body)}
		for data := slices.Clone(body); len(data) > 0; {
			n := min(len(data), max(1, piece))
			if rest := l.feed(data[:n]); len(rest) > 0 {
				t.Fatalf("%d bytes of the record left", len(rest))
			}
			data = data[n:]
		}
		err := l.end()
		if rest := l.feed([]byte("behind")); string(rest) != "behind" {
			t.Fatalf("took %d bytes of the next record", 6-len(rest))
		}
		if fmt.Sprint(err) != fmt.Sprint(wantErr) {
			t.Fatalf("%v, want %v", err, wantErr)
		}
		if err != nil {
			return
		}
		l.describe(&c, &got)
		if got.Offset != want.Offset || got.Timestamp != want.Timestamp || got.OffsetDelta != want.OffsetDelta ||
			(got.Key == nil) != (want.Key == nil) || (got.Value == nil) != (want.Value == nil) ||
			max(0, l.keyBytes) != len(want.Key) || max(0, l.valueBytes) != len(want.Value) {
			t.Fatalf("%+v, want %+v", l, want)
		}
	})
}

// Long records in a row, cut at every place around their ends.
func TestLongRecordsAreCutAnywhere(t *testing.T) {
	long := func(delta byte, size int) []byte {
		body := append([]byte{0, 8, 2 * delta}, appendVarint(nil, int32(size))...)
		body = append(append(body, make([]byte, size)...), 1, 4, 0, 1, 2, 'h', 2, 'v')
		return append(appendVarint(nil, int32(len(body))), body...)
	}
	data := slices.Concat(plain(0), long(1, maxStraddling), long(2, maxStraddling-20), plain(3), long(4, 3*maxStraddling))
	b := headerFor(5)
	want, err := atOnce(b, data)
	if err != nil || len(want) != 5 {
		t.Fatal(want, err)
	}
	for first := range len(data) {
		if first > 40 && first < len(data)-40 && first%4001 > 8 {
			continue
		}
		var v told
		var w walker
		w.begin(b, &v)
		for _, piece := range [][]byte{data[:first], data[first:min(first+7, len(data))], data[min(first+7, len(data)):]} {
			w.accept(copy(w.space(len(piece)), piece))
		}
		if err := w.finish(); err != nil || !slices.Equal(v.lines, want) {
			t.Fatalf("cut at %d: %q, %v", first, v.lines, err)
		}
	}
	// Cut short, it tells how much of the last record is there.
	cut := data[:len(data)-5]
	_, wantErr := atOnce(b, cut)
	if _, err := inPieces(b, cut, bytes.Repeat([]byte{200}, 3)); fmt.Sprint(err) != fmt.Sprint(wantErr) {
		t.Errorf("%v, want %v", err, wantErr)
	}
}
