package commitlog

import (
	"fmt"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// TestTruncateOnAFullDisk lets each write, and each making of a file, of a truncation find the disk full. The log is cut or it is
// as it was; the directory goes on; with room again the cut can be done; and a crash at that moment loses nothing.
func TestTruncateOnAFullDisk(t *testing.T) {
	for name, cut := range map[string]func(*Log) error{
		"inside a segment":       func(l *Log) error { return l.TruncateTo(25) },
		"at an older segment":    func(l *Log) error { return l.TruncateTo(4) },
		"all of it":              func(l *Log) error { return l.TruncateTo(0) },
		"to begin again further": func(l *Log) error { return l.TruncateFully(100) },
	} {
		for _, op := range []vfs.Op{vfs.OpOpen, vfs.OpWrite} {
			t.Run(fmt.Sprintf("%s, operation %d", name, op), func(t *testing.T) {
				failed := 0
				for n := 1; ; n++ {
					memory := vfs.NewMemory()
					disk := vfs.Faulty(memory)
					b := open(t, disk, smallConfig())
					put := func(i int) {
						batch := batchOf(t, record.BatchOptions{}, testTime.UnixMilli(), fmt.Sprint("value ", i))
						if _, err := b.log.Append(batch, AppendOptions{LeaderEpoch: int32(1 + i/8), Now: testTime}); err != nil {
							t.Fatal(err)
						}
					}
					for i := range 30 {
						put(i)
					}
					if err := b.commit(); err != nil {
						t.Fatal(err)
					}
					if err := b.dir.writeCheckpoints(); err != nil {
						t.Fatal(err)
					}
					end := b.log.EndOffset()
					disk.Add(vfs.Rule{Op: op, From: n, Times: 1, Err: vfs.ErrNoSpace})
					err := cut(b.log)
					disk.Heal()
					if failure := b.dir.Failed(); failure != nil {
						t.Fatalf("operation %d takes the directory offline: %v", n, failure)
					}
					if err != nil {
						failed++
						if !isCode(err, kafka.KafkaStorageError) {
							t.Fatal(err)
						}
						if b.log.EndOffset() != end || b.log.StableOffset() != end || len(checkLog(t, b.log)) != 30 {
							t.Fatalf("operation %d: the log has offsets up to %d, stable to %d", n, b.log.EndOffset(), b.log.StableOffset())
						}
						if epoch := b.log.LatestEpoch(); epoch != 4 {
							t.Fatalf("operation %d: the last epoch is %d", n, epoch)
						}
						for _, loss := range []vfs.Loss{vfs.LoseUnsynced(), vfs.KeepUnsynced()} {
							after := open(t, memory.Crash(loss), smallConfig())
							if after.log.EndOffset() != end {
								t.Fatalf("operation %d: after a crash the log ends at %d", n, after.log.EndOffset())
							}
							after.close()
						}
						if err := cut(b.log); err != nil {
							t.Fatal(err)
						}
					}
					if got := b.log.EndOffset(); got == end {
						t.Fatal("nothing was cut")
					}
					put(31)
					if err := b.commit(); err != nil {
						t.Fatal(err)
					}
					want := b.log.EndOffset()
					after := open(t, memory.Crash(vfs.LoseUnsynced()), smallConfig())
					if after.log.EndOffset() != want {
						t.Fatalf("operation %d: after the cut and a crash the log ends at %d, want %d", n, after.log.EndOffset(), want)
					}
					checkLog(t, after.log)
					after.close()
					b.close()
					if err == nil && n > 40 {
						break
					}
				}
				if failed == 0 {
					t.Error("nothing failed")
				}
			})
		}
	}
}
