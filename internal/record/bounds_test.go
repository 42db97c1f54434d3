package record

import (
	"errors"
	"slices"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
)

func TestValidatingUncompressedBatchesAllocatesNothing(t *testing.T) {
	b := NewBuilder(BatchOptions{Producer: &Producer{1, 0, 0}})
	for range 1000 {
		b.Add(validateNow, []byte("key"), []byte("value"), Header{"h", []byte("v")})
	}
	batch, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	for _, rules := range []Rules{defaults(), with(func(r *Rules) { r.Compacted, r.TimestampType = true, LogAppendTime })} {
		now := validateNow
		got := testing.AllocsPerRun(100, func() {
			batch.SetMaxTimestamp(CreateTime, validateNow)
			now++
			if _, err := Validate(batch, rules, now); err != nil {
				t.Fatal(err)
			}
		})
		if got != 0 {
			t.Errorf("%v allocations per batch of 1000 records (%s)", got, rules.TimestampType)
		}
	}
}

// A compressed batch costs at most what its pooled decompressor does, nothing per record.
func TestValidatingCompressedBatchesAllocatesNothingPerRecord(t *testing.T) {
	for _, c := range codecs[1:] {
		b := NewBuilder(BatchOptions{Compression: NewCompression(c)})
		for range 5000 {
			b.Add(validateNow, []byte("key"), []byte("value"))
		}
		batch, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		got := testing.AllocsPerRun(50, func() {
			if _, err := Validate(batch, defaults(), validateNow); err != nil {
				t.Fatal(err)
			}
		})
		// It is 0 here, but pools may be emptied at any time, and the race detector does so at random: a new
		// zstd decoder takes some 30 allocations. What counts is that it is far from the 5000 records.
		if got > 50 {
			t.Errorf("%s: %v allocations per batch", c, got)
		}
	}
}

func TestIteratingAllocatesNothingPerRecord(t *testing.T) {
	b := NewBuilder(BatchOptions{})
	for range 1000 {
		b.Add(validateNow, []byte("key"), []byte("value"))
	}
	batch, _ := b.Build()
	segment := slices.Concat(batch, batch, batch)
	got := testing.AllocsPerRun(100, func() {
		n := 0
		for batch, err := range Batches(segment) {
			if err != nil {
				t.Fatal(err)
			}
			for r, err := range batch.Records(0) {
				if err != nil || len(r.Key) != 3 {
					t.Fatal(err)
				}
				n++
			}
		}
		if n != 3000 {
			t.Fatal(n)
		}
	})
	if got > 10 {
		t.Errorf("%v allocations for 3000 records", got)
	}
}

// A batch that would become too much is refused with both numbers, and may be sent in pieces.
func TestBombsAreRefused(t *testing.T) {
	for _, c := range codecs[1:] {
		b := NewBuilder(BatchOptions{Compression: NewCompression(c)})
		b.Add(validateNow, []byte("k"), make([]byte, 40<<20))
		bomb, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		rules := defaults()
		rules.MaxMessageBytes, rules.MaxDecompressedBytes = 0, 39<<20
		_, err = Validate(bomb, rules, validateNow)
		if !errors.Is(err, kafka.MessageTooLarge) {
			t.Errorf("%s: %v", c, err)
		}
		rules.MaxDecompressedBytes = 41 << 20
		_, err = Validate(bomb, rules, validateNow)
		if small := rules.DecompressionBudget(len(bomb)) < 40<<20; small != errors.Is(err, kafka.MessageTooLarge) {
			t.Errorf("%s of %d bytes: %v", c, len(bomb), err)
		}
	}
	rules := Rules{}
	for size, want := range map[int]int{0: 16 << 20, 1 << 10: 16<<20 + 128<<10, 1 << 20: DefaultMaxDecompressedBytes, 100 << 20: DefaultMaxDecompressedBytes} {
		if got := rules.DecompressionBudget(size); got != want {
			t.Errorf("budget of a batch of %d bytes: %d, want %d", size, got, want)
		}
	}
}

// The answer to a batch in which all is wrong does not grow with it, and still tells how much it is.
func TestRecordErrorsAreBounded(t *testing.T) {
	b := NewBuilder(BatchOptions{})
	for range 5000 {
		b.Add(validateNow, nil, nil)
	}
	batch, _ := b.Build()
	_, err := Validate(batch, with(func(r *Rules) { r.Compacted = true }), validateNow)
	var invalid *InvalidError
	if !errors.As(err, &invalid) || len(invalid.RecordErrors) != maxRecordErrors {
		t.Fatalf("%d record errors; %v", len(invalid.RecordErrors), err)
	}
	if want := "One or more records have been rejected due to 5000 record errors in total"; invalid.Message[:len(want)] != want {
		t.Error(invalid.Message)
	}
	if kafka.CodeOf(err) != kafka.InvalidRecord || *kafka.MessageOf(err) != invalid.Message {
		t.Errorf("code %v, message %v", kafka.CodeOf(err), *kafka.MessageOf(err))
	}
}
