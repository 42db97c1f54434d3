package record

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/kafka"
)

var codecs = []Codec{None, Gzip, Snappy, LZ4, Zstd}

// inputs are payloads of sizes around the block sizes of the codecs, easy and hard to compress.
func inputs() map[string][]byte {
	random := rand.New(rand.NewPCG(1, 2))
	m := map[string][]byte{}
	for _, size := range []int{0, 1, 13, 1000, 32 << 10, 32<<10 + 1, 64 << 10, 64<<10 + 1, 300_001} {
		m[fmt.Sprintf("text%d", size)] = bytes.Repeat([]byte(`{"order":17,"state":"paid"},`), size/28+1)[:size]
		m[fmt.Sprintf("zero%d", size)] = make([]byte, size)
		noise := make([]byte, size)
		for i := range noise {
			noise[i] = byte(random.Uint32())
		}
		m[fmt.Sprintf("noise%d", size)] = noise
	}
	return m
}

func TestCompressedBytesComeBack(t *testing.T) {
	for name, in := range inputs() {
		for _, c := range codecs {
			levels := []int{NewCompression(c).Level}
			switch c {
			case Gzip:
				levels = append(levels, 1, 9)
			case LZ4:
				levels = append(levels, 1, 5, 17)
			case Zstd:
				levels = append(levels, -5, 1, 8, 22)
			}
			for _, level := range levels {
				packed, err := Compress([]byte("before"), Compression{c, level}, in)
				if err != nil {
					t.Fatalf("%s %s %d: %v", name, c, level, err)
				}
				if string(packed[:6]) != "before" {
					t.Fatalf("%s %s: what was in dst is gone", name, c)
				}
				out, err := Decompress([]byte("prefix"), c, packed[6:], len(in))
				if err != nil || !bytes.Equal(out, append([]byte("prefix"), in...)) {
					t.Errorf("%s %s level %d: %d bytes came back, want %d; %v", name, c, level, len(out)-6, len(in), err)
				}
			}
		}
	}
}

// franz-go reads what we write, and we read what it writes (raw snappy among others).
func TestCodecsAgreeWithFranzGo(t *testing.T) {
	theirs := map[Codec]kgo.CompressionCodec{Gzip: kgo.GzipCompression(), Snappy: kgo.SnappyCompression(), LZ4: kgo.Lz4Compression(), Zstd: kgo.ZstdCompression()}
	unpack := kgo.DefaultDecompressor()
	for name, in := range inputs() {
		if len(in) == 0 {
			continue
		}
		for c, codec := range theirs {
			pack, err := kgo.DefaultCompressor(codec)
			if err != nil {
				t.Fatal(err)
			}
			packed, used := pack.Compress(new(bytes.Buffer), in)
			if Codec(used) != c {
				t.Fatalf("franz-go used %d for %s", used, c)
			}
			if out, err := Decompress(nil, c, packed, len(in)); err != nil || !bytes.Equal(out, in) {
				t.Errorf("%s: we cannot read franz-go's %s: %v", name, c, err)
			}
			ours, err := Compress(nil, NewCompression(c), in)
			if err != nil {
				t.Fatal(err)
			}
			if out, err := unpack.Decompress(ours, kgo.CompressionCodecType(c)); err != nil || !bytes.Equal(out, in) {
				t.Errorf("%s: franz-go cannot read our %s: %v", name, c, err)
			}
		}
	}
}

func TestDecompressionStopsAtTheBudget(t *testing.T) {
	in := make([]byte, 1_000_000)
	raw := s2.EncodeSnappy(nil, in)
	for _, c := range codecs[1:] {
		packed, err := Compress(nil, NewCompression(c), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, budget := range []int{0, 1, 65_535, 65_536, 999_999} {
			dst, err := Decompress(nil, c, packed, budget)
			if !errors.Is(err, kafka.MessageTooLarge) {
				t.Errorf("%s with a budget of %d: %v", c, budget, err)
			}
			if cap(dst) > 2*budget+1 {
				t.Errorf("%s with a budget of %d took %d bytes", c, budget, cap(dst))
			}
		}
		if _, err := Decompress(nil, c, packed, len(in)); err != nil {
			t.Errorf("%s with exactly enough: %v", c, err)
		}
	}
	if _, err := Decompress(nil, Snappy, raw, len(in)-1); !errors.Is(err, kafka.MessageTooLarge) {
		t.Errorf("raw snappy: %v", err)
	}
}

// A few bytes that claim to become gigabytes cost nothing.
func TestDeclaredSizesAreNotBelieved(t *testing.T) {
	claim := binary.AppendUvarint(nil, 1<<31)
	frames := map[string]struct {
		codec Codec
		bytes []byte
	}{
		"raw snappy":          {Snappy, append(claim, 0)},
		"snappy in budget":    {Snappy, append(binary.AppendUvarint(nil, 100<<20), 0)},
		"snappy that adds up": {Snappy, append(binary.AppendUvarint(nil, 100<<20), 0, 'x')},
		"xerial block size":   {Snappy, append([]byte(xerialHeader), 0xff, 0xff, 0xff, 0xff, 1)},
		"zstd content size":   {Zstd, unhex("28b52ffda0000000080100000000")}, // 128 MiB, then an empty block
		"lz4 block size":      {LZ4, append([]byte(lz4Header), 0xff, 0xff, 0xff, 0x7f)},
	}
	for name, f := range frames {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Decompress(nil, f.codec, f.bytes, DefaultMaxDecompressedBytes)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > 2<<20 {
			t.Errorf("%s: %d bytes allocated for an input of %d", name, got, len(f.bytes))
		}
	}
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func TestDamagedStreamsAreRefused(t *testing.T) {
	in := bytes.Repeat([]byte("damage "), 20_000)
	s2Block := s2.Encode(nil, bytes.Repeat([]byte("abcdefgh12345678"), 100))
	frames := map[string]struct {
		codec Codec
		bytes []byte
	}{
		"S2, which is not snappy": {Snappy, s2Block},
		"lz4 dependent blocks":    {LZ4, lz4Frame(0x40, 0x40)},
		"lz4 wrong version":       {LZ4, lz4Frame(0xa0, 0x40)},
		"lz4 reserved bit":        {LZ4, lz4Frame(0x61, 0x40)},
		"lz4 bad checksum":        {LZ4, []byte("\x04\x22\x4D\x18\x60\x40\x83\x00\x00\x00\x00")},
		"lz4 legacy frame":        {LZ4, unhex("02214c1800000000")},
		"zstd skippable only":     {Zstd, unhex("502a4d18ffffffff")},
		"gzip with a tail":        {Gzip, append(mustCompress(t, Gzip, in), 1, 2, 3)},
	}
	for _, c := range codecs[1:] {
		packed := mustCompress(t, c, in)
		frames[c.String()+" cut"] = struct {
			codec Codec
			bytes []byte
		}{c, packed[:len(packed)-1]}
		frames[c.String()+" nonsense"] = struct {
			codec Codec
			bytes []byte
		}{c, []byte("nonsense nonsense nonsense")}
		frames[c.String()+" empty"] = struct {
			codec Codec
			bytes []byte
		}{c, nil}
	}
	delete(frames, "zstd empty") // no frame at all is no data
	for name, f := range frames {
		if _, err := Decompress(nil, f.codec, f.bytes, 1<<20); !errors.Is(err, kafka.InvalidRecord) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Decompress(nil, 5, in, 1<<20); !errors.Is(err, kafka.UnsupportedCompressionType) {
		t.Errorf("codec 5: %v", err)
	}
}

func mustCompress(t *testing.T, c Codec, in []byte) []byte {
	t.Helper()
	out, err := Compress(nil, NewCompression(c), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func lz4Frame(flags, descriptor byte) []byte {
	head := []byte{flags, descriptor}
	return slices.Concat([]byte("\x04\x22\x4D\x18"), head, []byte{byte(xxh32(head) >> 8), 0, 0, 0, 0})
}

func TestFramesOfOtherWriters(t *testing.T) {
	in := bytes.Repeat([]byte("frames "), 30_000)
	block := s2.EncodeSnappy(nil, in[:7])
	xerial := slices.Concat([]byte(xerialHeader), []byte{0, 0, 0, byte(len(block))}, block, []byte(xerialHeader), []byte{0, 0, 0, byte(len(block))}, block)
	if out, err := Decompress(nil, Snappy, xerial, 100); err != nil || string(out) != "frames frames " {
		t.Errorf("two xerial streams in a row: %q, %v", out, err)
	}
	// lz4 with content size, block checksums, content checksum and a stored block.
	head := append([]byte{0x7c, 0x50}, binary.LittleEndian.AppendUint64(nil, 5)...)
	sum := binary.LittleEndian.AppendUint32(nil, xxh32([]byte("hello")))
	lz := slices.Concat([]byte("\x04\x22\x4D\x18"), head, []byte{byte(xxh32(head) >> 8), 5, 0, 0, 0x80}, []byte("hello"), sum, []byte{0, 0, 0, 0}, sum)
	if out, err := Decompress(nil, LZ4, lz, 100); err != nil || string(out) != "hello" {
		t.Errorf("lz4 with all checksums: %q, %v", out, err)
	}
	lz[len(lz)-10]++
	if _, err := Decompress(nil, LZ4, lz, 100); err == nil || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("lz4 with a wrong block checksum: %v", err)
	}
	// zstd as streaming writers make it: a large window and no content size.
	var buf bytes.Buffer
	w, _ := zstd.NewWriter(&buf, zstd.WithWindowSize(64<<20), zstd.WithEncoderConcurrency(1))
	w.Write(in[:100])
	w.Flush()
	w.Write(in[100:])
	w.Close()
	if out, err := Decompress(nil, Zstd, buf.Bytes(), len(in)); err != nil || !bytes.Equal(out, in) {
		t.Errorf("zstd stream: %d bytes, %v", len(out), err)
	}
}

// The two checksums are from the reference implementation (xxhsum -H32).
func TestXXH32(t *testing.T) {
	for in, want := range map[string]uint32{"": 0x02cc5d05, "a": 0x550d7456, "Nobody inspects the spammish repetition": 0xe2293b2f} {
		if got := xxh32([]byte(in)); got != want {
			t.Errorf("xxh32(%q) = %#x, want %#x", in, got, want)
		}
	}
}

func TestParseCompression(t *testing.T) {
	for text, want := range map[string]string{"producer": "<nil>", "uncompressed": "&{none 0}", "gzip": "&{gzip -1}", "snappy": "&{snappy 0}", "lz4": "&{lz4 9}", "zstd": "&{zstd 3}"} {
		if got, err := ParseCompression(text); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"none", "", "GZIP", "brotli"} {
		if _, err := ParseCompression(text); !errors.Is(err, kafka.InvalidConfig) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
