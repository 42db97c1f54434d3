package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/ottla/ottla/internal/storagecheck"
	"github.com/ottla/ottla/internal/vfs"
)

// storageVerify is one run of `ottla storage verify`.
type storageVerify struct {
	storageOptions
	stdout, stderr io.Writer
}

func (v *storageVerify) run(ctx context.Context) int {
	var reports []*storagecheck.Report
	exit := storageFine
	for _, dir := range v.dirs {
		begin := time.Now()
		r, err := storagecheck.Check(ctx, vfs.Disk(), dir, storagecheck.Options{Workers: v.workers, Progress: progressOn(v.stderr, dir)})
		if err != nil {
			fmt.Fprintf(v.stderr, "ottla storage verify: %v\n", err)
			return storageUsage
		}
		reports = append(reports, r)
		if r.Losing() {
			exit = storageLoses
		}
		if !v.json {
			printReport(v.stdout, r, time.Since(begin))
		}
	}
	across := storagecheck.Across(reports)
	if len(across) > 0 {
		exit = storageLoses
	}
	if v.json {
		return v.printJSON(reports, across, exit)
	}
	printFindings(v.stdout, across)
	return exit
}

// storageReport is a report as --json prints it.
type storageReport struct {
	Directory   string `json:"directory"`
	ClusterID   string `json:"clusterId"`
	NodeID      int32  `json:"nodeId"`
	DirectoryID string `json:"directoryId"`
	Clean       bool   `json:"clean"`
	Partitions  int    `json:"partitions"`
	storagecheck.Counts
	Transactions storagecheck.Transactions     `json:"transactions"`
	BySeverity   map[storagecheck.Severity]int `json:"bySeverity"`
	Findings     []storagecheck.Finding        `json:"findings"`
}

func (v *storageVerify) printJSON(reports []*storagecheck.Report, across []storagecheck.Finding, exit int) int {
	all := struct {
		LosesData   bool                   `json:"losesData"`
		Directories []storageReport        `json:"directories"`
		Across      []storagecheck.Finding `json:"across,omitempty"`
	}{LosesData: exit != storageFine, Across: across}
	for _, r := range reports {
		findings := r.Findings
		if findings == nil {
			findings = []storagecheck.Finding{}
		}
		if r.Transactions.Open == nil {
			r.Transactions.Open = []storagecheck.OpenTransaction{}
		}
		all.Directories = append(all.Directories, storageReport{r.Path, r.Identity.ClusterID, r.Identity.NodeID, r.Identity.DirectoryID.String(), r.Clean, r.Partitions, r.Counts, r.Transactions, r.BySeverity, findings})
	}
	e := json.NewEncoder(v.stdout)
	e.SetIndent("", "  ")
	if err := e.Encode(all); err != nil {
		fmt.Fprintf(v.stderr, "ottla storage verify: %v\n", err)
		return storageUsage
	}
	return exit
}

func printReport(w io.Writer, r *storagecheck.Report, took time.Duration) {
	fmt.Fprintf(w, "%s: node %d of cluster %s\n", r.Path, r.Identity.NodeID, r.Identity.ClusterID)
	fmt.Fprintf(w, "  %d partitions, %d segments, %d batches, %d records, %d bytes read in %v\n", r.Partitions, r.Segments, r.Batches, r.Records, r.Bytes, took.Round(time.Millisecond))
	if r.Clean {
		fmt.Fprintln(w, "  The broker stopped cleanly.")
	} else {
		fmt.Fprintln(w, "  The broker did not stop cleanly: its next start recovers the logs from their recovery points on, and cuts tails that were never durable.")
	}
	printTransactions(w, r.Transactions)
	printFindings(w, r.Findings)
	if len(r.BySeverity) == 0 {
		fmt.Fprintln(w, "  Nothing is wrong.")
		return
	}
	fmt.Fprint(w, "  Findings:")
	for s := storagecheck.Lost; s >= storagecheck.Leftover; s-- {
		if n := r.BySeverity[s]; n > 0 {
			fmt.Fprintf(w, " %d %s", n, s)
		}
	}
	if !r.Losing() {
		fmt.Fprint(w, "; none loses data")
	}
	fmt.Fprintln(w, ".")
}

// printTransactions says nothing of a directory that has none.
func printTransactions(w io.Writer, x storagecheck.Transactions) {
	if x.Committed+x.Aborted+x.EmptyMarkers == 0 && len(x.Open) == 0 {
		return
	}
	fmt.Fprintf(w, "  Transactions, counted in each partition: %d committed, %d aborted, %d open; %d markers ended none.\n", x.Committed, x.Aborted, len(x.Open), x.EmptyMarkers)
	for i := range x.Open {
		fmt.Fprintf(w, "  open: %s\n", x.Open[i].String())
	}
}

func printFindings(w io.Writer, findings []storagecheck.Finding) {
	for i := range findings {
		fmt.Fprintf(w, "  %s\n", findings[i].String())
	}
}

// progressOn returns what tells of the progress on a terminal every half second, elsewhere every half minute.
func progressOn(w io.Writer, dir string) func(read, total int64) {
	every, end := 30*time.Second, "\n"
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		every, end = 500*time.Millisecond, "\r"
	}
	told := time.Now()
	return func(read, total int64) {
		if now := time.Now(); now.Sub(told) >= every {
			told = now
			fmt.Fprintf(w, "%s: %d of %d MiB read%s", dir, read>>20, total>>20, end)
		}
	}
}
