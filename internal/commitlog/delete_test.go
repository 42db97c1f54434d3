package commitlog

import (
	"io/fs"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// stalling is a disk on which the first sync of a segment waits until it may go on.
type stalling struct {
	vfs.FS
	began chan string   // has the file's name
	goOn  chan struct{} // closed: nothing waits any more
}

type stallingFile struct {
	vfs.File
	name string
	disk *stalling
}

func (s *stalling) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	f, err := s.FS.OpenFile(name, flag, perm)
	return stallingFile{f, name, s}, err
}

func (f stallingFile) SyncData() error {
	if strings.HasSuffix(f.name, logSuffix) {
		select {
		case f.disk.began <- f.name:
		default:
		}
		<-f.disk.goOn
	}
	return f.File.SyncData()
}

// TestDeletedWhileItIsFlushed: the folder's new name is no failure of the disk, and nobody is told that a record of the
// deleted log is safe.
func TestDeletedWhileItIsFlushed(t *testing.T) {
	disk := &stalling{FS: vfs.NewMemory(), began: make(chan string, 1), goOn: make(chan struct{})}
	b := open(t, disk, smallConfig())
	told := make(chan error, 10)
	b.log.OnStable(func(_ int64, err error) { told <- err })
	a := b.append(testTime.UnixMilli(), "x")
	b.log.Commit(a.NextOffset)
	<-disk.began
	if err := b.dir.Delete(testPartition); err != nil {
		t.Fatal(err)
	}
	close(disk.goOn)
	if err := <-told; !isCode(err, kafka.NotLeaderOrFollower) {
		t.Errorf("told of %v", err)
	}
	var err error
	if b.log, err = b.dir.Create(kafka.TopicPartition{Topic: "another"}, kafka.UUID{9}, smallConfig()); err != nil {
		t.Fatal(err)
	}
	b.log.OnStable(func(_ int64, err error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.mu.failed = err
		b.mu.changed.Broadcast()
	})
	b.append(testTime.UnixMilli(), "y")
	if err := b.commit(); err != nil {
		t.Error(err)
	}
	if err := b.dir.Failed(); err != nil {
		t.Error(err)
	}
	if len(told) > 0 {
		t.Errorf("told again: %v", <-told)
	}
	b.close()
}

// meddling is a disk that does something before the next look at a file of one kind, once it is armed.
type meddling struct {
	vfs.FS
	suffix string
	armed  atomic.Bool
	meddle func()
}

func (m *meddling) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	if strings.HasSuffix(name, m.suffix) && flag&os.O_CREATE == 0 && m.armed.Swap(false) {
		m.meddle()
	}
	return m.FS.OpenFile(name, flag, perm)
}

// TestDeletedWhileItIsRead: retention takes a segment away just as its transaction index is read. No index is not the same as
// no aborted transactions: a consumer would take their records for committed ones.
func TestDeletedWhileItIsRead(t *testing.T) {
	disk := vfs.NewMemory()
	b := open(t, disk, smallConfig())
	for i := range 40 {
		b.append(testTime.UnixMilli()+int64(i), strings.Repeat("x", 100))
	}
	b.close()
	meddler := &meddling{FS: disk, suffix: txnIndexSuffix}
	b = open(t, meddler, smallConfig())
	defer b.close()
	b.log.SetHighWatermark(40)
	c := smallConfig()
	c.RetentionBytes = 3000
	b.log.Configure(c)
	meddler.meddle = func() {
		if err := b.dir.Sweep(testTime); err != nil {
			t.Error(err)
		}
	}
	meddler.armed.Store(true)
	if list, err := b.log.AbortedTransactions(0, 10); !isCode(err, kafka.OffsetOutOfRange) {
		t.Errorf("aborted transactions: %v, %v", list, err)
	}
	if b.log.StartOffset() == 0 {
		t.Error("nothing was deleted: the test tries too little")
	}
	from := b.log.StartOffset()
	if err := b.dir.Delete(testPartition); err != nil {
		t.Fatal(err)
	}
	if _, err := b.log.AbortedTransactions(from, 40); !isCode(err, kafka.NotLeaderOrFollower) {
		t.Errorf("aborted transactions of a deleted log: %v", err)
	}
}
