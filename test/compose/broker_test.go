package compose

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ottla/ottla/test/harness"
)

const stopLimit = 30 * time.Second

// A process is a broker that runs with a service's environment.
type process struct {
	environ []string // as the broker has it
	log     *syncBuffer
	exited  chan struct{}
}

// start runs the binary as the image does, with the environment of a service.
func start(t *testing.T, s service) *process {
	t.Helper()
	p := &process{environ: adapt(t, s), log: new(syncBuffer), exited: make(chan struct{})}
	cmd := exec.Command(harness.Binary(t), "serve", "--set", "log.dirs="+t.TempDir(), "--set", "http.address=off",
		"--set", "group.initial.rebalance.delay.ms=0") // so that tests are fast
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "OTTLA_CONTAINER=1"}, p.environ...)
	cmd.Stdout, cmd.Stderr = p.log, p.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var ended error
	go func() {
		ended = cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.exited:
		case <-time.After(stopLimit):
			cmd.Process.Kill()
			<-p.exited
		}
		if ended != nil {
			t.Errorf("the broker ended with %v", ended)
		}
		if t.Failed() {
			t.Logf("environment:\n%s\noutput:\n%s", strings.Join(p.environ, "\n"), p.log)
		}
	})
	return p
}

var (
	portOf     = regexp.MustCompile(`:([0-9]+)(,|$)`)
	hasAddress = regexp.MustCompile(`^KAFKA_(CFG_)?(LISTENERS|ADVERTISED_LISTENERS|CONTROLLER_QUORUM_VOTERS|CONTROLLER_QUORUM_BOOTSTRAP_SERVERS)=`)
	isListen   = regexp.MustCompile(`^KAFKA_(CFG_)?LISTENERS=`)
)

// adapt puts a free port of this machine in the place of each port of a container, and loopback in the place of the
// container's own name where it is bound to. Everything else stays.
func adapt(t *testing.T, s service) []string {
	t.Helper()
	own := s.hostname
	if own == "" {
		own = s.name
	}
	ports := make(map[string]string)
	environ := slices.Clone(s.environ)
	for i, pair := range environ {
		if !hasAddress.MatchString(pair) {
			continue
		}
		pair = portOf.ReplaceAllStringFunc(pair, func(found string) string {
			port := strings.Trim(found, ":,")
			if ports[port] == "" {
				_, ports[port], _ = net.SplitHostPort(harness.FreeAddr(t))
			}
			return strings.Replace(found, port, ports[port], 1)
		})
		if isListen.MatchString(pair) {
			pair = strings.ReplaceAll(pair, "://"+own+":", "://localhost:")
		}
		environ[i] = pair
	}
	return environ
}

func TestAdapt(t *testing.T) {
	got := adapt(t, service{name: "kafka", environ: []string{
		"KAFKA_LISTENERS=A://kafka:1,B://0.0.0.0:2", "KAFKA_ADVERTISED_LISTENERS=A://kafka:1", "KAFKA_JMX_PORT=1", "KAFKA_ZOOKEEPER_CONNECT=zookeeper:2181",
	}})
	want := []string{
		`^KAFKA_LISTENERS=A://localhost:[23]\d{4},B://0\.0\.0\.0:[23]\d{4}$`, `^KAFKA_ADVERTISED_LISTENERS=A://kafka:[23]\d{4}$`,
		`^KAFKA_JMX_PORT=1$`, `^KAFKA_ZOOKEEPER_CONNECT=zookeeper:2181$`,
	}
	for i := range want {
		if !regexp.MustCompile(want[i]).MatchString(got[i]) {
			t.Errorf("got %s, want %s", got[i], want[i])
		}
	}
}

// syncBuffer collects what a process prints while tests read it.
type syncBuffer struct {
	mu struct {
		sync.Mutex
		text bytes.Buffer
	}
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mu.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mu.text.String()
}
