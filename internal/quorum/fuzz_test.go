package quorum

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/vfs"
)

// FuzzSnapshot: a file that is taken yields its batches, and says where it ends.
func FuzzSnapshot(f *testing.F) {
	p := position{index: 7, term: 2, offset: 30}
	data, err := buildSnapshot(p, 1, electorate{}, slices.Values([][]byte{[]byte("a"), []byte("b")}), time.UnixMilli(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:90])
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := checkSnapshot(data, p)
		if err != nil {
			return
		}
		size := 0
		for b := range snapshotBatches(data) {
			size += b.Length()
		}
		if size != len(data) || p.offset < 0 {
			t.Errorf("%d of %d bytes, %+v", size, len(data), p)
		}
	})
}

// FuzzQuorumState: what is read and written again reads the same.
func FuzzQuorumState(f *testing.F) {
	f.Add([]byte(`{"leaderId":-1,"leaderEpoch":5,"votedId":3,"votedDirectoryId":"AwAAAAAAAAAAAAAAAAAABw","data_version":1}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		disk := vfs.NewMemory()
		if err := disk.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		files := &files{disk, folder}
		if err := files.replace(filepath.Join(folder, stateFile), content); err != nil {
			t.Fatal(err)
		}
		v, err := files.readVote()
		if err != nil {
			return
		}
		v = v.in(nil)
		if err := files.writeVote(v); err != nil {
			t.Fatal(err)
		}
		if again, err := files.readVote(); err != nil || again != v {
			t.Errorf("%+v, then %+v, %v", v, again, err)
		}
	})
}
