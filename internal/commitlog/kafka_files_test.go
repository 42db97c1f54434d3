package commitlog

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/vfs"
)

// TestKafkaFiles loads segments that Kafka 4.3 wrote (testdata/kafka), reads and extends them, and finds that the
// indexes we build of the same records are those that Kafka built.
func TestKafkaFiles(t *testing.T) {
	for folder, want := range map[string]int64{"topic": 10, "tx": 4, "transactions": -1, "offsets": -1, "metadata": -1} {
		t.Run(folder, func(t *testing.T) {
			disk := vfs.NewMemory()
			path := filepath.Join(testDir, testPartition.String())
			if err := disk.MkdirAll(path, 0o755); err != nil {
				t.Fatal(err)
			}
			source := filepath.Join("testdata", "kafka", folder)
			entries, err := os.ReadDir(source)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				content, err := os.ReadFile(filepath.Join(source, e.Name()))
				if err != nil {
					t.Fatal(err)
				}
				if err := writeFile(disk, filepath.Join(path, e.Name()), content, true); err != nil {
					t.Fatal(err)
				}
			}
			// An unclean start reads everything, a clean one trusts the files.
			b := open(t, disk, DefaultConfig())
			end := b.log.EndOffset()
			if want >= 0 && end != want {
				t.Fatalf("log ends at %d, want %d", end, want)
			}
			checkKafkaIndex(t, b, source)
			batches := checkLog(t, b.log)
			b.append(testTime.UnixMilli(), "ours")
			b = b.reopen()
			if got := checkLog(t, b.log); len(got) != len(batches)+1 {
				t.Fatalf("%d batches, then %d", len(batches), len(got))
			}
			b.close()
		})
	}
}

// TestKafkaHasCompactedNothing: until it has, Kafka's cleaner-offset-checkpoint is an empty file, and nothing to warn of.
func TestKafkaHasCompactedNothing(t *testing.T) {
	disk := vfs.NewMemory()
	if err := disk.MkdirAll(testDir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(disk, filepath.Join(testDir, cleanerOffsetFile), nil, true); err != nil {
		t.Fatal(err)
	}
	logger, said := logLines()
	openWith(t, disk, DefaultConfig(), func(o *Options) { o.Logger = logger }).close()
	if strings.Contains(said.String(), "checkpoint") {
		t.Error(said)
	}
}

// checkKafkaIndex compares our rebuilt indexes with Kafka's files, if these were written with the default interval
// (one fixture has index.interval.bytes=100).
func checkKafkaIndex(t *testing.T, b *testBench, source string) {
	t.Helper()
	if filepath.Base(source) == "topic" {
		return
	}
	offsets, times := b.log.active().formatIndexes()
	for suffix, got := range map[string][]byte{offsetIndexSuffix: offsets, timeIndexSuffix: times} {
		want, err := os.ReadFile(filepath.Join(source, offsetName(0)+suffix))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: ours %x, Kafka's %x", suffix, got, want)
		}
	}
}
