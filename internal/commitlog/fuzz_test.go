package commitlog

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// FuzzFiles parses any bytes as each of the small files. What is accepted must be written back as it was.
func FuzzFiles(f *testing.F) {
	f.Add(formatOffsetIndex([]uint64{packEntry(0, indexEntry{5, 100}), packEntry(0, indexEntry{9, 300})}))
	f.Add(formatTimeIndex(0, []timeEntry{{1000, 5}, {2000, 9}}))
	f.Add(appendTxnEntry(nil, Aborted{1, 2, 3, 4}))
	f.Add([]byte("0\n1\norders 3 42\n"))
	f.Add([]byte("version=1\ncluster.id=x\nnode.id=3\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if entries, whole := parseOffsetIndex(b, 1000); whole && !bytes.Equal(formatOffsetIndex(entries), b) {
			t.Error("offset index changed")
		}
		if entries, whole := parseTimeIndex(b, 0, 1000); whole && !bytes.Equal(formatTimeIndex(0, entries), b) {
			t.Error("time index changed")
		}
		if entries, ok := parseTxnIndex(b, 0, 1000); ok {
			var again []byte
			for _, a := range entries {
				again = appendTxnEntry(again, a)
			}
			if !bytes.Equal(again, b) {
				t.Error("transaction index changed")
			}
		}
		_ = parseCheckpoint(string(b), func([]string) error { return nil })
		_, _ = parseMeta(string(b))
		_, _, _ = parseOffsetName(string(b))
	})
}

// FuzzSegment recovers a log from any bytes: it must come up with a valid prefix, and go on from there.
func FuzzSegment(f *testing.F) {
	good := batchOf(f, record.BatchOptions{}, 1000, "a", "b")
	second := batchOf(f, record.BatchOptions{BaseOffset: 2}, 1000, "c")
	f.Add(append(bytes.Clone(good), second...), []byte{}, []byte{})
	f.Add(append(bytes.Clone(good), good[:30]...), []byte{0, 0, 0, 1, 0, 0, 0, 0}, []byte("x"))
	f.Fuzz(func(t *testing.T, log, index, times []byte) {
		disk := vfs.NewMemory()
		stem := segmentStem(filepath.Join(testDir, testPartition.String()), 0)
		if err := disk.MkdirAll(filepath.Dir(stem), 0o755); err != nil {
			t.Fatal(err)
		}
		for suffix, content := range map[string][]byte{logSuffix: log, offsetIndexSuffix: index, timeIndexSuffix: times} {
			if err := writeFile(disk, stem+suffix, content, true); err != nil {
				t.Fatal(err)
			}
		}
		d, err := Open(disk, testDir, testOptions(smallConfig()))
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		l := d.Log(testPartition)
		raw := make([]byte, len(log))
		file, err := disk.OpenFile(l.active().name(), os.O_RDONLY, 0)
		if err == nil {
			n, _ := file.ReadAt(raw, 0)
			if !bytes.HasPrefix(log, raw[:n]) {
				t.Fatal("recovery changed bytes")
			}
		}
		if _, err := l.Append(batchOf(t, record.BatchOptions{}, 0, "x"), AppendOptions{Now: testTime}); err != nil && kafka.CodeOf(err) == kafka.UnknownServerError {
			t.Fatal(err)
		}
		if batches := readAll(t, l, l.StartOffset(), 1000); len(batches) == 0 {
			t.Fatal("nothing can be read")
		}
	})
}
