package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ottla/ottla/test/harness"
)

// A process is a program that runs beside the test, which kills and restarts it.
type process struct {
	program
	name string
	log  string // the file with what it has printed, over all its lives

	t  *testing.T
	mu struct {
		sync.Mutex
		cmd    *exec.Cmd
		exited chan struct{} // closed when it has ended
		down   bool          // it has been killed or stopped by us
		revive bool          // it is launched again when it ends by itself
		ended  int           // how often it has ended by itself
	}
}

// start starts a process; it is killed when the test ends, and its log is shown with a failed test.
func (p program) start(t *testing.T, name string) *process {
	t.Helper()
	x := &process{program: p, name: name, log: filepath.Join(t.TempDir(), name+".log"), t: t}
	t.Cleanup(func() {
		x.kill()
		if t.Failed() {
			t.Logf("%s (%s), its end:\n%s", x.name, x.argv[len(x.argv)-1], ending(x.output()))
		}
	})
	x.launch()
	return x
}

// revived makes the process start again, after half a second, whenever it ends by itself.
func (x *process) revived() *process {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.mu.revive = true
	return x
}

// launch starts the process that kill has ended.
func (x *process) launch() {
	x.t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.begin(); err != nil {
		x.t.Fatalf("start %s: %v", x.name, err)
	}
}

// begin starts the process. The caller holds mu.
func (x *process) begin() error {
	out, err := os.OpenFile(x.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(x.argv[0], x.argv[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = x.dir, append(os.Environ(), x.env...), out, out, harness.DieWithParent()
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	x.mu.cmd, x.mu.exited, x.mu.down = cmd, exited, false
	go func() {
		cmd.Wait()
		close(exited)
		x.hasEnded(cmd)
	}()
	return nil
}

// hasEnded counts an end that we have not brought about, and revives the process if that is wanted.
func (x *process) hasEnded(cmd *exec.Cmd) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.mu.down || x.mu.cmd != cmd {
		return
	}
	x.mu.ended++
	if !x.mu.revive {
		return
	}
	time.AfterFunc(500*time.Millisecond, func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.mu.down || x.mu.cmd != cmd {
			return
		}
		if err := x.begin(); err != nil {
			x.t.Errorf("start %s again: %v", x.name, err)
		}
	})
}

// down notes that the process is to end, and returns it with the channel that is closed when it has ended.
func (x *process) down() (*os.Process, <-chan struct{}) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.mu.down = true
	return x.mu.cmd.Process, x.mu.exited
}

// kill ends the process with SIGKILL.
func (x *process) kill() {
	p, exited := x.down()
	p.Kill()
	<-exited
}

// stop asks the process to end with SIGTERM, and fails the test when it does not within limit.
func (x *process) stop(limit time.Duration) {
	x.t.Helper()
	p, exited := x.down()
	p.Signal(syscall.SIGTERM)
	select {
	case <-exited:
	case <-time.After(limit):
		x.t.Errorf("%s did not end within %v of SIGTERM", x.name, limit)
		x.kill()
	}
}

// ends is how often the process has ended by itself.
func (x *process) ends() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.mu.ended
}

func (x *process) output() string {
	text, err := os.ReadFile(x.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// eventually polls until ok is true, or fails the test after limit with what was waited for.
func eventually(t *testing.T, limit time.Duration, what func() string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", limit, what())
		}
	}
}
