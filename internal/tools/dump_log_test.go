package tools

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// dumpFixtures are the files that test/golden reads, too.
func dumpFixtures(t testing.TB) []string {
	t.Helper()
	var files []string
	for _, pattern := range []string{"*/*", "records/*/*"} {
		found, err := filepath.Glob(filepath.Join("..", "..", "test", "golden", "testdata", "fixtures", pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, slices.DeleteFunc(found, func(f string) bool { return filepath.Ext(f) == "" })...)
	}
	if len(files) == 0 {
		t.Fatal("no fixtures")
	}
	return files
}

// Whatever bytes are in a file, the tool ends with 0, or with 1 and an exception's name.
func TestDumpOfDamagedFiles(t *testing.T) {
	files := dumpFixtures(t)
	options := []string{"--offsets-decoder", "--cluster-metadata-decoder", "--remote-log-metadata-decoder", "--share-group-state-decoder",
		"--transaction-log-decoder", "--deep-iteration", "--verify-index-only", "--index-sanity-check"}
	random := rand.New(rand.NewPCG(1, 2))
	dir := t.TempDir()
	for range 500 {
		source := files[random.IntN(len(files))]
		var file string
		for _, suffix := range []string{filepath.Ext(source), ".log", ".index"} {
			from := strings.TrimSuffix(source, filepath.Ext(source)) + suffix
			bytes, err := os.ReadFile(from)
			if err != nil {
				continue
			}
			for range random.IntN(4) {
				if len(bytes) == 0 {
					break
				}
				switch at := random.IntN(len(bytes)); random.IntN(4) {
				case 0:
					bytes = bytes[:at]
				case 1:
					bytes = slices.Insert(bytes, at, byte(random.IntN(256)))
				default:
					bytes[at] = byte(random.IntN(256))
				}
			}
			to := filepath.Join(dir, filepath.Base(from))
			if err := os.WriteFile(to, bytes, 0o600); err != nil {
				t.Fatal(err)
			}
			if suffix == filepath.Ext(source) {
				file = to
			}
		}
		option := options[random.IntN(len(options))]
		_, stderr, exit := runTool("", "kafka-dump-log", "--files", file, option)
		if exit > 1 || exit == 1 && !strings.Contains(stderr, `Exception in thread "main" `) {
			t.Fatalf("%s %s: exit %d, %s", source, option, exit, stderr)
		}
	}
}

// An index that belongs to no log, or is none, is an error, and nothing is created where Kafka's tool would leave an empty file.
func TestDumpCreatesNoFiles(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "00000000000000000000.log")
	if err := os.WriteFile(log, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for suffix, want := range map[string]string{
		".index": "java.lang.IllegalArgumentException: Invalid max index size: -1", ".timeindex": "java.lang.IllegalArgumentException: Invalid max index size: -1",
		".snapshot": "java.nio.file.NoSuchFileException: ",
	} {
		_, stderr, exit := runTool("", "kafka-dump-log", "--files", strings.TrimSuffix(log, ".log")+suffix)
		if exit != 1 || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit %d, %s", suffix, exit, stderr)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("%d files in the folder, %v; want only the log", len(left), err)
	}
}
