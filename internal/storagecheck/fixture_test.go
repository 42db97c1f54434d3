package storagecheck

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

const testDir = "/data"

var (
	orders   = kafka.TopicPartition{Topic: "orders", Partition: 3}
	testTime = time.UnixMilli(1_700_000_000_000)
)

func logConfig() commitlog.Config {
	c := commitlog.DefaultConfig()
	c.SegmentBytes, c.IndexIntervalBytes = 2000, 200
	return c
}

func openDir(t *testing.T, fsys vfs.FS) *commitlog.Dir {
	t.Helper()
	d, err := commitlog.Open(fsys, testDir, commitlog.Options{Config: func(string) commitlog.Config { return logConfig() }, Now: func() time.Time { return testTime }, ClusterID: "cluster", CheckpointInterval: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// written is a closed directory with one log of several segments: idempotent and transactional producers, transactions
// committed and aborted, all codecs, epochs.
func written(t *testing.T) *vfs.Memory {
	t.Helper()
	disk := vfs.NewMemory()
	d := openDir(t, disk)
	fill(t, d, 0)
	closeDir(t, d)
	return disk
}

func closeDir(t *testing.T, d *commitlog.Dir) {
	t.Helper()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

// fill appends 60 batches of two records, and the markers of twelve transactions.
func fill(t *testing.T, d *commitlog.Dir, sequence int32) *commitlog.Log {
	t.Helper()
	l, err := d.Create(orders, kafka.UUID{7}, logConfig())
	if err != nil {
		t.Fatal(err)
	}
	put := func(b record.Batch, epoch int32, origin record.Origin) {
		if _, err := l.Append(b, commitlog.AppendOptions{LeaderEpoch: epoch, Origin: origin, Now: testTime}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range int32(60) {
		transactional := i%5 < 3
		id := int64(1)
		if transactional {
			id = 2
		}
		o := record.BatchOptions{Compression: record.NewCompression(record.Codec(i % 5)), Transactional: transactional}
		o.Producer = &record.Producer{ID: id, Sequence: sequence + 2*(i/5*3+i%5)}
		if !transactional {
			o.Producer.Sequence = sequence + 2*(i/5*2+i%5-3)
		}
		b := record.NewBuilder(o)
		for j := range int64(2) {
			b.Add(testTime.UnixMilli()+int64(i)*10+j, []byte("key"), []byte(strings.Repeat(fmt.Sprint(i, " "), 30)))
		}
		batch, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		epoch := i / 20
		put(batch, epoch, record.Client)
		if i%5 == 4 {
			marker := record.EndTxnMarker{Commit: i%2 == 0, CoordinatorEpoch: 1, Timestamp: testTime.UnixMilli() + int64(i)*10}
			put(marker.Batch(2, 0), epoch, record.Coordinator)
		}
	}
	l.SetHighWatermark(l.EndOffset())
	return l
}

// verify checks the directory and fails on an error.
func verify(t *testing.T, fsys vfs.FS) *Report {
	t.Helper()
	r, err := Check(t.Context(), fsys, testDir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// in returns the path of a file of the log.
func in(name string) string { return filepath.Join(testDir, orders.String(), name) }

func contentOf(t *testing.T, fsys vfs.FS, path string) []byte {
	t.Helper()
	b, err := readWhole(fsys, path, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, fsys vfs.FS, path string, content []byte) {
	t.Helper()
	f, err := fsys.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err == nil {
		_, err = f.WriteAt(content, 0)
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// change rewrites a file.
func change(t *testing.T, fsys vfs.FS, path string, f func([]byte) []byte) {
	t.Helper()
	write(t, fsys, path, f(contentOf(t, fsys, path)))
}

// flip inverts a bit; negative positions count from the end.
func flip(position int) func([]byte) []byte {
	return func(b []byte) []byte {
		b[(position+len(b))%len(b)] ^= 0x10
		return b
	}
}

// segmentsOf lists the .log files.
func segmentsOf(t *testing.T, fsys vfs.FS) (names []string) {
	t.Helper()
	entries, err := fsys.ReadDir(in(""))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), logSuffix) {
			names = append(names, e.Name())
		}
	}
	return names
}

// unclean removes the mark of a clean stop.
func unclean(t *testing.T, fsys vfs.FS) {
	t.Helper()
	if err := fsys.Remove(filepath.Join(testDir, cleanShutdownFile)); err != nil {
		t.Fatal(err)
	}
}

// errPower is what a disk without power answers.
var errPower = errors.New("the power is out")

// countdown fails every change from the left-th on.
type countdown struct {
	vfs.FS
	left int
}

func (c *countdown) spent() error {
	if c.left--; c.left <= 0 {
		return errPower
	}
	return nil
}

func (c *countdown) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	if flag&os.O_CREATE != 0 {
		if err := c.spent(); err != nil {
			return nil, err
		}
	}
	f, err := c.FS.OpenFile(name, flag, perm)
	return &countdownFile{f, c}, err
}

func (c *countdown) Remove(name string) error {
	if err := c.spent(); err != nil {
		return err
	}
	return c.FS.Remove(name)
}

func (c *countdown) Rename(from, to string) error {
	if err := c.spent(); err != nil {
		return err
	}
	return c.FS.Rename(from, to)
}

func (c *countdown) SyncDir(name string) error {
	if err := c.spent(); err != nil {
		return err
	}
	return c.FS.SyncDir(name)
}

type countdownFile struct {
	vfs.File
	c *countdown
}

func (f *countdownFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.c.spent(); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, off)
}

func (f *countdownFile) Sync() error {
	if err := f.c.spent(); err != nil {
		return err
	}
	return f.File.Sync()
}
