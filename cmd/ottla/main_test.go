//go:build unix

package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestCommandLine(t *testing.T) {
	for _, c := range []struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		{[]string{"ottla"}, 1, "", "ottla serve"},
		{[]string{"ottla", "help"}, 0, "kafka-topics", ""},
		{[]string{"ottla", "version"}, 0, "ottla dev (Kafka 4.3", ""},
		{[]string{"ottla", "nonsense"}, 1, "", `no command "nonsense"`},
		{[]string{"ottla", "links"}, 1, "", "usage: ottla links"},
		{[]string{"ottla", "serve", "--port", "1"}, 1, "", "unknown option --port"},
		{[]string{"ottla", "serve", "--set"}, 1, "", "--set needs a value"},
		{[]string{"ottla", "serve", "--config", "/nonexistent"}, 1, "", "/nonexistent"},
		{[]string{"ottla", "serve", "--set=num.partitions=many"}, 1, "", "num.partitions"},
		{[]string{"/usr/bin/kafka-topics.sh", "--help"}, 1, "", "create, delete, describe, or change a topic"},
	} {
		var stdout, stderr bytes.Buffer
		code := run(c.args, strings.NewReader(""), &stdout, &stderr)
		if code != c.code || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
			t.Errorf("%q: exit %d, stdout %q, stderr %q", c.args, code, stdout.String(), stderr.String())
		}
	}
}

func TestLinks(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	if code := run([]string{"ottla", "links", dir}, nil, &out, &out); code != 0 {
		t.Fatal(out.String())
	}
	if _, err := os.Readlink(filepath.Join(dir, "kafka-topics.sh")); err != nil {
		t.Error(err)
	}
}

// output can be read while the broker writes it.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// serve prints where everything is and what start scripts wait for, refuses a directory in use, and ends with a signal.
func TestServe(t *testing.T) {
	dir := t.TempDir()
	start := func(stdout, stderr io.Writer) chan int {
		code := make(chan int, 1)
		go func() {
			code <- run([]string{"ottla", "serve", "--set", "listeners=PLAINTEXT://localhost:0", "--set=http.address=localhost:0", "--set", "log.dirs=" + dir}, nil, stdout, stderr)
		}()
		return code
	}
	var stdout, stderr output
	first := start(&stdout, &stderr)
	for end := time.Now().Add(time.Minute); !strings.Contains(stdout.String(), "Kafka Server started\n"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("stdout %q, stderr %q", stdout.String(), stderr.String())
		}
	}
	for _, text := range []string{"Kafka     PLAINTEXT://localhost:", "/metrics", dir, "Transitioning from RECOVERY to RUNNING", "--bootstrap-server localhost:"} {
		if !strings.Contains(stdout.String(), text) {
			t.Errorf("stdout lacks %q: %s", text, stdout.String())
		}
	}
	var second output
	if code := <-start(io.Discard, &second); code != 1 || !strings.Contains(second.String(), "another broker or tool is using this log directory") {
		t.Errorf("on a directory in use: exit %d, %s", code, second.String())
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case code := <-first:
		if code != 0 || !strings.Contains(stderr.String(), "stopped") {
			t.Errorf("exit %d, stderr %s", code, stderr.String())
		}
	case <-time.After(time.Minute):
		t.Fatal("it does not stop")
	}
}
