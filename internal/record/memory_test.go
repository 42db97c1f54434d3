package record

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"

	"github.com/ottla/ottla/internal/kafka"
)

// zerosRecord writes one record of that many zeros.
func zerosRecord(w io.Writer, size int) {
	head := binary.AppendVarint([]byte{0, 0, 0, 1}, int64(size)) // attributes, deltas, no key; the value's length
	w.Write(append(binary.AppendVarint(nil, int64(len(head)+size+1)), head...))
	zeros := make([]byte, 1<<20)
	for ; size > 0; size -= len(zeros) {
		w.Write(zeros[:min(size, len(zeros))])
	}
	w.Write([]byte{0}) // no headers
}

// packed makes a batch of one record of bytes that are compressed already.
func packed(c Codec, stream []byte) Batch {
	b := Batch(slices.Concat(build(None, nil)[:HeaderSize], stream))
	return edit(b, func(b Batch) {
		set32(atLength, int32(len(b)-LogOverhead))(b)
		set32(atCount, 1)(b)
		set32(atLastOffsetDelta, 0)(b)
		flags(Attributes(c))(b)
	})
}

func zstdStream(t *testing.T, fill func(io.Writer), options ...zstd.EOption) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out, append(options, zstd.WithEncoderConcurrency(1))...)
	if err != nil {
		t.Fatal(err)
	}
	fill(w)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// twoFarHalves are a record whose second half is a copy of the first, far behind it.
func twoFarHalves(w io.Writer) {
	noise := make([]byte, 100<<10)
	random := rand.New(rand.NewPCG(3, 4))
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	var record bytes.Buffer
	zerosRecord(&record, 10<<20)
	body := record.Bytes()
	copy(body[100:], noise)
	copy(body[len(body)-len(noise)-1:], noise)
	w.Write(body)
}

// singleSegment rewrites the header of a frame without content size so that it declares size, to be kept whole.
func singleSegment(frame []byte, size uint32) []byte {
	head := append([]byte(zstdMagic), 2<<6|zstdSingleSegment|frame[4]&zstdChecksum)
	return append(binary.LittleEndian.AppendUint32(head, size), frame[6:]...)
}

type bomb struct {
	name  string
	batch Batch
	want  kafka.ErrorCode
	most  uint64 // bytes that each of them may allocate at most, besides what all share
	share uint64
}

func bombs(t *testing.T) []bomb {
	const large, small = 64 << 20, 20 << 20
	zeros := func(w io.Writer) { zerosRecord(w, large) }
	var gz, some bytes.Buffer
	w, _ := gzip.NewWriterLevel(&gz, gzip.BestSpeed)
	zerosRecord(w, large)
	w.Close()
	zerosRecord(&some, small)
	// A frame of lz4 with blocks of 4 MiB, each a token, a zero, offset 1 and a length.
	block := slices.Concat([]byte{0x1f, 0, 1, 0}, bytes.Repeat([]byte{255}, (4<<20-6-1-19)/255), []byte{byte((4<<20 - 6 - 1 - 19) % 255), 0x50}, make([]byte, 5))
	head := []byte{0x60, 0x70}
	lz := slices.Concat([]byte("\x04\x22\x4D\x18"), head, []byte{byte(xxh32(head) >> 8)})
	for range large / (4 << 20) {
		lz = append(binary.LittleEndian.AppendUint32(lz, uint32(len(block))), block...)
	}
	lz = append(lz, 0, 0, 0, 0)
	far := zstdStream(t, twoFarHalves, zstd.WithWindowSize(128<<20), zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	wide := zstdStream(t, zeros, zstd.WithWindowSize(128<<20))
	accepted := kafka.ErrorCode(0)
	return []bomb{
		{"gzip", packed(Gzip, gz.Bytes()), kafka.MessageTooLarge, 1 << 20, 0},
		{"snappy", packed(Snappy, mustCompress(t, Snappy, some.Bytes())), accepted, 1 << 20, 0},
		{"raw snappy", packed(Snappy, s2.EncodeSnappy(nil, some.Bytes())), accepted, 1 << 20, 32 << 20},
		{"lz4", packed(LZ4, mustCompress(t, LZ4, some.Bytes())), accepted, 1 << 20, 0},
		{"lz4 of large blocks", packed(LZ4, lz), kafka.MessageTooLarge, 6 << 20, 0},
		{"zstd", packed(Zstd, zstdStream(t, zeros)), kafka.MessageTooLarge, 10 << 20, 0},
		{"zstd of a large window", packed(Zstd, wide), kafka.MessageTooLarge, 10 << 20, 0},
		{"zstd of a segment above the budget", packed(Zstd, singleSegment(wide, 120<<20)), kafka.MessageTooLarge, 1 << 20, 0},
		{"zstd of a segment that lies", packed(Zstd, singleSegment(wide, 16<<20)), kafka.InvalidRecord, 10 << 20, 34 << 20},
		{"zstd that needs its window", packed(Zstd, far), accepted, 10 << 20, 34 << 20},
	}
}

// measure returns how many bytes f allocates, and what the heap grows by. No garbage is collected meanwhile, so the heap
// never had more, and pools keep what they have.
func measure(f func()) (allocated, heap uint64) {
	var before, after runtime.MemStats
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc, after.HeapInuse - min(before.HeapInuse, after.HeapInuse)
}

// Batches of at most 1 MB or so that become 10 to 64 MB, eight at once as from eight connections: what they cost in
// memory does not depend on what they become.
func TestBombsCostLittleMemory(t *testing.T) {
	connections, each := 8, 2
	if raced {
		connections, each = 3, 1 // it is slow
	}
	for _, bomb := range bombs(t) {
		t.Run(bomb.name, func(t *testing.T) {
			rules := defaults()
			rules.MaxMessageBytes = 2 << 20
			send := func() {
				var done sync.WaitGroup
				for range connections {
					done.Go(func() {
						batch := slices.Clone(bomb.batch)
						for range each {
							if _, err := Validate(batch, rules, validateNow); kafka.CodeOf(err) != bomb.want {
								t.Error(err)
							}
						}
					})
				}
				done.Wait()
			}
			allocated, heap := measure(send)
			allocated -= min(allocated, uint64(connections*len(bomb.batch)))
			t.Logf("batch of %d KB: %d batches allocate %d KB, heap grows by %d KB", len(bomb.batch)>>10, connections*each, allocated>>10, heap>>10)
			// Only the first on a processor allocate, or twice as many where a goroutine moves from one to another.
			limit := bomb.share + uint64(2*runtime.GOMAXPROCS(0))*bomb.most
			if raced {
				limit = uint64(connections*each) * (bomb.share + bomb.most)
			}
			if allocated > limit {
				t.Errorf("%d KB allocated, at most %d are allowed", allocated>>10, limit>>10)
			}
		})
	}
}

// What recompression would make too large is refused before it is built.
func TestRecompressedBombsCostLittleMemory(t *testing.T) {
	for _, c := range codecs[1:] {
		var records bytes.Buffer
		zerosRecord(&records, 24<<20)
		bomb := packed(c, mustCompress(t, c, records.Bytes()))
		rules := with(func(r *Rules) { r.Compression, r.MaxMessageBytes = &Compression{}, 4<<20 })
		allocated, _ := measure(func() {
			if _, err := Validate(bomb, rules, validateNow); !errors.Is(err, kafka.MessageTooLarge) {
				t.Errorf("%s: %v", c, err)
			}
		})
		if allocated > 12<<20 {
			t.Errorf("%s: %d KB allocated", c, allocated>>10)
		}
	}
}

// What a batch above maxCopy is recompressed to has all its records, from every codec, also from far windows.
func TestLargeBatchesAreRecompressed(t *testing.T) {
	var far bytes.Buffer
	twoFarHalves(&far)
	from := map[string]Batch{"zstd that needs its window": packed(Zstd, zstdStream(t, twoFarHalves, zstd.WithWindowSize(64<<20), zstd.WithEncoderLevel(zstd.SpeedBestCompression)))}
	for _, c := range codecs[1:] {
		from[c.String()] = packed(c, mustCompress(t, c, far.Bytes()))
	}
	for name, b := range from {
		for _, to := range []Codec{None, LZ4} {
			target := NewCompression(to)
			rules := with(func(r *Rules) { r.Compression, r.MaxMessageBytes = &target, 0 })
			v, err := Validate(slices.Clone(b), rules, validateNow)
			if err != nil {
				t.Fatalf("%s to %s: %v", name, to, err)
			}
			got, err := Decompress(nil, to, v.Batch.payload(), far.Len())
			if err != nil || !bytes.Equal(got, far.Bytes()) || v.Rebuilt != (to != b.Attributes().Codec()) {
				t.Errorf("%s to %s: %d bytes, rebuilt %t, %v", name, to, len(got), v.Rebuilt, err)
			}
		}
	}
}

// The same batch again and again costs no allocation, whatever its codec.
func TestValidatingCompressedBatchesAllocatesNothing(t *testing.T) {
	if raced {
		t.Skip("the race detector empties pools")
	}
	for _, size := range []int{1 << 10, 64 << 10, 3 << 20} {
		for _, c := range codecs[1:] {
			b := NewBuilder(BatchOptions{Compression: NewCompression(c)})
			for i := 0; b.Size() < size; i++ {
				b.Add(validateNow, []byte("key"), bytes.Repeat([]byte{byte(i), byte(i >> 8), 3}, 30))
			}
			batch, err := b.Build()
			if err != nil {
				t.Fatal(err)
			}
			got := testing.AllocsPerRun(10, func() {
				if _, err := Validate(batch, defaults(), validateNow); err != nil {
					t.Fatal(err)
				}
			})
			if got != 0 {
				t.Errorf("%s: %v allocations per batch of %d KB", c, got, size>>10)
			}
		}
	}
}

// A window that no Java consumer would take is refused; one that is never used up costs nothing.
func TestZstdWindows(t *testing.T) {
	frame := zstdStream(t, func(w io.Writer) { zerosRecord(w, 3<<20) }, zstd.WithWindowSize(4<<20))
	if frame[4]&zstdSingleSegment != 0 || frame[4]>>6 != 0 {
		t.Fatalf("unexpected descriptor %#x", frame[4])
	}
	for window, want := range map[byte]kafka.ErrorCode{ // exponent above 10, in bits 7 to 3
		12 << 3: 0, 17 << 3: 0, 17<<3 | 1: kafka.InvalidRecord, 21 << 3: kafka.InvalidRecord, 31<<3 | 7: kafka.InvalidRecord,
	} {
		stream := slices.Clone(frame)
		stream[5] = window
		allocated, _ := measure(func() {
			if _, err := Validate(packed(Zstd, stream), defaults(), validateNow); kafka.CodeOf(err) != want {
				t.Errorf("window %#x: %v", window, err)
			}
		})
		if allocated > 10<<20 {
			t.Errorf("window %#x: %d KB allocated", window, allocated>>10)
		}
	}
	// Declared too small for its matches, it is damaged, also for the second try.
	far := zstdStream(t, twoFarHalves, zstd.WithWindowSize(64<<20), zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	for window, want := range map[byte]kafka.ErrorCode{16 << 3: 0, 14 << 3: 0, 13 << 3: kafka.InvalidRecord, 12 << 3: kafka.InvalidRecord} {
		far[5] = window
		if _, err := Validate(packed(Zstd, far), defaults(), validateNow); kafka.CodeOf(err) != want {
			t.Errorf("window %#x: %v", window, err)
		}
	}
}

// Looking for a timestamp in a stored batch does not take memory for all of it.
func TestFindingTimestampsCostsLittleMemory(t *testing.T) {
	for _, c := range codecs[1:] {
		b := NewBuilder(BatchOptions{BaseOffset: 50, Compression: NewCompression(c)})
		for i := range 200 {
			b.Add(validateNow+int64(i), nil, make([]byte, 100<<10))
		}
		batch, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		allocated, _ := measure(func() {
			if offset, ts, found, err := batch.FindTimestamp(validateNow+150, 0, 0); offset != 200 || ts != validateNow+150 || !found || err != nil {
				t.Errorf("%s: %d @%d %t, %v", c, offset, ts, found, err)
			}
			if offset, _, found, err := batch.FindTimestamp(validateNow+3, 220, 0); offset != 220 || !found || err != nil {
				t.Errorf("%s: %d %t, %v", c, offset, found, err)
			}
			if _, _, found, err := batch.FindTimestamp(validateNow+200, 0, 0); found || err != nil {
				t.Errorf("%s: %t, %v", c, found, err)
			}
			if offset, err := batch.OffsetOfMaxTimestamp(0); offset != 249 || err != nil {
				t.Errorf("%s: %d, %v", c, offset, err)
			}
		})
		if allocated > 12<<20 && !raced {
			t.Errorf("%s: %d KB allocated", c, allocated>>10)
		}
	}
}

// A Reader goes on with the memory of a usual batch, not with that of a large one.
func TestReadersDropLargeBuffers(t *testing.T) {
	var rd Reader
	for _, size := range []int{64 << 10, 3 << 20} {
		b := NewBuilder(BatchOptions{Compression: NewCompression(LZ4)})
		b.Add(validateNow, nil, make([]byte, size))
		batch, _ := b.Build()
		for r, err := range rd.Records(batch, 0) {
			if err != nil || len(r.Value) != size {
				t.Fatal(len(r.Value), err)
			}
		}
		if kept := cap(rd.kept); kept < 64<<10 || kept > maxKeptBuffer {
			t.Errorf("keeps %d bytes after a batch of %d", kept, size)
		}
	}
}

// A stream that is read a second time, with a larger window, is judged once.
func TestSecondTryForgetsTheFirst(t *testing.T) {
	keyless := rawRecord(0, 0, 0, 1, 0, 0)
	stream := zstdStream(t, func(w io.Writer) {
		w.Write(keyless)
		twoFarHalves(w)
	}, zstd.WithWindowSize(64<<20), zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	batch := edit(packed(Zstd, stream), func(b Batch) { set32(atCount, 2)(b); set32(atLastOffsetDelta, 1)(b) })
	_, err := Validate(batch, with(func(r *Rules) { r.Compacted = true }), validateNow)
	var invalid *InvalidError
	if !errors.As(err, &invalid) || len(invalid.RecordErrors) != 2 || invalid.RecordErrors[0].BatchIndex != 0 || invalid.RecordErrors[1].BatchIndex != 1 {
		t.Errorf("%v", err)
	}
}
