package harness

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	startLimit = 30 * time.Second // a broker that does not answer by then has failed
	stopLimit  = 30 * time.Second
	logTail    = 16 << 10 // bytes of the broker's log shown with a failed test
)

// A Broker is one `ottla serve` process, or, after Stop or Kill9, the data directory of one.
type Broker struct {
	Addr string // host:port of the Kafka listener
	HTTP string // host:port of health and metrics; "" when off, which is the default here
	Dir  string // log.dirs
	PID  int    // 0 while it does not run

	t       testing.TB
	within  []string // the command that runs it; nil: none
	args    []string
	env     []string // beyond this process's
	logPath string
	cmd     *exec.Cmd
	exited  chan struct{} // closed when the process has ended
	err     error         // how it ended; read after exited is closed
}

// Start starts a broker and waits until it answers. props are properties ("key=value") in addition to, or instead of,
// those that every test broker has: a listener on a free port, a temporary data directory, no HTTP,
// group.initial.rebalance.delay.ms=0. The broker is killed when the test ends.
func Start(t testing.TB, props ...string) *Broker {
	t.Helper()
	b := prepare(t, props...)
	b.launch()
	return b
}

// prepare is Start up to the process itself.
func prepare(t testing.TB, props ...string) *Broker {
	t.Helper()
	b := &Broker{t: t, Addr: FreeAddr(t), Dir: filepath.Join(t.TempDir(), "data"), logPath: filepath.Join(t.TempDir(), "broker.log")}
	settings := []string{"listeners=PLAINTEXT://" + b.Addr, "log.dirs=" + b.Dir, "http.address=off", "group.initial.rebalance.delay.ms=0"}
	b.args = []string{"serve"}
	for _, p := range append(settings, props...) {
		b.args = append(b.args, "--set", p)
		switch key, value, _ := strings.Cut(p, "="); key {
		case "listeners":
			_, b.Addr, _ = strings.Cut(strings.Split(value, ",")[0], "://")
		case "log.dirs":
			b.Dir = value
		case "http.address":
			b.HTTP = strings.TrimPrefix(value, "off")
		}
	}
	t.Cleanup(func() {
		b.kill()
		if t.Failed() {
			t.Logf("log of the broker at %s (its end):\n%s", b.Addr, tail(b.Log(), logTail))
		}
	})
	return b
}

// Restart starts a stopped or killed broker again: same port, same data.
func (b *Broker) Restart() {
	b.t.Helper()
	b.launch()
}

// Stop ends the broker with SIGTERM and fails the test unless it exits in time with code 0.
func (b *Broker) Stop() {
	b.t.Helper()
	if err := b.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		b.t.Fatalf("SIGTERM to the broker: %v", err)
	}
	select {
	case <-b.exited:
	case <-time.After(stopLimit):
		b.kill()
		b.t.Fatalf("the broker did not stop within %v of SIGTERM", stopLimit)
	}
	b.PID = 0
	if b.err != nil {
		b.t.Fatalf("the broker stopped with %v, want exit code 0", b.err)
	}
}

// Kill9 ends the broker as a crash does, with SIGKILL.
func (b *Broker) Kill9() {
	b.t.Helper()
	b.kill()
}

// Log returns everything that the broker has printed since Start, over all restarts.
func (b *Broker) Log() string {
	text, err := os.ReadFile(b.logPath)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (b *Broker) launch() {
	b.t.Helper()
	if err := b.begin(); err != nil {
		b.t.Fatal(err)
	}
}

// begin starts the process and waits until it answers.
func (b *Broker) begin() error {
	out, err := os.OpenFile(b.logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	binary, err := BuiltBinary()
	if err != nil {
		return err
	}
	argv := append(append(b.within[:len(b.within):len(b.within)], binary), b.args...)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(environment(), b.env...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = DieWithParent()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start ottla: %w", err)
	}
	exited := make(chan struct{})
	b.cmd, b.exited, b.PID = cmd, exited, cmd.Process.Pid
	go func() {
		b.err = cmd.Wait()
		close(exited)
	}()
	if err := waitReady(b.Addr, exited, startLimit); err != nil {
		b.kill()
		return fmt.Errorf("ottla %s: %w\n%s", strings.Join(b.args, " "), err, tail(b.Log(), logTail))
	}
	return nil
}

func (b *Broker) kill() {
	if b.cmd == nil || b.PID == 0 {
		return
	}
	b.cmd.Process.Kill()
	<-b.exited
	b.PID = 0
}

// environment is this process's without what would configure a broker.
func environment() []string {
	var env []string
	for _, pair := range os.Environ() {
		if strings.HasPrefix(pair, "KAFKA_") || strings.HasPrefix(pair, "CLUSTER_ID=") {
			continue
		}
		env = append(env, pair)
	}
	return env
}

func tail(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	text = text[len(text)-limit:]
	if i := bytes.IndexByte([]byte(text), '\n'); i >= 0 {
		text = text[i+1:]
	}
	return fmt.Sprintf("... (last %d bytes)\n%s", limit, text)
}
