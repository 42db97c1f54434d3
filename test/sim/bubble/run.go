package bubble

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/ottla/ottla/test/harness"
)

const inside = "OTTLA_BUBBLE"

// Main is a package's TestMain: it builds the test again with the patched runtime, runs that with the same arguments, and
// returns its exit code.
func Main(m *testing.M) int {
	if os.Getenv(inside) != "" {
		runtime.MemProfileRate = 0 // sampling draws from the generator of the bubble
		return m.Run()
	}
	code, err := again()
	if err != nil {
		fmt.Fprintln(os.Stderr, "test/sim:", err)
		return 1
	}
	return code
}

func again() (code int, err error) {
	overlay, err := Overlay()
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "ottla-sim-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "sim.test")
	args := []string{"test", "-c", "-overlay", overlay, "-o", binary}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "-tags" && s.Value != "" {
				args = append(args, "-tags", s.Value)
			}
		}
	}
	build := exec.Command("go", append(args, ".")...)
	build.Env = append(os.Environ(), "GOEXPERIMENT=norandomizedheapbase64") // maps whose keys are pointers
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return 0, fmt.Errorf("go %v: %w", args, err)
	}
	run := exec.Command(binary, os.Args[1:]...)
	run.Env = append(os.Environ(), inside+"=1", "GODEBUG=asyncpreemptoff=1", "GOMAXPROCS=1", "GOGC=off", "GOMEMLIMIT=3GiB")
	run.Stdin, run.Stdout, run.Stderr = os.Stdin, os.Stdout, os.Stderr
	run.SysProcAttr = harness.DieWithParent()
	err = run.Run()
	if failed, is := errors.AsType[*exec.ExitError](err); is {
		return failed.ExitCode(), nil
	}
	return 0, err
}
