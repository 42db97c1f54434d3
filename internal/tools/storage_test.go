package tools

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// storedLog is a log directory with one partition of ten batches, closed.
func storedLog(t *testing.T) (dir, segment string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "data")
	d, err := commitlog.Open(vfs.Disk(), dir, commitlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := d.Create(kafka.TopicPartition{Topic: "orders", Partition: 0}, kafka.UUID{7}, commitlog.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		b := record.NewBuilder(record.BatchOptions{})
		b.Add(1000, nil, []byte("value"))
		batch, _ := b.Build()
		if _, err := l.Append(batch, commitlog.AppendOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, filepath.Join(dir, "orders-0", "00000000000000000000.log")
}

func storage(stdin string, args ...string) (stdout, stderr string, exit int) {
	var out, err bytes.Buffer
	exit = Storage(args, strings.NewReader(stdin), &out, &err)
	return out.String(), err.String(), exit
}

// damageBatch flips a bit in the fourth of ten equal batches.
func damageBatch(t *testing.T, segment string) {
	t.Helper()
	b, err := os.ReadFile(segment)
	if err != nil {
		t.Fatal(err)
	}
	b[3*len(b)/10+65] ^= 1
	if err := os.WriteFile(segment, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestStorageVerify(t *testing.T) {
	dir, segment := storedLog(t)
	if out, stderr, exit := storage("", "verify", dir); exit != 0 || !strings.Contains(out, "Nothing is wrong") || !strings.Contains(out, "stopped cleanly") {
		t.Errorf("exit %d, %s%s", exit, out, stderr)
	}
	damageBatch(t, segment)
	out, _, exit := storage("", "verify", dir)
	if exit != 1 || !strings.Contains(out, "damaged: orders-0/00000000000000000000.log at position 219 (offset 3)") {
		t.Errorf("exit %d, %s", exit, out)
	}
	out, _, exit = storage("", "verify", "--json", dir)
	var report struct {
		LosesData   bool
		Directories []struct {
			Clean    bool
			Records  int
			Findings []struct {
				Severity, Partition   string
				Position, FirstOffset int64
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil || exit != 1 || !report.LosesData {
		t.Fatalf("exit %d, %v: %s", exit, err, out)
	}
	if d := report.Directories[0]; !d.Clean || d.Records != 9 || len(d.Findings) != 1 || d.Findings[0].Severity != "damaged" || d.Findings[0].Position != 219 || d.Findings[0].FirstOffset != 3 {
		t.Errorf("%+v", d)
	}
}

func TestStorageVerifyTellsOfTransactions(t *testing.T) {
	dir, _ := storedLog(t)
	d, err := commitlog.Open(vfs.Disk(), dir, commitlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := record.NewBuilder(record.BatchOptions{Transactional: true, Producer: &record.Producer{ID: 5, Epoch: 3}})
	b.Add(1000, nil, []byte("value"))
	batch, _ := b.Build()
	if _, err := d.Log(kafka.TopicPartition{Topic: "orders"}).Append(batch, commitlog.AppendOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	out, _, exit := storage("", "verify", dir)
	for _, want := range []string{"0 committed, 0 aborted, 1 open; 0 markers ended none.", "open: orders-0 from offset 10: producer 5, epoch 3, last wrote 1970-01-01T00:00:01.000Z; no coordinator"} {
		if exit != 0 || !strings.Contains(out, want) {
			t.Errorf("exit %d, %s", exit, out)
		}
	}
	if out, _, _ := storage("", "verify", "--json", dir); !strings.Contains(out, `"producerId": 5`) {
		t.Errorf("%s", out)
	}
}

func TestStorageVerifySaysThatAStopWasUnclean(t *testing.T) {
	dir, _ := storedLog(t)
	if err := os.Remove(filepath.Join(dir, ".kafka_cleanshutdown")); err != nil {
		t.Fatal(err)
	}
	if out, _, exit := storage("", "verify", dir); exit != 0 || !strings.Contains(out, "its next start recovers the logs") {
		t.Errorf("exit %d, %s", exit, out)
	}
}

func TestStorageRefuses(t *testing.T) {
	dir, _ := storedLog(t)
	d, err := commitlog.Open(vfs.Disk(), dir, commitlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for want, args := range map[string][]string{
		"in use by a broker":    {"verify", dir},
		"stop the broker first": {"repair", "--yes", dir},
		"which log directory":   {"verify"},
		"no option --yes":       {"verify", "--yes", dir},
		"needs a value":         {"repair", dir, "--backup"},
		"a number from 1 on":    {"verify", "--workers=x", dir},
		"one log directory":     {"repair", dir, dir},
		"no such file":          {"verify", filepath.Join(dir, "nothing")},
		"usage:":                {"destroy", dir},
	} {
		if out, stderr, exit := storage("", args...); exit != 2 || out != "" || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit %d, %s%s", args, exit, out, stderr)
		}
	}
}

func TestStorageVerifyComparesDirectories(t *testing.T) {
	dir, _ := storedLog(t)
	twin := filepath.Join(t.TempDir(), "twin")
	if err := os.CopyFS(twin, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if out, _, exit := storage("", "verify", dir, twin); exit != 1 || !strings.Contains(out, "partition orders-0 is also in "+dir) {
		t.Errorf("exit %d, %s", exit, out)
	}
}

// TestStorageRepairAsks: nothing is changed without a yes.
func TestStorageRepairAsks(t *testing.T) {
	dir, segment := storedLog(t)
	damageBatch(t, segment)
	damaged, _ := os.ReadFile(segment)
	unchanged := func() bool {
		now, err := os.ReadFile(segment)
		left, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), "lost+*"))
		return err == nil && bytes.Equal(now, damaged) && len(left) == 0
	}
	if _, stderr, exit := storage("y\n", "repair", dir); exit != 2 || !strings.Contains(stderr, "--yes") || !unchanged() {
		t.Errorf("without a terminal: exit %d, %s", exit, stderr)
	}
	for _, answer := range []string{"\n", "n\n", "", "yo\n"} {
		var out, stderr bytes.Buffer
		r := &storageRepair{storageOptions{dirs: []string{dir}}, strings.NewReader(answer), &out, &stderr, true}
		if exit := r.run(t.Context()); exit != 1 || !strings.Contains(out.String(), "Nothing was changed") || !unchanged() {
			t.Errorf("answer %q: exit %d, %s%s", answer, exit, &out, &stderr)
		}
	}
	var out, stderr bytes.Buffer
	r := &storageRepair{storageOptions{dirs: []string{dir}}, strings.NewReader("y\n"), &out, &stderr, true}
	if exit := r.run(t.Context()); exit != 0 || !strings.Contains(out.String(), "Lost: orders-0, offsets 3 to 3, up to 1 records") || unchanged() {
		t.Errorf("answer y: exit %d, %s%s", exit, &out, &stderr)
	}
	if out, _, exit := storage("", "verify", dir); exit != 0 {
		t.Errorf("after the repair: exit %d, %s", exit, out)
	}
}

func TestStorageRepairForScripts(t *testing.T) {
	dir, segment := storedLog(t)
	if out, _, exit := storage("", "repair", "--yes", dir); exit != 0 || !strings.Contains(out, "nothing to repair") {
		t.Errorf("undamaged: exit %d, %s", exit, out)
	}
	damageBatch(t, segment)
	backup := filepath.Join(t.TempDir(), "backup")
	if out, stderr, exit := storage("", "repair", "--yes", "--backup", backup, dir); exit != 0 || !strings.Contains(out, "Done.") {
		t.Errorf("exit %d, %s%s", exit, out, stderr)
	}
	if b, err := os.ReadFile(filepath.Join(backup, "orders-0", "00000000000000000000.log.at-219")); err != nil || len(b) != 73 {
		t.Errorf("backup: %d bytes, %v", len(b), err)
	}
}
