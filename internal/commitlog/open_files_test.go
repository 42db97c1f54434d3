package commitlog

import (
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// watchfulFS counts open .log and index files of partitions, and notes those that were closed with bytes unsynced.
type watchfulFS struct {
	vfs.FS
	mu struct {
		sync.Mutex
		open, most int
		lossy      []string
	}
}

type watchedFile struct {
	vfs.File
	fsys *watchfulFS
	mu   struct {
		sync.Mutex
		unsynced bool
	}
}

func (w *watchfulFS) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	f, err := w.FS.OpenFile(name, flag, perm)
	if err != nil || filepath.Ext(name) != logSuffix {
		return f, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.open++
	w.mu.most = max(w.mu.most, w.mu.open)
	return &watchedFile{File: f, fsys: w}, nil
}

func (f *watchedFile) note(unsynced bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.unsynced = unsynced
}

func (f *watchedFile) WriteAt(p []byte, off int64) (int, error) {
	defer f.note(true)
	return f.File.WriteAt(p, off)
}

func (f *watchedFile) SyncData() error {
	f.note(false)
	return f.File.SyncData()
}

func (f *watchedFile) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fsys.mu.Lock()
	defer f.fsys.mu.Unlock()
	f.fsys.mu.open--
	if f.mu.unsynced {
		f.fsys.mu.lossy = append(f.fsys.mu.lossy, f.Name())
	}
	return f.File.Close()
}

func (w *watchfulFS) openFiles() (now, most int, lossy []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.open, w.mu.most, w.mu.lossy
}

// manyLogs makes logs beside the one of the bench.
func manyLogs(t *testing.T, b *testBench, n int32, c Config) []*Log {
	t.Helper()
	var logs []*Log
	for p := range n {
		l, err := b.dir.Create(kafka.TopicPartition{Topic: "many", Partition: p}, kafka.UUID{1}, c)
		if err != nil {
			t.Fatal(err)
		}
		logs = append(logs, l)
	}
	return logs
}

func appendTo(t *testing.T, l *Log, value string) Appended {
	t.Helper()
	a, err := l.Append(batchOf(t, record.BatchOptions{}, testTime.UnixMilli(), value), AppendOptions{Now: testTime})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// awaitStable waits until everything in the logs is.
func awaitStable(t *testing.T, logs []*Log) {
	t.Helper()
	for _, l := range logs {
		stable := make(chan struct{}, 1)
		l.OnStable(func(int64, error) {
			select {
			case stable <- struct{}{}:
			default:
			}
		})
		for l.Commit(l.EndOffset()); l.StableOffset() < l.EndOffset(); {
			<-stable
		}
	}
}

// TestOpenFilesAreFew: of many logs only some have files open, however they are used; what has unsynced bytes stays open.
func TestOpenFilesAreFew(t *testing.T) {
	disk := &watchfulFS{FS: vfs.NewMemory()}
	c := DefaultConfig()
	c.FlushMs = time.Hour.Milliseconds()
	b := open(t, disk, c)
	logs := manyLogs(t, b, 200, c)
	for range 3 {
		for _, l := range logs {
			appendTo(t, l, "a")
		}
	}
	if _, most, lossy := disk.openFiles(); most < minOpenFiles || most > 2*overdraft*minOpenFiles || len(lossy) > 0 {
		t.Errorf("%d files were open, %d closed with unsynced bytes", most, len(lossy)) // a flush holds some, too
	}
	awaitStable(t, logs)
	for range 2 {
		for _, l := range logs {
			if got := readAll(t, l, 0, 1000); len(got) != 3 {
				t.Fatalf("%s: %d batches", l.TopicPartition(), len(got))
			}
		}
	}
	if now, _, lossy := disk.openFiles(); now > minOpenFiles || len(lossy) > 0 {
		t.Errorf("%d files are open, %d closed with unsynced bytes", now, len(lossy))
	}
	b = b.reopen()
	if now, _, _ := disk.openFiles(); now != 0 {
		t.Errorf("%d files are open after a restart", now)
	}
	b.close()
	if now, _, lossy := disk.openFiles(); now != 0 || len(lossy) > 0 {
		t.Errorf("%d files are open after the end, %d closed with unsynced bytes", now, len(lossy))
	}
}

// TestSyncToMakeRoomFails: a file that cannot be synced to make room takes the directory offline, as any failed sync.
func TestSyncToMakeRoomFails(t *testing.T) {
	disk := vfs.Faulty(vfs.NewMemory(), vfs.Rule{Op: vfs.OpSync, Path: "*.log", Err: fs.ErrInvalid})
	c := DefaultConfig()
	c.WriteCaching, c.FlushMs = true, time.Hour.Milliseconds()
	b := open(t, disk, c)
	defer b.dir.Close()
	for i, l := range manyLogs(t, b, 100, c) {
		if _, err := l.Append(batchOf(t, record.BatchOptions{}, 0, "a"), AppendOptions{Now: testTime}); err != nil {
			if !isCode(err, kafka.KafkaStorageError) || i < minOpenFiles {
				t.Errorf("append %d: %v", i, err)
			}
			return
		}
	}
	t.Error("nobody noticed that nothing can be synced")
}

// TestSpansOutliveFiles: what was found can be read after its segment was deleted, even if the file was closed to make
// room before; and a reader that comes too late is told, for a deleted log.
func TestSpansOutliveFiles(t *testing.T) {
	c := smallConfig()
	b := open(t, vfs.NewMemory(), c)
	defer b.close()
	logs := manyLogs(t, b, 20, c)
	value := strings.Repeat("x", 500)
	for range 20 {
		b.append(testTime.UnixMilli(), value)
	}
	if err := b.commit(); err != nil {
		t.Fatal(err)
	}
	first, err := b.log.Find(0, 600, b.log.EndOffset(), true)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range logs { // which takes the place of the file
		appendTo(t, l, "a")
	}
	awaitStable(t, logs)
	if b.log.list()[0].files.log.Load() != nil {
		t.Fatal("the file of the first segment is still open")
	}
	b.log.SetHighWatermark(b.log.EndOffset())
	if err := b.log.AdvanceStart(b.log.EndOffset()); err != nil {
		t.Fatal(err)
	}
	if err := b.dir.Sweep(testTime); err != nil {
		t.Fatal(err)
	}
	if err := b.dir.Sweep(testTime.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if got := len(b.log.list()); got != 1 {
		t.Fatalf("%d segments are left", got)
	}
	for _, l := range logs {
		readAll(t, l, 0, 1000)
	}
	raw := make([]byte, first.Size)
	if _, err := first.ReadAt(raw); err != nil || record.Batch(raw).CheckCRC() != nil || !strings.Contains(string(raw), value) {
		t.Errorf("the span of a deleted segment: %v", err)
	}
	first.Release()
	kept, err := logs[0].Find(0, 600, 1, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.dir.Delete(logs[0].TopicPartition()); err != nil {
		t.Fatal(err)
	}
	if _, err := kept.ReadAt(raw); err != nil {
		t.Errorf("the span of a deleted log: %v", err)
	}
	kept.Release()
	if _, err := logs[0].Find(0, 600, 1, true); !isCode(err, kafka.NotLeaderOrFollower) {
		t.Errorf("find in a deleted log: %v", err)
	}
	if _, _, _, _, err := logs[0].MaxTimestamp(); !isCode(err, kafka.NotLeaderOrFollower) {
		t.Errorf("timestamp of a deleted log: %v", err)
	}
}

// TestTooManyFiles: a process without file descriptors closes files that nobody needs, instead of failing.
func TestTooManyFiles(t *testing.T) {
	disk := vfs.Faulty(vfs.NewMemory())
	b := open(t, disk, DefaultConfig())
	defer b.close()
	logs := manyLogs(t, b, 3, DefaultConfig())
	for _, l := range logs[:2] {
		appendTo(t, l, "a")
	}
	awaitStable(t, logs[:2])
	disk.Add(vfs.Rule{Op: vfs.OpOpen, Path: "*.log", Err: vfs.ErrTooManyFiles, Times: 1})
	appendTo(t, logs[2], "a")
	disk.Add(vfs.Rule{Op: vfs.OpOpen, Path: "*.log", Err: vfs.ErrTooManyFiles})
	if _, err := b.log.Append(batchOf(t, record.BatchOptions{}, 0, "a"), AppendOptions{Now: testTime}); !isCode(err, kafka.KafkaStorageError) {
		t.Errorf("append without a file descriptor: %v", err)
	}
	disk.Heal()
	b.append(0, "a")
	if err := b.dir.Failed(); err != nil {
		t.Errorf("the directory is offline: %v", err)
	}
}

// TestFilesComeAndGo uses more logs than may have files open, from many goroutines. Run it with -race.
func TestFilesComeAndGo(t *testing.T) {
	disk := &watchfulFS{FS: vfs.NewMemory()}
	c := smallConfig()
	b := open(t, disk, c)
	logs := manyLogs(t, b, 12, c)
	var users sync.WaitGroup
	for i, l := range logs {
		users.Go(func() {
			for n := range int64(60) {
				a := appendTo(t, l, strings.Repeat("x", 100))
				if i%2 == 0 {
					l.Commit(a.NextOffset)
				}
				span, err := l.Find(n/2, 100, n+1, true)
				if err != nil || span.Size == 0 {
					t.Errorf("find %d: %d bytes, %v", n/2, span.Size, err)
					return
				}
				raw := make([]byte, span.Size)
				if _, err := span.ReadAt(raw); err != nil || record.Batch(raw).BaseOffset() != n/2 {
					t.Errorf("read %d: %v", n/2, err)
				}
				span.Release()
			}
		})
	}
	users.Wait()
	for _, l := range logs {
		checkLog(t, l)
	}
	b.close()
	if now, _, lossy := disk.openFiles(); now != 0 || len(lossy) > 0 {
		t.Errorf("%d files are open, %d closed with unsynced bytes", now, len(lossy))
	}
}
