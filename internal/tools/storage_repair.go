package tools

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/ottla/ottla/internal/storagecheck"
	"github.com/ottla/ottla/internal/vfs"
)

// storageRepair is one run of `ottla storage repair`.
type storageRepair struct {
	storageOptions
	stdin          io.Reader
	stdout, stderr io.Writer
	// asks is whether somebody is there to answer.
	asks bool
}

func newStorageRepair(o storageOptions, stdin io.Reader, stdout, stderr io.Writer) *storageRepair {
	f, ok := stdin.(*os.File)
	return &storageRepair{o, stdin, stdout, stderr, ok && term.IsTerminal(int(f.Fd()))}
}

func (r *storageRepair) run(ctx context.Context) int {
	exit, err := r.repair(ctx, filepath.Clean(r.dirs[0]))
	if err != nil {
		fmt.Fprintf(r.stderr, "ottla storage repair: %v\n", err)
		return storageUsage
	}
	return exit
}

func (r *storageRepair) repair(ctx context.Context, dir string) (exit int, err error) {
	begin := time.Now()
	options := storagecheck.Options{Workers: r.workers, Progress: progressOn(r.stderr, dir)}
	plan, err := storagecheck.NewPlan(ctx, vfs.Disk(), dir, options)
	if err != nil {
		return 0, err
	}
	closed := false
	defer func() {
		if !closed {
			err = errors.Join(err, plan.Close())
		}
	}()
	printReport(r.stdout, plan.Report, time.Since(begin))
	if len(plan.Steps) == 0 {
		if plan.Report.Losing() {
			fmt.Fprintln(r.stdout, "No repair helps against these; the findings say what to do.")
			return storageLoses, nil
		}
		fmt.Fprintln(r.stdout, "There is nothing to repair.")
		return storageFine, nil
	}
	backup := r.backup
	if backup == "" {
		backup = filepath.Join(filepath.Dir(dir), "lost+"+filepath.Base(dir)+"-"+begin.UTC().Format("20060102T150405Z"))
	}
	if _, err := os.Stat(backup); err == nil {
		return 0, fmt.Errorf("the backup folder %s is there already: name another one with --backup", backup)
	}
	r.printPlan(plan, backup)
	if ok, err := r.agreed(); !ok || err != nil {
		return storageLoses, err
	}
	if err := plan.Run(backup); err != nil {
		return 0, err
	}
	closed = true
	if err := plan.Close(); err != nil {
		return 0, err
	}
	fmt.Fprintf(r.stdout, "Done. What was taken out is in %s; manifest.json there says where it was.\n", backup)
	after, err := storagecheck.Check(ctx, vfs.Disk(), dir, options)
	if err != nil {
		return 0, err
	}
	if !after.Losing() {
		fmt.Fprintln(r.stdout, "The directory was checked again: nothing that loses data is left.")
		return storageFine, nil
	}
	fmt.Fprintln(r.stdout, "The directory was checked again. This is left:")
	printReport(r.stdout, after, 0)
	return storageLoses, nil
}

// printPlan lists the steps, and what the user loses.
func (r *storageRepair) printPlan(plan *storagecheck.Plan, backup string) {
	fmt.Fprintf(r.stdout, "The repair takes %d steps. The bytes that it takes out go to %s.\n", len(plan.Steps), backup)
	offsets := int64(0)
	for i, s := range plan.Steps {
		fmt.Fprintf(r.stdout, "  %d. %s: %s.", i+1, s.File, s.Action)
		if s.FirstOffset != storagecheck.None {
			n := s.LastOffset - s.FirstOffset + 1
			offsets += n
			fmt.Fprintf(r.stdout, " Lost: %s, offsets %d to %d, up to %d records.", s.Partition, s.FirstOffset, s.LastOffset, n)
		}
		fmt.Fprintln(r.stdout)
	}
	if offsets > 0 {
		fmt.Fprintf(r.stdout, "Up to %d records are lost, and were before the repair. If another replica has them, delete the partition's folder instead, and this broker copies it anew.\n", offsets)
	} else {
		fmt.Fprintln(r.stdout, "No record is lost by it.")
	}
}

// agreed asks whether to go on.
func (r *storageRepair) agreed() (bool, error) {
	if r.yes {
		return true, nil
	}
	if !r.asks {
		return false, errors.New("nothing was changed: there is no terminal to ask on; --yes agrees to the steps above")
	}
	fmt.Fprint(r.stdout, "Do it? [y/N] ")
	line, err := bufio.NewReader(r.stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return true, nil
	}
	fmt.Fprintln(r.stdout, "Nothing was changed.")
	return false, nil
}
