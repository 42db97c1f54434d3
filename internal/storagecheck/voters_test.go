package storagecheck

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// TestBootstrapSnapshot: the snapshot from which a dynamic quorum starts has its voters in the batch of the header (KIP-853).
func TestBootstrapSnapshot(t *testing.T) {
	batch := func(offset int64, kinds ...record.ControlType) []byte {
		b := record.NewBuilder(record.BatchOptions{BaseOffset: offset, Control: true})
		for _, kind := range kinds {
			var w wire.Writer
			switch kind {
			case record.SnapshotHeader:
				(&wire.SnapshotHeaderRecord{}).Encode(&w, 0)
			case record.KRaftVersion:
				(&wire.KRaftVersionRecord{KRaftVersion: 1}).Encode(&w, 0)
			case record.KRaftVoters:
				(&wire.VotersRecord{Voters: []wire.VotersRecordVoter{{VoterID: 1}}}).Encode(&w, 0)
			default:
				(&wire.SnapshotFooterRecord{}).Encode(&w, 0)
			}
			b.AddControl(1, kind, w.Bytes())
		}
		out, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	whole := append(batch(0, record.SnapshotHeader, record.KRaftVersion, record.KRaftVoters), batch(3, record.SnapshotFooter)...)
	for want, content := range map[string][]byte{
		"":                                  whole,
		"footer is missing":                 whole[:len(whole)-75],
		"begins with a KRAFT_VERSION":       append(batch(0, record.KRaftVersion, record.KRaftVoters), batch(2, record.SnapshotFooter)...),
		"it goes on after its footer":       append(append([]byte(nil), whole...), batch(4, record.KRaftVoters)...),
		"begins with a SNAPSHOT_FOOTER rec": batch(0, record.SnapshotFooter),
	} {
		disk := vfs.NewMemory()
		folder := filepath.Join(testDir, "__cluster_metadata-0")
		if err := disk.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, disk, filepath.Join(folder, "00000000000000000000-0000000000.checkpoint"), content)
		var got []string
		for _, f := range verify(t, disk).Findings {
			if strings.HasSuffix(f.File, ".checkpoint") {
				got = append(got, f.String())
			}
		}
		if text := strings.Join(got, "\n"); (want == "") != (text == "") || !strings.Contains(text, want) {
			t.Errorf("want %q, found %q", want, text)
		}
	}
}
