package record

import (
	"slices"
	"testing"
)

// fuzzBudget keeps a fuzz step short; real budgets differ only in the number.
const fuzzBudget = 1 << 20

func seeds(f *testing.F) {
	for _, c := range validateCases(f) {
		f.Add(c.bytes)
	}
	for _, name := range []string{"topic", "transactions", "tx", "offsets", "metadata"} {
		f.Add(segment(f, name))
	}
}

// Whatever the bytes: batches are parts of them, records are parts of batches, and it ends.
func FuzzIterate(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		total := 0
		for b, err := range Batches(data) {
			if err != nil {
				break
			}
			total += len(b)
			if len(b) != b.Length() || len(b) < HeaderSize || total > len(data) {
				t.Fatalf("batch of %d bytes says %d; %d of %d bytes gone", len(b), b.Length(), total, len(data))
			}
			bytes := 0
			for r, err := range b.Records(fuzzBudget) {
				if err != nil {
					break
				}
				bytes += r.Size()
				n := 0
				for h := range r.Headers() {
					n++
					_ = h
				}
				if n != r.HeaderCount || len(r.Key)+len(r.Value) > r.Size() {
					t.Fatalf("record of %d bytes: key %d, value %d, headers %d of %d", r.Size(), len(r.Key), len(r.Value), n, r.HeaderCount)
				}
			}
			if bytes > max(fuzzBudget, len(b)) {
				t.Fatalf("records of %d bytes", bytes)
			}
			b.EndTxnMarker()
		}
	})
}

// Whatever the bytes: what Validate lets pass is whole, dense, with a true CRC, and passes again; what
// it lets pass with one codec comes out of another with the same records.
func FuzzValidate(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		rules := defaults()
		rules.MaxDecompressedBytes, rules.TimestampAfterMaxMs = fuzzBudget, 1<<62
		data = slices.Clone(data) // which Validate may stamp, and the fuzzer must keep
		if len(data) > HeaderSize {
			Batch(data).stampCRC() // else the fuzzer would have to guess CRCs
		}
		v, err := Validate(data, rules, validateNow)
		if err != nil {
			return
		}
		if err := v.Batch.CheckCRC(); err != nil {
			t.Fatal(err)
		}
		before := content(t, v.Batch)
		if len(before) != v.Count {
			t.Fatalf("%d records, counted %d", len(before), v.Count)
		}
		again, err := Validate(slices.Clone(v.Batch), rules, validateNow)
		if err != nil || !slices.Equal(again.Batch, v.Batch) {
			t.Fatalf("the second time: %v", err)
		}
		target := NewCompression((v.Batch.Attributes().Codec() + 1) % 5)
		rules.Compression, rules.MaxMessageBytes = &target, 0
		other, err := Validate(slices.Clone(v.Batch), rules, validateNow)
		if err != nil || !slices.Equal(content(t, other.Batch), before) {
			t.Fatalf("recompressed with %s: %v", target.Codec, err)
		}
	})
}

// Whatever the bytes, no codec gives more than the budget or takes memory for more.
func FuzzDecompress(f *testing.F) {
	for name, in := range inputs() {
		if len(in) > 70_000 || name == "" {
			continue
		}
		for _, c := range codecs {
			packed, err := Compress(nil, NewCompression(c), in)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(int8(c), packed)
		}
	}
	f.Fuzz(func(t *testing.T, codec int8, data []byte) {
		out, err := Decompress(nil, Codec(codec), data, fuzzBudget)
		if err == nil && len(out) > fuzzBudget {
			t.Fatalf("%d bytes with a budget of %d", len(out), fuzzBudget)
		}
		if cap(out) > 4*fuzzBudget {
			t.Fatalf("capacity %d", cap(out))
		}
	})
}
