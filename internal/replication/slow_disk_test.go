package replication

import (
	"io/fs"
	"runtime"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/vfs"
)

// slowDisk takes its time to make the flusher's records durable, so that a crash finds some that are not. Other syncs, which
// happen under mutexes, take none: a bubble's time stands still for who waits for a mutex.
type slowDisk struct {
	vfs.FS
	pause func() time.Duration
}

func (d slowDisk) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	f, err := d.FS.OpenFile(name, flag, perm)
	if err != nil || !strings.HasSuffix(name, ".log") {
		return f, err
	}
	return slowFile{f, d}, nil
}

type slowFile struct {
	vfs.File
	disk slowDisk
}

func (f slowFile) SyncData() error {
	if inFlusher() {
		time.Sleep(f.disk.pause())
	}
	return f.File.SyncData()
}

func inFlusher() bool {
	var callers [32]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers[:])])
	for {
		frame, more := frames.Next()
		if strings.Contains(frame.Function, "(*flusher).flushRest") {
			return true
		}
		if !more {
			return false
		}
	}
}
