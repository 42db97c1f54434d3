package record

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The files were made with Kafka's own code: three records for each of no compression, gzip, snappy and lz4, from offset 5 on.
func TestLegacyFormatsOfKafka(t *testing.T) {
	for _, c := range []struct {
		folder    string
		magic     int8
		timestamp func(i int64) int64
	}{
		{"legacy-v0c", 0, func(int64) int64 { return NoTimestamp }},
		{"legacy-v1c", 1, func(i int64) int64 { return 1600000000000 + i%3 }},
		{"legacy-v1a", 1, func(int64) int64 { return 1600000099999 }},
	} {
		data, err := os.ReadFile(filepath.Join("..", "..", "test", "golden", "testdata", "fixtures", c.folder, "00000000000000000005.log"))
		if err != nil {
			t.Fatal(err)
		}
		keys, values := []string{"k0", "null", "k2"}, []string{"value0", "value1", "null"}
		n := int64(0)
		for len(data) > 0 {
			var l Legacy
			if l, data, err = FirstLegacy(data); err != nil {
				t.Fatal(err)
			}
			if l.Magic() != c.magic || !l.Valid() {
				t.Errorf("%s: magic %d, valid %t", c.folder, l.Magic(), l.Valid())
			}
			for r, err := range l.Records(0) {
				if err != nil {
					t.Fatal(err)
				}
				if r.Offset != 5+n || r.Timestamp != c.timestamp(n) || textOrNull(r.Key) != keys[n%3] || textOrNull(r.Value) != values[n%3] || !r.Valid {
					t.Errorf("%s: record %d is %+v", c.folder, n, r)
				}
				n++
			}
		}
		if n != 12 {
			t.Errorf("%s: %d records, want 12", c.folder, n)
		}
	}
}

func textOrNull(b []byte) string {
	if b == nil {
		return "null"
	}
	return string(b)
}

// legacy makes an entry of format v1 with a null key.
func legacy(offset int64, attributes byte, value []byte) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(offset))
	b = binary.BigEndian.AppendUint32(b, uint32(4+1+1+8+4+4+len(value)))
	b = append(b, 0, 0, 0, 0, 1, attributes)
	b = binary.BigEndian.AppendUint64(b, 77)
	b = binary.BigEndian.AppendUint32(b, 0xffffffff)
	b = binary.BigEndian.AppendUint32(b, uint32(len(value)))
	b = append(b, value...)
	binary.BigEndian.PutUint32(b[legacyCRC:], crc32.ChecksumIEEE(b[legacyMagic:]))
	return b
}

func TestLegacyFaults(t *testing.T) {
	gzip := func(b []byte) []byte {
		out, err := Compress(nil, NewCompression(Gzip), b)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	inner := append(legacy(0, 0, []byte("a")), legacy(1, 0, []byte("b"))...)
	for name, c := range map[string]struct {
		entry []byte
		want  string
	}{
		"wrapped twice":          {legacy(9, 1, gzip(legacy(0, 1, gzip(inner)))), "Inner messages must not be compressed"},
		"nothing inside":         {legacy(9, 1, gzip(nil)), "no inner records"},
		"offsets below zero":     {legacy(1, 1, gzip(append(inner, legacy(5, 0, nil)...))), "wrapper offset '1' is less than the last inner message offset '5'"},
		"zstd":                   {legacy(9, 4, []byte("x")), "Invalid wrapper compressionType"},
		"not gzip":               {legacy(9, 1, []byte("x")), "decompress"},
		"a value past the entry": {legacy(9, 0, []byte("abc"))[:legacyTime+8+4+4], "longer than"},
	} {
		var fault error
		for _, err := range Legacy(c.entry).Records(0) {
			fault = err
		}
		if fault == nil || !strings.Contains(fault.Error(), c.want) {
			t.Errorf("%s: error %v, want %s", name, fault, c.want)
		}
	}
	if _, _, err := FirstLegacy(inner[:20]); !errors.Is(err, ErrIncomplete) {
		t.Errorf("a cut entry gives %v", err)
	}
	for r, err := range Legacy(legacy(0, 1, gzip(inner))).Records(0) {
		if err != nil || r.Offset > 1 {
			t.Errorf("a wrapper at offset 0, as old librdkafka wrote it, gives offset %d, %v", r.Offset, err)
		}
	}
}

func FuzzLegacy(f *testing.F) {
	f.Add(legacy(5, 0, []byte("value")))
	f.Add(legacy(5, 3, []byte("\x04\x22\x4d\x18\x60\x40\x82\x00\x00\x00\x00")))
	f.Fuzz(func(t *testing.T, b []byte) {
		for {
			l, rest, err := FirstLegacy(b)
			if err != nil {
				return
			}
			l.Valid()
			l.TimestampType()
			for range l.Records(1 << 20) {
			}
			b = rest
		}
	})
}
