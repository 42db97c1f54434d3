package commitlog

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// TestRetention: which segments go (UnifiedLog.deleteOldSegments): those below the log's start whatever the policy, then by size,
// then by age, each time the oldest ones up to the first that stays.
func TestRetention(t *testing.T) {
	day := (24 * time.Hour).Milliseconds()
	now := testTime.UnixMilli()
	size := int64(len(batchOf(t, record.BatchOptions{}, now, strings.Repeat("x", 100)))) // of a segment
	tests := []struct {
		name      string
		configure func(*Config)
		ages      []int64 // of four segments
		high      int64
		start     int64
	}{
		{"by time", func(c *Config) { c.RetentionMs = day }, []int64{3 * day, 2 * day, day / 2, 0}, 4, 2},
		{"as old as that is not too old", func(c *Config) { c.RetentionMs = day }, []int64{day, day, 0, 0}, 4, 0},
		{"a millisecond older is", func(c *Config) { c.RetentionMs = day }, []int64{day + 1, day, 0, 0}, 4, 1},
		{"at once", func(c *Config) { c.RetentionMs = 0 }, []int64{1, 1, 1, 0}, 4, 3},
		{"not behind one that stays", func(c *Config) { c.RetentionMs = day }, []int64{2 * day, 0, 2 * day, 0}, 4, 1},
		{"not above the high watermark", func(c *Config) { c.RetentionMs = day }, []int64{3 * day, 2 * day, day / 2, 0}, 1, 1},
		{"active segment too", func(c *Config) { c.RetentionMs = day }, []int64{3 * day, 3 * day, 3 * day, 2 * day}, 4, 4},
		{"a future timestamp blocks", func(c *Config) { c.RetentionMs = day }, []int64{-day, 3 * day, 3 * day, 0}, 4, 0},
		{"by size", func(c *Config) { c.RetentionBytes = 2 * size }, []int64{0, 0, 0, 0}, 4, 2},
		{"by size, exactly as large", func(c *Config) { c.RetentionBytes = 4 * size }, []int64{0, 0, 0, 0}, 4, 0},
		{"by size, one segment too large", func(c *Config) { c.RetentionBytes = 3 * size }, []int64{0, 0, 0, 0}, 4, 1},
		{"by size, not a whole segment too large", func(c *Config) { c.RetentionBytes = 3*size + 1 }, []int64{0, 0, 0, 0}, 4, 0},
		{"by size, nothing is to stay", func(c *Config) { c.RetentionBytes = 0 }, []int64{0, 0, 0, 0}, 4, 4},
		{"by size whatever the age", func(c *Config) { c.RetentionBytes, c.RetentionMs = size, -1 }, []int64{-day, -day, -day, 0}, 4, 3},
		{"by size, then by time", func(c *Config) { c.RetentionBytes, c.RetentionMs = 3*size, day }, []int64{0, 2 * day, 0, 0}, 4, 2},
		{"by time alone first", func(c *Config) { c.RetentionBytes, c.RetentionMs = 3*size, day }, []int64{2 * day, 0, 0, 0}, 4, 1},
		{"compact and delete", func(c *Config) { c.RetentionMs, c.CleanupCompact = day, true }, []int64{3 * day, 2 * day, day / 2, 0}, 4, 2},
		{"no limits", func(c *Config) { c.RetentionMs = -1 }, []int64{3 * day, 2 * day, day, 0}, 4, 0},
		{"compact only", func(c *Config) { c.RetentionMs, c.CleanupDelete, c.CleanupCompact = 1, false, true }, []int64{day, day, day, 0}, 4, 0},
		{"no policy", func(c *Config) { c.RetentionMs, c.CleanupDelete = 1, false }, []int64{day, day, day, 0}, 4, 0},
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			c := DefaultConfig()
			c.SegmentBytes, c.FileDeleteDelay, c.SegmentMs = 200, time.Minute, 100*day
			x.configure(&c)
			disk := vfs.NewMemory()
			b := open(t, disk, c)
			for _, age := range x.ages {
				b.append(now-age, strings.Repeat("x", 100))
			}
			b.log.SetHighWatermark(x.high)
			if err := b.dir.Sweep(testTime); err != nil {
				t.Fatal(err)
			}
			if got := b.log.StartOffset(); got != x.start {
				t.Fatalf("log starts at %d, want %d", got, x.start)
			}
			if got := b.log.list()[0].base; got != x.start {
				t.Fatalf("first segment is %d, want %d", got, x.start)
			}
			if err := b.dir.removeDue(testTime.Add(2 * time.Minute)); err != nil {
				t.Fatal(err)
			}
			for _, name := range names(t, disk, b.log.Path()) {
				if strings.HasSuffix(name, deletedSuffix) {
					t.Fatalf("%s is still there after file.delete.delay.ms", name)
				}
			}
			b = b.reopen()
			if got := b.log.StartOffset(); got != x.start || b.log.EndOffset() != 4 {
				t.Fatalf("after a restart the log is [%d, %d)", got, b.log.EndOffset())
			}
			checkLog(t, b.log)
			b.close()
		})
	}
}

// TestSegmentsBelowTheStartGo: whatever cleanup.policy says, what DeleteRecords gave up is deleted.
func TestSegmentsBelowTheStartGo(t *testing.T) {
	for _, c := range []struct{ deletes, compacts bool }{{true, false}, {false, true}, {true, true}, {false, false}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			config := DefaultConfig()
			config.SegmentBytes, config.CleanupDelete, config.CleanupCompact = 200, c.deletes, c.compacts
			b := open(t, vfs.NewMemory(), config)
			defer b.close()
			for range 4 {
				b.append(testTime.UnixMilli(), strings.Repeat("x", 100))
			}
			b.log.SetHighWatermark(4)
			if err := b.log.AdvanceStart(3); err != nil {
				t.Fatal(err)
			}
			if err := b.dir.Sweep(testTime); err != nil {
				t.Fatal(err)
			}
			if list := b.log.list(); list[0].base != 3 || b.log.StartOffset() != 3 {
				t.Errorf("the log starts at %d, its first segment at %d", b.log.StartOffset(), list[0].base)
			}
		})
	}
}

// inRealTime opens a log whose clock is the time of the test's bubble.
func inRealTime(t *testing.T, c Config, logger *slog.Logger) *testBench {
	t.Helper()
	options := testOptions(c)
	options.Now, options.Logger = time.Now, logger
	dir, err := Open(vfs.NewMemory(), testDir, options)
	if err != nil {
		t.Fatal(err)
	}
	b := &testBench{tb: t, dir: dir}
	if b.log, err = dir.Create(testPartition, kafka.UUID{7}, c); err != nil {
		t.Fatal(err)
	}
	b.log.OnStable(func(stable int64, _ error) { b.log.SetHighWatermark(stable) })
	return b
}

// TestAgeWithoutTimestamps: a segment whose records have none is as old as the last write to it.
func TestAgeWithoutTimestamps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := DefaultConfig()
		c.RetentionMs = time.Hour.Milliseconds()
		b := inRealTime(t, c, nil)
		defer func() { b.dir.Close() }()
		sweep := func(after time.Duration, want int64) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			if err := b.dir.Sweep(time.Now()); err != nil {
				t.Fatal(err)
			}
			if got := b.log.StartOffset(); got != want {
				t.Errorf("the log starts at %d, want %d", got, want)
			}
		}
		append := func(value string) {
			b.appendBatch(batchOf(t, record.BatchOptions{}, record.NoTimestamp, value), AppendOptions{Now: time.Now()})
		}
		append("a")
		sweep(50*time.Minute, 0)
		append("b")
		sweep(50*time.Minute, 0)
		sweep(10*time.Minute, 0)
		sweep(time.Millisecond, 2)
	})
}

// TestFutureTimestampsAreTold: they keep a segment for ever, which users find hard to see.
func TestFutureTimestampsAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := DefaultConfig()
		c.RetentionMs, c.SegmentBytes = time.Hour.Milliseconds(), 200
		logger, lines := logLines()
		b := inRealTime(t, c, logger)
		defer func() { b.dir.Close() }()
		for range 2 {
			b.append(time.Now().Add(time.Hour).UnixMilli(), strings.Repeat("x", 100))
		}
		time.Sleep(time.Second)
		if err := b.dir.Sweep(time.Now()); err != nil {
			t.Fatal(err)
		}
		if text := lines.String(); strings.Count(text, "in the future") != 1 || !strings.Contains(text, offsetName(0)+logSuffix) || !strings.Contains(text, "aheadMs=3599000") {
			t.Errorf("log lines: %s", text)
		}
	})
}

// TestJitter: a segment rolls up to segment.jitter.ms early, never late, and never at once.
func TestJitter(t *testing.T) {
	c := DefaultConfig()
	for _, x := range []struct{ jitter, segment, below int64 }{{0, 1000, 1}, {300, 1000, 300}, {5000, 1000, 1000}, {1, 1000, 1}} {
		c.SegmentJitterMs, c.SegmentMs = x.jitter, x.segment
		seen := map[int64]bool{}
		for range 1000 {
			j := jitter(&c)
			if j < 0 || j >= x.below {
				t.Fatalf("jitter of %d ms in %d: %d", x.jitter, x.segment, j)
			}
			seen[j] = true
		}
		if x.below > 100 && len(seen) < 50 {
			t.Errorf("jitter of %d ms in %d: only %d values", x.jitter, x.segment, len(seen))
		}
	}
	c.SegmentMs, c.SegmentJitterMs = 1000, 0
	b := open(t, vfs.NewMemory(), c)
	defer b.close()
	b.log.active().jitterMs = 300
	for _, ts := range []int64{5000, 5700} {
		if b.append(ts, "x"); len(b.log.list()) != 1 {
			t.Errorf("rolled at %d", ts)
		}
	}
	if b.append(5701, "x"); len(b.log.list()) != 2 {
		t.Error("not rolled 701 ms after the first record, with 300 ms of jitter in 1,000")
	}
}

// TestCutTimeIndex: a time index that lost entries at its end says that the segment is older than it is: neither does retention
// delete it for that, nor do lookups by time pass over it.
func TestCutTimeIndex(t *testing.T) {
	for _, active := range []bool{false, true} {
		disk := vfs.NewMemory()
		c := smallConfig()
		c.RetentionMs = 1000
		b := open(t, disk, c)
		for i := range 10 {
			b.append(testTime.UnixMilli()-5000+int64(i*500), strings.Repeat("x", 100))
		}
		s := b.log.active()
		if !active {
			for range 20 { // which begins other segments
				b.append(testTime.UnixMilli()-500, strings.Repeat("x", 200))
			}
		}
		b.log.SetHighWatermark(b.log.EndOffset())
		b.close()
		name := s.stem + timeIndexSuffix
		content, err := ReadFile(disk, name, maxIndexBytes)
		if err != nil || len(content) <= 2*timeEntrySize {
			t.Fatalf("time index of %d bytes: %v", len(content), err)
		}
		if err := writeFile(disk, name, content[:2*timeEntrySize], true); err != nil {
			t.Fatal(err)
		}
		b = open(t, disk, c)
		if active {
			b.append(testTime.UnixMilli()-4000, "late")
			b.log.SetHighWatermark(b.log.EndOffset())
		}
		if err := b.dir.Sweep(testTime); err != nil {
			t.Fatal(err)
		}
		if got := b.log.StartOffset(); got != 0 {
			t.Errorf("active: %v: retention deleted up to %d records that are 500 ms old", active, got)
		}
		if offset, _, _, found, err := b.log.OffsetForTimestamp(testTime.UnixMilli() - 1000); offset != 8 || !found || err != nil {
			t.Errorf("active: %v: the first record of the last second is %d, want 8; %v", active, offset, err)
		}
		b.close()
	}
}
