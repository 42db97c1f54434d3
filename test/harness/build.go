package harness

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// BuiltBinary returns the path of the ottla binary, built from ./cmd/ottla once per test process. With OTTLA_TEST_RACE=1 it is
// built with the race detector; OTTLA_TEST_BINARY names one to be taken as it is.
var BuiltBinary = sync.OnceValues(build)

// Binary is BuiltBinary for a test, which fails when the build does.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := BuiltBinary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// build puts the binary under the user's cache directory, in a folder for this source tree, by rename: test processes that
// build at the same time do not disturb each other's running brokers, and nothing is left behind in temporary directories.
func build() (string, error) {
	if given := os.Getenv("OTTLA_TEST_BINARY"); given != "" {
		return filepath.Abs(given)
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	dir, err := CacheDir("bin", root)
	if err != nil {
		return "", err
	}
	scratch, err := os.MkdirTemp(dir, "build-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(scratch)
	name := "ottla"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	args := []string{"build", "-o", filepath.Join(scratch, name)}
	if os.Getenv("OTTLA_TEST_RACE") == "1" {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "./cmd/ottla")...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/ottla: %w\n%s", err, out)
	}
	path := filepath.Join(dir, name)
	if err := os.Rename(filepath.Join(scratch, name), path); err != nil {
		return "", err
	}
	return path, nil
}

func moduleRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}

// CacheDir makes and returns a folder below the user's cache directory for what tests fetch or build once: one folder per
// kind and content of key (a requirements file, a pom.xml), so that a changed key gets a new folder.
func CacheDir(kind, key string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(key))
	dir := filepath.Join(cache, "ottla-test", kind, hex.EncodeToString(sum[:6]))
	return dir, os.MkdirAll(dir, 0o755)
}
