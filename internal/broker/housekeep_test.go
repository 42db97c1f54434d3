package broker

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/vfs"
)

// Retention comes log.initial.task.delay.ms after the start, not one log.retention.check.interval.ms later: a broker that is
// restarted more often than that would never delete anything.
func TestRetentionBeginsSoonAfterTheStart(t *testing.T) {
	disk := vfs.NewMemory()
	b := start(t, disk)
	createTopic(t, b, "t", 1)
	old := &kgo.Record{Topic: "t", Value: []byte("x"), Timestamp: time.Now().AddDate(0, 0, -8)}
	if err := connect(t, b).ProduceSync(t.Context(), old).FirstErr(); err != nil {
		t.Fatal(err)
	}
	stop(t, b)
	b = start(t, disk, "log.initial.task.delay.ms=0", "log.retention.check.interval.ms=3600000")
	p, err := b.partitions.Get("t", 0)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the old record is deleted", func() bool { return p.Log().StartOffset() == 1 })
	stop(t, b)
}

// Checkpoints are written in the shortest of their intervals; 0 is none.
func TestCheckpointInterval(t *testing.T) {
	for settings, want := range map[[3]string]time.Duration{
		{"5000", "60000", "60000"}: 5 * time.Second,
		{"5000", "1000", "60000"}:  time.Second,
		{"5000", "60000", "2000"}:  2 * time.Second,
		{"5000", "0", "0"}:         5 * time.Second,
	} {
		o := options(t, vfs.NewMemory(), "replica.high.watermark.checkpoint.interval.ms="+settings[0],
			"log.flush.offset.checkpoint.interval.ms="+settings[1], "log.flush.start.offset.checkpoint.interval.ms="+settings[2])
		if got := checkpointInterval(o.Config); got != want {
			t.Errorf("%v: %v, want %v", settings, got, want)
		}
	}
}
