package commitlog

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

const testDir = "/data"

var testPartition = kafka.TopicPartition{Topic: "orders", Partition: 3}

// testTime is where test clocks stand; timestamps are near it so that nothing is older than retention.ms.
var testTime = time.UnixMilli(1_700_000_000_000)

// smallConfig makes segments and index intervals so small that a few batches exercise everything.
func smallConfig() Config {
	c := DefaultConfig()
	c.SegmentBytes = 2000
	c.IndexIntervalBytes = 200
	c.FileDeleteDelay = 0
	return c
}

type testBench struct {
	tb     testing.TB
	fsys   vfs.FS
	config Config
	dir    *Dir
	log    *Log
	mu     struct {
		sync.Mutex
		changed *sync.Cond
		failed  error
	}
}

func testOptions(c Config) Options {
	return Options{
		Config: func(string) Config { return c }, Now: func() time.Time { return testTime },
		CheckpointInterval: time.Millisecond, progressBytes: 3000, journalAfter: 1, JournalBytes: 32 * journalBlock, journalFirst: 4 * journalBlock, ClusterID: "cluster-of-the-tests",
		OpenFiles: minOpenFiles, // so that files come and go all the time
	}
}

// open opens the directory and the one log of a test.
func open(tb testing.TB, fsys vfs.FS, c Config) *testBench {
	tb.Helper()
	return openWith(tb, fsys, c, func(*Options) {})
}

// openWith is open with other options.
func openWith(tb testing.TB, fsys vfs.FS, c Config, change func(*Options)) *testBench {
	tb.Helper()
	b := &testBench{tb: tb, fsys: fsys, config: c}
	b.mu.changed = sync.NewCond(&b.mu)
	o := testOptions(c)
	change(&o)
	dir, err := Open(fsys, testDir, o)
	if err != nil {
		tb.Fatal("open:", err)
	}
	b.dir = dir
	b.watch(kafka.UUID{7}, c)
	return b
}

// watch takes the one log of a test from the directory, or creates it.
func (b *testBench) watch(topicID kafka.UUID, c Config) {
	b.tb.Helper()
	b.mu.changed = sync.NewCond(&b.mu)
	if b.log = b.dir.Log(testPartition); b.log == nil {
		var err error
		if b.log, err = b.dir.Create(testPartition, topicID, c); err != nil {
			b.tb.Fatal("create:", err)
		}
	}
	b.log.OnStable(func(_ int64, err error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.mu.failed = errors.Join(b.mu.failed, err)
		b.mu.changed.Broadcast()
	})
}

func (b *testBench) close() {
	b.tb.Helper()
	if err := b.dir.Close(); err != nil {
		b.tb.Fatal("close:", err)
	}
}

// reopen stops cleanly and starts again.
func (b *testBench) reopen() *testBench {
	b.tb.Helper()
	b.close()
	return open(b.tb, b.fsys, b.config)
}

// commit waits until everything is stable, or returns why it will not be.
func (b *testBench) commit() error {
	end := b.log.EndOffset()
	b.log.Commit(end)
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.log.StableOffset() < end && b.mu.failed == nil {
		b.mu.changed.Wait()
	}
	return b.mu.failed
}

// batchOf builds a batch with one record per value.
func batchOf(tb testing.TB, o record.BatchOptions, ts int64, values ...string) record.Batch {
	tb.Helper()
	builder := record.NewBuilder(o)
	for i, v := range values {
		builder.Add(ts+int64(i), []byte("k"), []byte(v))
	}
	batch, err := builder.Build()
	if err != nil {
		tb.Fatal(err)
	}
	return batch
}

func (b *testBench) append(ts int64, values ...string) Appended {
	b.tb.Helper()
	return b.appendBatch(batchOf(b.tb, record.BatchOptions{}, ts, values...), AppendOptions{LeaderEpoch: 1, Now: testTime})
}

func (b *testBench) appendBatch(batch record.Batch, o AppendOptions) Appended {
	b.tb.Helper()
	a, err := b.log.Append(batch, o)
	if err != nil {
		b.tb.Fatal("append:", err)
	}
	return a
}

// readAll returns all batches from offset on, found the way a consumer reads them.
func readAll(tb testing.TB, l *Log, offset int64, maxBytes int) []record.Batch {
	tb.Helper()
	var all []record.Batch
	for end := l.EndOffset(); offset < end; {
		span, err := l.Find(offset, maxBytes, end, true)
		if err != nil {
			tb.Fatalf("find %d: %v", offset, err)
		}
		if span.Size == 0 {
			return all
		}
		raw := make([]byte, span.Size)
		if n, err := span.ReadAt(raw); err != nil || n != span.Size {
			tb.Fatalf("read %d bytes at offset %d: %d, %v", span.Size, offset, n, err)
		}
		span.Release()
		for b, err := range record.Batches(raw) {
			if err != nil {
				tb.Fatalf("span at %d: %v", offset, err)
			}
			if b.LastOffset() < offset {
				tb.Fatalf("find %d gave a batch that ends at %d", offset, b.LastOffset())
			}
			all = append(all, b)
			offset = b.LastOffset() + 1
		}
	}
	return all
}

func isCode(err error, code kafka.ErrorCode) bool { return kafka.CodeOf(err) == code }

// names lists a folder.
func names(tb testing.TB, fsys vfs.FS, path string) []string {
	tb.Helper()
	entries, err := fsys.ReadDir(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		tb.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// lockedLines are log lines that may be written while they are read.
type lockedLines struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (l *lockedLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.Write(p)
}

func (l *lockedLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.String()
}

func lockedLogLines() (*slog.Logger, *lockedLines) {
	lines := new(lockedLines)
	return slog.New(slog.NewTextHandler(lines, nil)), lines
}

// gone waits until no name in a folder has the text: the flusher removes deleted files too, in its own time.
func gone(tb testing.TB, fsys vfs.FS, path, text string) {
	tb.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		got := names(tb, fsys, path)
		if !strings.Contains(strings.Join(got, " "), text) {
			return
		}
		if time.Now().After(end) {
			tb.Fatalf("still there: %q", got)
		}
	}
}

// logLines returns a logger and what it wrote.
func logLines() (*slog.Logger, *bytes.Buffer) {
	var lines bytes.Buffer
	return slog.New(slog.NewTextHandler(&lines, nil)), &lines
}
