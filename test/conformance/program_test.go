package conformance

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/test/harness"
)

// A program is a client program with the environment it needs beyond this process's.
type program struct {
	argv []string
	dir  string
	env  []string
}

func (p program) with(env ...string) program {
	p.env = append(p.env[:len(p.env):len(p.env)], env...)
	return p
}

func (p program) args(args ...string) program {
	p.argv = append(p.argv[:len(p.argv):len(p.argv)], args...)
	return p
}

// An outcome is what a program printed and how it ended.
type outcome struct {
	stdout, stderr string
	err            error
}

// run runs the program to its end, or kills it after limit. The output is logged when the test fails, and with -v.
func (p program) run(t *testing.T, limit time.Duration, stdin string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), limit, nil)
	defer cancel()
	cmd := p.command(ctx)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	err := cmd.Run()
	return p.outcome(t, ctx, err, &stdout, &stderr)
}

// talk is run with a program that asks: when it prints one of these lines, the function is called, and then the program
// reads a line from its standard input.
func (p program) talk(t *testing.T, limit time.Duration, answers map[string]func()) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), limit, nil)
	defer cancel()
	cmd := p.command(ctx)
	var printed, stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdin, inErr := cmd.StdinPipe()
	stdout, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		printed.WriteString(lines.Text() + "\n")
		if answer := answers[strings.TrimSpace(lines.Text())]; answer != nil {
			answer()
			io.WriteString(stdin, "\n")
		}
	}
	return p.outcome(t, ctx, cmd.Wait(), &printed, &stderr)
}

func (p program) command(ctx context.Context) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.argv[0], p.argv[1:]...)
	cmd.Dir, cmd.Env, cmd.WaitDelay, cmd.SysProcAttr = p.dir, append(os.Environ(), p.env...), 5*time.Second, harness.DieWithParent()
	return cmd
}

func (p program) outcome(t *testing.T, ctx context.Context, err error, stdout, stderr *bytes.Buffer) outcome {
	if ctx.Err() == context.DeadlineExceeded {
		err = ctx.Err()
	}
	t.Cleanup(func() {
		if t.Failed() || testing.Verbose() {
			t.Logf("%s\n%v\nstdout:\n%s\nstderr:\n%s", strings.Join(p.argv, " "), err, ending(stdout.String()), ending(stderr.String()))
		}
	})
	return outcome{stdout.String(), stderr.String(), err}
}

func ending(text string) string {
	const limit = 8 << 10
	if len(text) > limit {
		return "..." + text[len(text)-limit:]
	}
	return text
}

// steps reads the lines `ok NAME` and `not ok NAME: why`: the reason of the failure by name, "" for success.
func (o outcome) steps() map[string]string {
	steps := map[string]string{}
	for line := range strings.Lines(o.stdout) {
		line = strings.TrimSpace(line)
		if rest, bad := strings.CutPrefix(line, "not ok "); bad {
			name, why, _ := strings.Cut(rest, ": ")
			steps[name] = "failed: " + why
		} else if name, good := strings.CutPrefix(line, "ok "); good {
			name, _, _ = strings.Cut(name, " #")
			steps[name] = ""
		}
	}
	return steps
}

// expectSteps fails for each named step that did not succeed.
func expectSteps(t *testing.T, o outcome, names []string) {
	t.Helper()
	steps := o.steps()
	var missing []string
	for _, name := range names {
		if why, reported := steps[name]; !reported {
			missing = append(missing, name)
		} else if why != "" {
			t.Errorf("%s %s", name, why)
		}
	}
	if len(missing) > 0 {
		t.Errorf("not reached: %s (the program ended with: %v)", strings.Join(missing, ", "), o.err)
	}
	if o.err != nil && !t.Failed() {
		t.Errorf("every step succeeded, but the program ended with: %v", o.err)
	}
}
