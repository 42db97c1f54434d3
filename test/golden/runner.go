//go:build unix

package golden

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	stepLimit = 90 * time.Second
	pollLimit = 60 * time.Second
	pollPause = 100 * time.Millisecond
)

// A runner runs the steps of one scenario in one working folder.
type runner struct {
	matcher
	dir        string
	kill       func(node string) error
	env        []string
	background map[string]*process
	processes  int
}

// newRunner takes the folder of the tools, the addresses of the cluster, an empty working folder and the folder of the files to read.
func newRunner(tools, bootstrap, controllers, dir, fixtures string) *runner {
	values := map[string]string{"BOOTSTRAP": bootstrap, "CONTROLLERS": controllers, "DIR": dir, "FIXTURES": fixtures}
	r := &runner{matcher: matcher{values}, dir: dir, background: make(map[string]*process)}
	r.env = append(os.Environ(), "PATH="+tools+string(os.PathListSeparator)+os.Getenv("PATH"), "LC_ALL=C.UTF-8", "TZ=UTC")
	for name, value := range values {
		r.env = append(r.env, name+"="+value)
	}
	return r
}

// A process is a command that runs.
type process struct {
	cmd            *exec.Cmd
	stdin          io.WriteCloser
	stdout, stderr string // files
}

// A result is what a command did.
type result struct {
	stdout, stderr []string
	code           string
}

func (r *runner) start(command string) (*process, error) {
	r.processes++
	base := filepath.Join(r.dir, fmt.Sprintf(".output-%d", r.processes))
	p := &process{cmd: exec.Command("bash", "-c", command), stdout: base + ".out", stderr: base + ".err"}
	p.cmd.Dir, p.cmd.Env = r.dir, r.env
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	stdout, err := os.Create(p.stdout)
	if err != nil {
		return nil, err
	}
	defer stdout.Close()
	stderr, err := os.Create(p.stderr)
	if err != nil {
		return nil, err
	}
	defer stderr.Close()
	p.cmd.Stdout, p.cmd.Stderr = stdout, stderr
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return p, p.cmd.Start()
}

// finish closes stdin after input, waits for the process, and kills what it left behind.
func (p *process) finish(input []string) (result, error) {
	if len(input) > 0 {
		io.WriteString(p.stdin, strings.Join(input, "\n")+"\n") // a tool may end before it has read all
	}
	p.stdin.Close()
	late := time.AfterFunc(stepLimit, p.killGroup)
	err := p.cmd.Wait()
	timedOut := !late.Stop()
	p.killGroup()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		return result{}, err
	}
	stdout, err := os.ReadFile(p.stdout)
	if err != nil {
		return result{}, err
	}
	stderr, err := os.ReadFile(p.stderr)
	code := fmt.Sprint(exitCode(p.cmd.ProcessState))
	if timedOut {
		code = fmt.Sprintf("killed after %v", stepLimit)
	}
	return result{outputLines(stdout), outputLines(stderr), code}, err
}

// killGroup kills the process and its children: it is the leader of a session of its own.
func (p *process) killGroup() { syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) }

func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}

// do runs a step and returns what is wrong with its outcome, nil if nothing is.
func (r *runner) do(s step) ([]string, error) {
	switch s.kind {
	case write:
		text := strings.Join(append(s.body, ""), "\n")
		return nil, os.WriteFile(filepath.Join(r.dir, strings.TrimSpace(s.text)), []byte(r.expand(text)), 0o644)
	case start:
		name, command, _ := strings.Cut(s.text, " ")
		p, err := r.start("exec " + command)
		if err != nil {
			return nil, err
		}
		r.background[name] = p
		return nil, nil
	case poll:
		return r.poll(s)
	case killNode:
		return nil, r.kill(strings.TrimSpace(s.text))
	}
	var p *process
	var err error
	if s.kind == end || s.kind == endAnyOrder {
		p, err = r.end(s.text)
	} else {
		p, err = r.start(s.text)
	}
	if err != nil {
		return nil, err
	}
	got, err := p.finish(s.stdin)
	return r.compare(s, got), err
}

func (r *runner) expand(text string) string {
	for name, value := range r.values {
		text = strings.ReplaceAll(text, "$"+name, value)
	}
	return text
}

// end signals a process of the background.
func (r *runner) end(text string) (*process, error) {
	name, signal, _ := strings.Cut(text, " ")
	p := r.background[name]
	if p == nil {
		return nil, fmt.Errorf("nothing called %s runs", name)
	}
	delete(r.background, name)
	signals := map[string]syscall.Signal{"": syscall.SIGTERM, "TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL}
	if signal == "wait" {
		return p, nil
	}
	return p, p.cmd.Process.Signal(signals[signal])
}

var pollText = regexp.MustCompile(`^/(.*?)/ (.*)`)

func (r *runner) poll(s step) ([]string, error) {
	m := pollText.FindStringSubmatch(s.text)
	if m == nil {
		return nil, fmt.Errorf("line %d: want /REGEXP/ command", s.line)
	}
	wanted, err := regexp.Compile(m[1])
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(pollLimit); ; time.Sleep(pollPause) {
		p, err := r.start(m[2])
		if err != nil {
			return nil, err
		}
		got, err := p.finish(nil)
		if err != nil {
			return nil, err
		}
		all := append(got.stdout, got.stderr...)
		if wanted.MatchString(strings.Join(all, "\n")) {
			return nil, nil
		}
		if time.Now().After(deadline) {
			return append([]string{"never saw /" + m[1] + "/ but"}, all...), nil
		}
	}
}

// compare lists how an outcome differs from what was recorded.
func (r *runner) compare(s step, got result) []string {
	var faults []string
	if got.code != s.code {
		faults = append(faults, "exit code "+got.code+", want "+s.code)
	}
	same := r.inOrder
	if s.kind == runAnyOrder || s.kind == endAnyOrder {
		same = r.anyOrder
	}
	if !same(s.stdout, got.stdout) {
		faults = append(faults, r.explain("stdout", s.stdout, got.stdout)...)
	}
	if !r.inOrder(s.stderr, got.stderr) {
		faults = append(faults, r.explain("stderr", s.stderr, got.stderr)...)
	}
	return faults
}

func (r *runner) explain(stream string, want, got []string) []string {
	lines := []string{stream + ":"}
	missing, extra := r.difference(want, got)
	for _, line := range missing {
		lines = append(lines, "  - "+line)
	}
	for _, line := range extra {
		lines = append(lines, "  + "+line)
	}
	if len(missing)+len(extra) == 0 {
		lines = append(lines, "  the lines came in another order:")
		for _, line := range got {
			lines = append(lines, "    "+line)
		}
	}
	return lines
}

// close kills what still runs in the background.
func (r *runner) close() {
	for _, p := range r.background {
		p.killGroup()
		p.cmd.Wait()
	}
}

// fresh runs a command that makes a cluster and prints its address.
func fresh(command string, s scenario) (string, error) {
	args := append(append(strings.Fields(command), strconv.Itoa(max(s.nodes, 1))), s.properties...)
	cmd := exec.Command(args[0], args[1:]...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", command, err, stderr.Bytes())
	}
	return strings.TrimSpace(string(out)), nil
}
