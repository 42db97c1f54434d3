package quorum

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

const folder = "data/__cluster_metadata-0"

// fileJournal is a journal in one plain file, for tests that are about the quorum and not about commitlog.
type fileJournal struct {
	mu         sync.Mutex
	file       vfs.File
	start, end int64
	batches    []placed
	size       int64
	high       int64
	syncs      int
}

type placed struct{ offset, next, at, size int64 }

func openFileJournal(t *testing.T, fsys vfs.FS) *fileJournal {
	t.Helper()
	if err := fsys.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	file, err := fsys.OpenFile(filepath.Join(folder, "journal"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{".", "data", folder} {
		if err := fsys.SyncDir(dir); err != nil {
			t.Fatal(err)
		}
	}
	j := &fileJournal{file: file}
	size, _ := file.Size()
	content := make([]byte, size)
	file.ReadAt(content, 0)
	for len(content) > 0 {
		b, rest, err := record.First(content)
		if err != nil || b.CheckCRC() != nil {
			break // torn
		}
		if len(j.batches) == 0 {
			j.start = b.BaseOffset()
		}
		j.put(b)
		content = rest
	}
	if err := file.Truncate(j.size); err != nil {
		t.Fatal(err)
	}
	return j
}

func (j *fileJournal) put(b record.Batch) {
	j.batches = append(j.batches, placed{b.BaseOffset(), b.LastOffset() + 1, j.size, int64(len(b))})
	j.size += int64(len(b))
	j.end = b.LastOffset() + 1
}

func (j *fileJournal) StartOffset() int64 { return j.start }
func (j *fileJournal) EndOffset() int64   { return j.end }

func (j *fileJournal) Write(batches []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.file.WriteAt(batches, j.size); err != nil {
		return err
	}
	for b, err := range record.Batches(batches) {
		if err != nil {
			return err
		}
		j.put(b)
	}
	return nil
}

func (j *fileJournal) Sync() error {
	j.syncs++
	return j.file.SyncData()
}

func (j *fileJournal) Read(offset, below int64, maxBytes int) ([]byte, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var all []byte
	for _, p := range j.batches {
		if p.offset < offset || p.next > below || (len(all) > 0 && len(all)+int(p.size) > maxBytes) {
			continue
		}
		b := make([]byte, p.size)
		if _, err := j.file.ReadAt(b, p.at); err != nil {
			return nil, err
		}
		all = append(all, b...)
	}
	return all, nil
}

func (j *fileJournal) TruncateTo(offset int64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, p := range j.batches {
		if p.next > offset {
			j.batches, j.size, j.end = j.batches[:i], p.at, offset
			return j.file.Truncate(p.at)
		}
	}
	return nil
}

func (j *fileJournal) AdvanceStart(offset int64) error {
	j.start = offset
	return nil
}

func (j *fileJournal) Reset(offset int64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.batches, j.size, j.start, j.end = nil, 0, offset, offset
	return j.file.Truncate(0)
}

func (j *fileJournal) SetHighWatermark(offset int64) { j.high = offset }
