package realkafka

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Version is the Kafka release that pom.xml names.
const Version = "4.3.1"

//go:embed pom.xml
var pom []byte

// Missing returns nil if this machine has what real Kafka needs, else an error that names it. Maven is needed only until the
// jars are in the cache.
func Missing() error {
	if _, err := exec.LookPath("java"); err != nil {
		return errors.New("real Kafka needs a Java runtime (java, 17 or newer) on the PATH")
	}
	dir, err := jarDir()
	if err != nil {
		return err
	}
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if _, err := exec.LookPath("mvn"); err != nil {
		return errors.New("fetching real Kafka's jars needs Maven (mvn) on the PATH")
	}
	return nil
}

func jarDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "ottla-test", "kafka-"+Version), nil
}

// Jars returns the folder that holds Kafka's jars, after fetching them if it does not exist.
func Jars(ctx context.Context) (string, error) {
	dir, err := jarDir()
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	// Filled under another name first: a folder with the final name is complete, whoever else fetches at the same time.
	scratch, err := os.MkdirTemp(filepath.Dir(dir), "fetch-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(scratch)
	project := filepath.Join(scratch, "pom.xml")
	if err := os.WriteFile(project, pom, 0o644); err != nil {
		return "", err
	}
	libs := filepath.Join(scratch, "libs")
	cmd := exec.CommandContext(ctx, "mvn", "-q", "-B", "-f", project, "dependency:copy-dependencies", "-DoutputDirectory="+libs)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("fetch Kafka %s with Maven: %w\n%s", Version, err, out)
	}
	if err := os.Rename(libs, dir); err != nil {
		if _, gone := os.Stat(dir); gone == nil {
			return dir, nil // somebody else was faster
		}
		return "", err
	}
	return dir, nil
}
