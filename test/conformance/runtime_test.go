package conformance

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ottla/ottla/test/harness"
)

// need skips the test when a command is missing, or fails it when every client must run.
func need(t *testing.T, what string, commands ...string) {
	t.Helper()
	for _, c := range commands {
		if _, err := exec.LookPath(c); err == nil {
			continue
		}
		text := fmt.Sprintf("%s is not installed (no %s in PATH)", what, c)
		if os.Getenv("OTTLA_TEST_ALL") == "1" {
			t.Fatal(text + ", and OTTLA_TEST_ALL=1 asks for every client")
		}
		t.Skip(text + ": its clients are not tested")
	}
}

// installing lets one installation run at a time: they load the machine, and two tests may want the same one.
var installing sync.Mutex

// installed returns the cache folder for (kind, key), after install has filled it if that has not succeeded before.
func installed(t *testing.T, kind, key string, install func(dir string) error) string {
	t.Helper()
	installing.Lock()
	defer installing.Unlock()
	dir, err := harness.CacheDir(kind, key)
	if err != nil {
		t.Fatal(err)
	}
	done := filepath.Join(dir, ".done")
	if _, err := os.Stat(done); err == nil {
		return dir
	}
	if err := install(dir); err != nil {
		t.Fatalf("installing %s: %v", kind, err)
	}
	if err := os.WriteFile(done, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func command(dir string, argv ...string) error {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(argv, " "), err, ending(out.String()))
	}
	return nil
}

func contents(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
