package machines

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ottla/ottla/test/harness"
)

// smallDisk is the size of a small disk: more than what a test writes, little enough to be filled in a moment.
const smallDisk = 1 << 30

// A Disk is a file system of its own, in memory, which lives in a mount namespace (and a user namespace, so that no
// privilege is needed) that a process of ours holds open.
type Disk struct {
	inside  string // the path for processes in the namespace
	outside string // the same for others
	holder  int    // pid
}

// newDisk makes a disk, which goes when the test ends. The error says why this machine cannot have one.
func newDisk(t testing.TB, size int) (*Disk, error) {
	for _, tool := range []string{"unshare", "nsenter", "setpriv"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, fmt.Errorf("no small disk without %s (util-linux)", tool)
		}
	}
	d := &Disk{inside: filepath.Join(t.TempDir(), "disk")}
	if err := os.Mkdir(d.inside, 0o755); err != nil {
		return nil, err
	}
	script := fmt.Sprintf("mount -t tmpfs -o size=%d none '%s' && mkdir '%s/data' && echo mounted && exec cat", size, d.inside, d.inside)
	holder := exec.Command("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script)
	var stderr strings.Builder
	holder.Stderr, holder.SysProcAttr = &stderr, harness.DieWithParent()
	stdin, inErr := holder.StdinPipe()
	stdout, outErr := holder.StdoutPipe()
	if err := errors.Join(inErr, outErr, holder.Start()); err != nil {
		return nil, err
	}
	t.Cleanup(func() { // runs after the broker's own, which is registered later
		stdin.Close()
		holder.Wait()
	})
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "mounted\n" {
		if err == io.EOF {
			err = nil
		}
		return nil, fmt.Errorf("no small disk: user namespaces or tmpfs in them are not allowed here (%v %s)", err, strings.TrimSpace(stderr.String()))
	}
	d.holder = holder.Process.Pid
	d.outside = fmt.Sprintf("/proc/%d/root%s/data", d.holder, d.inside)
	d.inside += "/data"
	return d, nil
}

// within is the command that runs a process where the disk is, and ends it when this process dies.
func (d *Disk) within() []string {
	return []string{"nsenter", "--target", fmt.Sprint(d.holder), "--user", "--mount", "--preserve-credentials", "setpriv", "--pdeathsig", "KILL"}
}

func (d *Disk) ballast() string { return filepath.Join(filepath.Dir(d.outside), "ballast") }

// Fill leaves so many bytes free.
func (d *Disk) Fill(free int64) error {
	var s syscall.Statfs_t
	if err := syscall.Statfs(d.outside, &s); err != nil {
		return err
	}
	f, err := os.Create(d.ballast())
	if err != nil {
		return err
	}
	defer f.Close()
	n := int64(s.Bavail)*s.Bsize - free
	if n <= 0 {
		return nil
	}
	if err := syscall.Fallocate(int(f.Fd()), 0, 0, n); err != nil && !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return nil
}

// Clear gives the room back.
func (d *Disk) Clear() error { return os.Remove(d.ballast()) }
