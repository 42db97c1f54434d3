//go:build unix

package main

import (
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// beMain makes the test's binary the program: nodes of a cluster are processes of their own.
const beMain = "OTTLA_TEST_BE_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(beMain) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

var devRow = regexp.MustCompile(`(?m)^ +(\d+) +(\d+)  (localhost:\d+) `)

// Three processes form a cluster with one command; what was acknowledged survives the death of any of them, and the
// cluster stops when it is told to.
func TestDevCluster(t *testing.T) {
	var stdout, stderr output
	cluster := exec.Command(os.Args[0], "dev", "--dir", t.TempDir())
	cluster.Env = append(os.Environ(), beMain+"=1")
	cluster.Stdout, cluster.Stderr = &stdout, &stderr
	if err := cluster.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cluster.Wait() }()
	defer func() {
		cluster.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(devStopTimeout):
			cluster.Process.Kill()
			t.Errorf("the cluster did not stop\n%s", stderr.String())
		}
	}()
	waitFor(t, &stdout, &stderr, "kill -9")
	rows := devRow.FindAllStringSubmatch(stdout.String(), -1)
	if len(rows) != 3 {
		t.Fatalf("%d nodes are named:\n%s", len(rows), stdout.String())
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(rows[0][3], rows[1][3], rows[2][3]), kgo.DefaultProduceTopic("t"), kgo.RecordDeliveryTimeout(time.Minute),
		kgo.MetadataMinAge(100*time.Millisecond), kgo.ConsumeTopics("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := kadm.NewClient(client).CreateTopic(t.Context(), 6, 3, nil, "t"); err != nil {
		t.Fatal(err)
	}
	produce := func(value string) {
		t.Helper()
		for range 20 {
			if err := client.ProduceSync(t.Context(), kgo.StringRecord(value)).FirstErr(); err != nil {
				t.Fatal(value, err)
			}
		}
	}
	produce("before")
	pid, err := strconv.Atoi(rows[0][2])
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	produce("after")
	waitFor(t, &stdout, &stderr, "Node 1 (pid "+rows[0][2]+") has ended")
	counts := map[string]int{}
	for deadline := time.Now().Add(time.Minute); counts["before"] < 20 || counts["after"] < 20; {
		if time.Now().After(deadline) {
			t.Fatalf("what was acknowledged is not all there: %v", counts)
		}
		client.PollFetches(t.Context()).EachRecord(func(r *kgo.Record) { counts[string(r.Value)]++ })
	}
}

// waitFor waits until the output has a text.
func waitFor(t *testing.T, stdout, stderr *output, text string) {
	t.Helper()
	for deadline := time.Now().Add(devReadyTimeout); !strings.Contains(stdout.String(), text); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%q does not come\n%s\n%s", text, stdout.String(), stderr.String())
		}
	}
}
