package storagecheck

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/ottla/ottla/internal/vfs"
)

// TestKafkasDirectoryIsClean reads what Kafka 4.3.1 left after a clean stop: plain records in all codecs, transactions, a
// compacted topic, coordinators' logs, the metadata log.
func TestKafkasDirectoryIsClean(t *testing.T) {
	disk := vfs.NewMemory()
	source := filepath.Join("testdata", "kafka")
	err := filepath.WalkDir(source, func(path string, e fs.DirEntry, err error) error {
		name, _ := filepath.Rel(source, path)
		if err != nil || e.IsDir() {
			_ = disk.MkdirAll(filepath.Join(testDir, name), 0o755)
			return err
		}
		content, err := os.ReadFile(path)
		write(t, disk, filepath.Join(testDir, name), content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, clean := range []bool{true, false} {
		if !clean {
			unclean(t, disk)
			write(t, disk, filepath.Join(testDir, cleanerFile), nil) // as it is before the first compaction
		}
		r := verify(t, disk)
		for _, f := range r.Findings {
			t.Error(f.String())
		}
		if r.Clean != clean || r.Partitions != 6 || r.Batches < 300 {
			t.Errorf("%+v", *r)
		}
		if x := r.Transactions; x.Committed+x.Aborted == 0 || len(x.Open) > 0 {
			t.Errorf("transactions: %+v", x)
		}
	}
}
