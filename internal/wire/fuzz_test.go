package wire

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// FuzzDecode reads bytes as any version of any message: no panic, no more memory than the budget, and
// what is read without an error is written and read again the same.
func FuzzDecode(f *testing.F) {
	all := subjects(f)
	slices.SortFunc(all, func(a, b subject) int { return strings.Compare(a.name, b.name) }) // the fuzzer needs a fixed order
	rng := rand.New(rand.NewPCG(5, 6))
	for i, s := range all {
		for version := s.versions.Min; version <= s.versions.Max; version++ {
			m := s.make()
			randomize(rng, reflect.ValueOf(m).Elem())
			var w Writer
			m.Encode(&w, int16(version))
			f.Add(uint16(i), uint8(version-s.versions.Min), w.Bytes())
		}
	}
	f.Add(uint16(0), uint8(0), []byte{0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, message uint16, version uint8, in []byte) {
		s := all[int(message)%len(all)]
		checkDecode(t, s, int16(s.versions.Min)+int16(int(version)%(s.versions.Max-s.versions.Min+1)), in)
	})
}

// fuzzBudget is small, so that what exceeds it shows.
const fuzzBudget = 4 << 10

func checkDecode(t *testing.T, s subject, version int16, in []byte) {
	t.Helper()
	m := s.make()
	r := &Reader{Budget: fuzzBudget}
	r.Reset(in)
	var err error
	allocated := measure(func() {
		m.Decode(r, version)
		err = r.Done()
	})
	// Twice the budget and a little more: slices of tags grow by doubling, sizes are rounded up, other
	// goroutines of the test allocate too.
	if limit := uint64(2*(fuzzBudget+amplification*len(in)) + 16<<10); allocated > limit {
		t.Errorf("%s version %d: %d bytes allocated for %d of input, at most %d", s.name, version, allocated, len(in), limit)
	}
	if err != nil {
		return
	}
	var first, second Writer
	m.Encode(&first, version)
	if first.Err() != nil {
		t.Fatalf("%s version %d: what was read cannot be written: %v", s.name, version, first.Err())
	}
	again := s.make()
	r = NewReader(first.Bytes())
	again.Decode(r, version)
	if err := r.Done(); err != nil {
		t.Fatalf("%s version %d: what was written cannot be read: %v", s.name, version, err)
	}
	again.Encode(&second, version)
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Fatalf("%s version %d: unstable\n%x\n%x", s.name, version, first.Bytes(), second.Bytes())
	}
}
