package storagecheck

import (
	"errors"
	"testing"

	"github.com/ottla/ottla/internal/vfs"
)

func TestUndamagedDirectoryHasNoFindings(t *testing.T) {
	disk := written(t)
	r := verify(t, disk)
	for _, f := range r.Findings {
		t.Error(f.String())
	}
	if !r.Clean || r.Partitions != 1 || r.Segments < 4 || r.Batches != 72 || r.Records != 132 || r.Identity.ClusterID != "cluster" {
		t.Errorf("%+v", *r)
	}
	unclean(t, disk)
	if r := verify(t, disk); r.Clean || len(r.Findings) > 0 {
		t.Errorf("without the mark of a clean stop: %v", r.Findings)
	}
}

func TestDirectoryInUseIsRefused(t *testing.T) {
	disk := written(t)
	d := openDir(t, disk)
	defer d.Close()
	if _, err := Check(t.Context(), disk, testDir, Options{}); !errors.Is(err, vfs.ErrLocked) {
		t.Fatalf("check of an open directory: %v", err)
	}
}
