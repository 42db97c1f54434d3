package partition

import (
	"slices"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

func TestRead(t *testing.T) {
	w := newWorld(t, vfs.NewMemory(), nil)
	defer w.close()
	w.replay(topic("t", 1, 1, self)...)
	p := w.get("t", 0)
	for _, v := range []string{"a", "b", "c"} { // epoch 0
		if err := w.receive(w.await(p, w.append(p, -1, v).NextOffset)); err != nil {
			t.Fatal(err)
		}
	}
	w.replay(changed(1, func(r *wire.PartitionChangeRecord) { r.Leader = self }))
	if err := w.receive(w.await(p, w.append(p, -1, "d").NextOffset)); err != nil { // epoch 1
		t.Fatal(err)
	}
	if _, err := p.DeleteBefore(1); err != nil {
		t.Fatal(err)
	}
	one := len(batch(t, "a"))
	for _, c := range []struct {
		name     string
		read     Read
		want     []string
		code     kafka.ErrorCode
		diverged *Divergence
	}{
		{"all", Read{Offset: 1, MaxBytes: 1000}, []string{"b", "c", "d"}, 0, nil},
		{"one", Read{Offset: 2, MaxBytes: one}, []string{"c"}, 0, nil},
		{"too small", Read{Offset: 1, MaxBytes: one - 1}, nil, 0, nil},
		{"too small, but one", Read{Offset: 1, MaxBytes: 0, AtLeastOne: true}, []string{"b"}, 0, nil},
		{"negative limit", Read{Offset: 1, MaxBytes: -5, AtLeastOne: true}, []string{"b"}, 0, nil},
		{"end", Read{Offset: 4, MaxBytes: 1000}, nil, 0, nil},
		{"above the end", Read{Offset: 5, MaxBytes: 1000}, nil, kafka.OffsetOutOfRange, nil},
		{"below the start", Read{Offset: 0, MaxBytes: 1000}, nil, kafka.OffsetOutOfRange, nil},
		{"below the start, of another history", Read{Offset: 0, MaxBytes: 1000, LastFetchedEpoch: 9}, nil, kafka.OffsetOutOfRange, nil},
		{"negative", Read{Offset: -1, MaxBytes: 1000}, nil, kafka.OffsetOutOfRange, nil},
		{"same history", Read{Offset: 3, MaxBytes: 1000, LastFetchedEpoch: 0 + epochZero}, []string{"d"}, 0, nil},
		{"further in an old epoch than it went", Read{Offset: 4, MaxBytes: 1000, LastFetchedEpoch: 0 + epochZero}, nil, 0, &Divergence{0, 3}},
		{"an epoch that never was", Read{Offset: 4, MaxBytes: 1000, LastFetchedEpoch: 9}, nil, kafka.OffsetOutOfRange, nil},
		{"committed", Read{Offset: 1, MaxBytes: 1000, Committed: true}, []string{"b", "c", "d"}, 0, nil},
	} {
		switch c.read.LastFetchedEpoch {
		case 0:
			c.read.LastFetchedEpoch = AnyEpoch
		case epochZero:
			c.read.LastFetchedEpoch = 0
		}
		c.read.LeaderEpoch = AnyEpoch
		found, err := p.Read(c.read)
		if kafka.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %v", c.name, err, c.code)
			continue
		}
		if found.HighWatermark != 4 || found.LastStable != 4 || found.Start != 1 {
			t.Errorf("%s: offsets %+v", c.name, found)
		}
		if (found.Diverged == nil) != (c.diverged == nil) || found.Diverged != nil && *found.Diverged != *c.diverged {
			t.Errorf("%s: diverged %+v, want %+v", c.name, found.Diverged, c.diverged)
		}
		if found.Span.Size > 0 || c.want != nil {
			if got := valuesOf(t, &found.Span); !slices.Equal(got, c.want) {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
			found.Span.Release()
		}
	}
}

// epochZero stands for epoch 0 in the table above, where 0 stands for none.
const epochZero int32 = -100

func TestDeleteBefore(t *testing.T) {
	w := newWorld(t, vfs.NewMemory(), nil)
	defer w.close()
	w.replay(append(topic("t", 1, 1, self), append(topic("compacted", 2, 1, self), setting("compacted", "cleanup.policy", "compact"))...)...)
	p := w.get("t", 0)
	if err := w.receive(w.await(p, w.append(p, -1, "a", "b", "c").NextOffset)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		offset, low int64
		code        kafka.ErrorCode
	}{{4, -1, kafka.OffsetOutOfRange}, {-2, -1, kafka.OffsetOutOfRange}, {1, 1, 0}, {0, 1, 0}, {-1, 3, 0}} {
		if low, err := p.DeleteBefore(c.offset); low != c.low || kafka.CodeOf(err) != c.code {
			t.Errorf("delete before %d: %d, %v; want %d, %v", c.offset, low, err, c.low, c.code)
		}
	}
	_, err := w.get("compacted", 0).DeleteBefore(-1)
	w.wantCode(err, kafka.PolicyViolation)
}

// A coordinator reads back what it wrote, however it is cut into batches and segments.
func TestCoordinatorLogLoad(t *testing.T) {
	w := newWorld(t, vfs.NewMemory(), nil)
	defer w.close()
	w.replay(append(topic("t", 1, 1, self), setting("t", "segment.bytes", "1048576"))...)
	l := w.get("t", 0).CoordinatorLog(0)
	big := string(make([]byte, 300<<10))
	var next int64
	for range 12 {
		var err error
		if next, err = l.Append(batch(t, big, "x")); err != nil {
			t.Fatal(err)
		}
	}
	told := make(chan error, 1)
	l.Await(next, func(err error) { told <- err })
	if err := w.receive(told); err != nil {
		t.Fatal(err)
	}
	var expect int64
	if err := l.Load(func(b record.Batch) error {
		if b.BaseOffset() != expect {
			t.Errorf("batch at %d, want %d", b.BaseOffset(), expect)
		}
		expect = b.LastOffset() + 1
		return b.CheckCRC()
	}); err != nil {
		t.Fatal(err)
	}
	if expect != 24 {
		t.Errorf("loaded up to %d", expect)
	}
	if err := l.Load(func(record.Batch) error { return kafka.CorruptMessage }); kafka.CodeOf(err) != kafka.CorruptMessage {
		t.Errorf("an error of the reader: %v", err)
	}
}
