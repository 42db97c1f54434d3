package storagecheck

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// Options say how a Check goes about it. The zero value works.
type Options struct {
	// Workers is how many partitions are read at once; 0: as many as there are processors, at most 8.
	Workers int
	// Found, if not nil, gets each finding as soon as its partition is done. Calls do not overlap.
	Found func(Finding)
	// Progress, if not nil, is told now and then how many of the bytes to read have been read. Calls do not overlap.
	Progress func(read, total int64)

	keep func(*partition) // for repair: gets each partition that was read
}

// Counts is how much was read.
type Counts struct {
	Segments int   `json:"segments"`
	Batches  int64 `json:"batches"`
	Records  int64 `json:"records"`
	Bytes    int64 `json:"bytes"`
}

func (c *Counts) plus(o Counts) {
	c.Segments += o.Segments
	c.Batches += o.Batches
	c.Records += o.Records
	c.Bytes += o.Bytes
}

// Report is the result of a Check.
type Report struct {
	Path     string
	Identity Identity
	// Clean is whether the broker stopped cleanly. If not, its next start recovers the logs from their recovery
	// points on, and cuts tails that were never durable.
	Clean      bool
	Partitions int
	Counts
	Transactions Transactions
	// Findings are sorted by partition; at most a hundred of each severity per partition, with a last one that says
	// how many more there are.
	Findings []Finding
	// BySeverity counts all findings, also those that are not listed.
	BySeverity map[Severity]int

	names       []string // of the partitions
	journal     *journal // that the next start redoes; nil if there is none
	journalLost bool     // it cannot be read
}

// Losing reports whether there are findings that lose data, or will: of severity Damaged or Lost.
func (r *Report) Losing() bool { return r.BySeverity[Damaged]+r.BySeverity[Lost] > 0 }

// Check reads a log directory of a broker that does not run. The error says why it could not be read at all: it wraps
// vfs.ErrLocked if a broker holds it, or is the context's.
func Check(ctx context.Context, fsys vfs.FS, dir string, o Options) (*Report, error) {
	lock, err := hold(fsys, dir)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	r, err := check(ctx, fsys, dir, o)
	if r != nil {
		err = errors.Join(err, r.journal.close())
		r.journal = nil
	}
	return r, err
}

// nothingHeld is the lock of a directory that nobody ever locked.
type nothingHeld struct{}

func (nothingHeld) Close() error { return nil }

// hold takes the directory's lock. It makes no lock file: who only reads changes nothing.
func hold(fsys vfs.FS, dir string) (io.Closer, error) {
	path := filepath.Join(dir, lockFile)
	if _, err := fsys.ReadDir(dir); err != nil {
		return nil, err
	}
	if _, err := fsys.Stat(path); err != nil {
		return nothingHeld{}, nil
	}
	lock, err := fsys.Lock(path)
	if errors.Is(err, vfs.ErrLocked) {
		return nil, fmt.Errorf("log directory %s is in use by a broker (its file %s is locked); stop the broker first: %w", dir, lockFile, vfs.ErrLocked)
	}
	if err != nil { // a medium that cannot be written to holds no broker either
		return nothingHeld{}, nil
	}
	return lock, nil
}

// check is Check for whoever holds the lock. The report's journal stays open.
func check(ctx context.Context, fsys vfs.FS, dir string, o Options) (*Report, error) {
	d := &directory{fsys: fsys, path: dir}
	if err := d.read(); err != nil {
		return nil, err
	}
	d.topics = readTopics(fsys, dir)
	d.close()
	run := &checkRun{options: o, report: &Report{Path: dir, Identity: d.meta, Clean: d.clean, Partitions: len(d.folders), BySeverity: map[Severity]int{}}, statuses: map[string]status{}}
	for _, tp := range d.folders {
		run.report.names = append(run.report.names, tp.String())
	}
	run.report.journal, run.report.journalLost = d.journal, d.journalLost
	run.enter(&d.findings, Counts{})
	run.measure(d)
	err := run.partitions(ctx, d)
	run.report.Transactions.match(run.statuses)
	slices.SortStableFunc(run.report.Findings, func(a, b Finding) int { return cmp.Compare(a.Partition, b.Partition) })
	return run.report, err
}

// checkRun brings the workers' results together.
type checkRun struct {
	options Options
	mu      sync.Mutex
	report  *Report
	read    int64
	total   int64
	told    int64

	statuses map[string]status // of transactional ids
}

// tellEvery is how many bytes are read between two calls of Progress.
const tellEvery = 16 << 20

func (run *checkRun) step(bytes int64) {
	run.mu.Lock()
	defer run.mu.Unlock()
	run.read += bytes
	if run.options.Progress != nil && run.read-run.told >= tellEvery {
		run.told = run.read
		run.options.Progress(run.read, run.total)
	}
}

// enter adds what one partition, or the directory itself, has.
func (run *checkRun) enter(f *findings, c Counts) {
	run.mu.Lock()
	defer run.mu.Unlock()
	run.report.Counts.plus(c)
	for s, n := range f.counts {
		if n > 0 {
			run.report.BySeverity[Severity(s)] += n
		}
	}
	run.report.Findings = append(run.report.Findings, f.list...)
	if run.options.Found != nil {
		for _, x := range f.list {
			run.options.Found(x)
		}
	}
}

// gather adds a partition's transactions.
func (run *checkRun) gather(p *partition) {
	run.mu.Lock()
	defer run.mu.Unlock()
	run.report.Transactions.plus(p.transactions)
	maps.Copy(run.statuses, p.statuses)
}

// measure finds out how much there is to read, if somebody wants to know.
func (run *checkRun) measure(d *directory) {
	if run.options.Progress == nil {
		return
	}
	for _, tp := range d.folders {
		run.total += d.sizeBelow(tp.String())
	}
	run.options.Progress(0, run.total)
}

// partitions checks all partitions, several at once.
func (run *checkRun) partitions(ctx context.Context, d *directory) error {
	workers := run.options.Workers
	if workers <= 0 {
		workers = min(8, runtime.GOMAXPROCS(0))
	}
	work := make(chan kafka.TopicPartition)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			readers := [3]*reader{new(reader), new(reader), new(reader)}
			for tp := range work {
				p := d.partition(tp, readers)
				p.step = run.step
				p.check()
				run.enter(&p.findings, p.Counts)
				run.gather(p)
				if run.options.keep != nil {
					run.mu.Lock()
					run.options.keep(p)
					run.mu.Unlock()
				}
			}
		})
	}
	defer group.Wait()
	defer close(work)
	for _, tp := range d.folders {
		select {
		case work <- tp:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (d *directory) partition(tp kafka.TopicPartition, readers [3]*reader) *partition {
	name := tp.String()
	return &partition{
		findings: findings{partition: name}, fsys: d.fsys, path: filepath.Join(d.path, name), tp: tp, name: name,
		known: d.knownOf(tp), redo: d.journal.of(name), topic: d.topics.of(tp.Topic), r: readers[0], offsetReader: readers[1], timeReader: readers[2],
	}
}

// reasonOf is the text of an error without the code that clients are told.
func reasonOf(err error) string {
	if text := kafka.MessageOf(err); text != nil {
		return *text
	}
	return err.Error()
}
