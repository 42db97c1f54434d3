package commitlog

import (
	"io"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// unlockedFS lets a directory be opened again that was not closed, as after kill -9.
type unlockedFS struct{ vfs.FS }

type noLock struct{}

func (noLock) Close() error { return nil }

func (unlockedFS) Lock(string) (io.Closer, error) { return noLock{}, nil }

// BenchmarkRestart opens a directory of many logs on the real disk.
func BenchmarkRestart(b *testing.B) {
	for _, c := range []struct {
		name  string
		logs  int32
		bytes int
		kill  bool
	}{
		{"idle", 10_000, 0, false}, {"idle,killed", 10_000, 0, true},
		{"1MB", 1000, 1 << 20, false}, {"1MB,killed", 1000, 1 << 20, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			path := b.TempDir()
			o := Options{CheckpointInterval: 10 * time.Millisecond}
			d, err := Open(unlockedFS{vfs.Disk()}, path, o)
			if err != nil {
				b.Fatal(err)
			}
			fillLogs(b, d, c.logs, c.bytes)
			for range b.N {
				b.StopTimer()
				if !c.kill {
					if err := d.Close(); err != nil {
						b.Fatal(err)
					}
				}
				b.StartTimer()
				if d, err = Open(unlockedFS{vfs.Disk()}, path, o); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			_ = d.Close()
		})
	}
}

// fillLogs makes logs of so many bytes each, durable and with the checkpoints on disk.
func fillLogs(b *testing.B, d *Dir, logs int32, bytes int) {
	batch := batchOf(b, record.BatchOptions{}, testTime.UnixMilli(), string(make([]byte, 60<<10)))
	var all []*Log
	for p := range logs {
		l, err := d.Create(kafka.TopicPartition{Topic: "many", Partition: p}, kafka.UUID{1}, DefaultConfig())
		if err != nil {
			b.Fatal(err)
		}
		for written := 0; written < bytes; written += len(batch) {
			if _, err := l.Append(batch, AppendOptions{LeaderEpoch: 1, Now: testTime}); err != nil {
				b.Fatal(err)
			}
		}
		all = append(all, l)
	}
	d.flusher.flush(all)
	if err := d.writeCheckpointFiles(); err != nil {
		b.Fatal(err)
	}
}
