package commitlog

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/producerstate"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

var (
	flipSeed  = flag.Uint64("flip.seed", 1, "seed of TestFlippedBits")
	flipShare = flag.Int("flip.share", 32, "TestFlippedBits flips a bit in one of so many bytes of segments, four times as many in their headers; 1: in all")
)

// TestFlippedBits flips a bit in each byte (of records: of some bytes) of every kind of file of a log, after a clean stop and
// after a crash. Whatever is flipped: every acknowledged record can be read as it was written, or an error names the file and
// the place; what is derived is right, or such an error; and appends go on, or are refused with a text that names the file.
func TestFlippedBits(t *testing.T) {
	for name, clean := range map[string]bool{"after a clean stop": true, "after a crash": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			image, model := flipImage(t, clean)
			flips := 0
			for _, file := range filesOf(t, image, testDir) {
				kind := filepath.Base(file)
				if _, suffix, ok := parseOffsetName(kind); ok {
					kind = suffix
				}
				content, err := ReadFile(image, file, 1<<20)
				if err != nil {
					t.Fatal(err)
				}
				random := rand.New(rand.NewPCG(*flipSeed, uint64(len(file))))
				for at := range content {
					share := *flipShare
					if model.inHeader(file, int64(at)) {
						share = max(1, share/4)
					}
					if kind == logSuffix && random.IntN(share) != 0 {
						continue
					}
					bit := byte(1) << random.IntN(8)
					flips++
					disk := image.Crash(vfs.KeepUnsynced())
					flipBit(t, disk, file, int64(at), bit)
					c := &flipCheck{disk: disk, model: model, file: file, kind: kind, clean: clean}
					if err := c.run(); err != nil {
						t.Errorf("bit %#02x of byte %d of %s (%d bytes): %v", bit, at, file, len(content), err)
					}
				}
			}
			t.Logf("%d flips", flips)
		})
	}
}

func filesOf(t *testing.T, disk vfs.FS, dir string) (files []string) {
	entries, err := disk.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name := filepath.Join(dir, e.Name()); e.IsDir() {
			files = append(files, filesOf(t, disk, name)...)
		} else {
			files = append(files, name)
		}
	}
	return files
}

func flipBit(t *testing.T, disk vfs.FS, path string, at int64, bit byte) {
	t.Helper()
	f, err := disk.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	one := make([]byte, 1)
	if _, err := f.ReadAt(one, at); err != nil {
		t.Fatal(err)
	}
	one[0] ^= bit
	if _, err := f.WriteAt(one, at); err != nil {
		t.Fatal(err)
	}
}

// flipModel is what a log holds: all of it acknowledged.
type flipModel struct {
	start, end int64
	point      int64          // the recovery point
	batches    []record.Batch // from offset 0
	headers    map[string][]int64
	aborted    []Aborted
	producers  []producerstate.Producer
}

func (m *flipModel) inHeader(file string, at int64) bool {
	return slices.ContainsFunc(m.headers[file], func(p int64) bool { return p <= at && at < p+record.HeaderSize })
}

// holding returns the batch that holds an offset.
func (m *flipModel) holding(offset int64) record.Batch {
	i := slices.IndexFunc(m.batches, func(b record.Batch) bool { return b.LastOffset() >= offset })
	return m.batches[i]
}

// flipImage makes a log with several segments, transactions, epochs and deleted records. Its checkpoints are older than its
// last records, unless it was stopped cleanly.
func flipImage(t *testing.T, clean bool) (*vfs.Memory, *flipModel) {
	t.Helper()
	disk := vfs.NewMemory()
	b := openWith(t, disk, smallConfig(), func(o *Options) { o.CheckpointInterval = time.Hour; o.progressBytes = 1 << 30 })
	m := &flipModel{headers: map[string][]int64{}}
	table := producerstate.New(testPartition)
	add := func(i int, batch record.Batch, origin record.Origin) {
		b.appendBatch(batch, AppendOptions{LeaderEpoch: int32(i / 20), Origin: origin, Now: testTime})
		m.batches = append(m.batches, slices.Clone(batch))
		position := b.log.active().size() - int64(batch.Length())
		m.headers[b.log.active().name()] = append(m.headers[b.log.active().name()], position)
		done, ended, err := table.Update(batch)
		if err != nil {
			t.Fatal(err)
		}
		if ended && done.Aborted {
			m.aborted = append(m.aborted, Aborted{done.ProducerID, done.FirstOffset, done.LastOffset, done.LastStableOffset})
		}
	}
	var sequences [3]int32
	data := func(i int, producer int, transactional bool) {
		ts := testTime.UnixMilli() + int64(i*10)
		o := record.BatchOptions{Transactional: transactional}
		values := []string{fmt.Sprint("value ", i), strings.Repeat("x", 20+i%30), "z"}
		if producer > 0 {
			o.Producer = &record.Producer{ID: int64(producer), Sequence: sequences[producer]}
			sequences[producer] += int32(len(values))
		}
		add(i, batchOf(t, o, ts, values...), record.Client)
	}
	work := func(from, to int) {
		for i := from; i < to; i++ {
			switch i % 6 {
			case 0, 3:
				data(i, 0, false)
			case 1:
				data(i, 1, false)
			case 2, 4:
				data(i, 2, true)
			case 5:
				add(i, record.EndTxnMarker{Commit: i%12 == 5, Timestamp: testTime.UnixMilli() + int64(i*10)}.Batch(2, 0), record.Coordinator)
			}
		}
		if err := b.commit(); err != nil {
			t.Fatal(err)
		}
		b.log.SetHighWatermark(b.log.EndOffset())
	}
	work(0, 60)
	if err := b.log.AdvanceStart(4); err != nil {
		t.Fatal(err)
	}
	if err := b.dir.writeCheckpoints(); err != nil {
		t.Fatal(err)
	}
	m.point = b.log.EndOffset()
	work(60, 66)
	m.start, m.end = 4, b.log.EndOffset()
	m.producers = b.log.Producers()
	if clean {
		b.close()
		m.point = m.end
		return disk.Crash(vfs.KeepUnsynced()), m
	}
	image := disk.Crash(vfs.LoseUnsynced())
	b.close()
	return image, m
}

// flipCheck is one flip.
type flipCheck struct {
	disk  *vfs.Memory
	model *flipModel
	file  string
	kind  string
	clean bool
	dir   *Dir
	log   *Log
	lines bytes.Buffer
	lost  bool // some record cannot be read, and that was said
}

func (c *flipCheck) run() (err error) {
	o := testOptions(smallConfig())
	o.Logger = slog.New(slog.NewTextHandler(&c.lines, nil))
	o.CheckpointInterval = time.Hour
	if c.dir, err = Open(c.disk, testDir, o); err != nil {
		if c.kind == MetaFile && strings.Contains(err.Error(), c.file) {
			return nil // whose directory this is must be known
		}
		return fmt.Errorf("open: %w", err)
	}
	defer func() {
		if e := c.dir.Close(); err == nil && e != nil {
			err = fmt.Errorf("close: %w", e)
		}
		if err != nil && c.lines.Len() > 0 {
			err = fmt.Errorf("%w\n%s", err, &c.lines)
		}
	}()
	if c.log = c.dir.Log(testPartition); c.log == nil {
		return errors.New("the log is not there")
	}
	if id := c.log.TopicID(); id != (kafka.UUID{7}) && !(c.kind == partitionFile && id.IsZero()) {
		return fmt.Errorf("the topic id is %v", id)
	}
	for _, maxBytes := range []int{1, 600, 1 << 20} {
		if err := c.read(maxBytes); err != nil {
			return fmt.Errorf("reading by %d bytes: %w", maxBytes, err)
		}
	}
	return errors.Join(c.derived(), c.append())
}

// named reports whether an error or a log line says where the damage is, for flips in segments. Other files can be made good.
func (c *flipCheck) named(text string) error {
	if c.kind != logSuffix {
		return fmt.Errorf("a flip in %s costs records: %s", c.kind, text)
	}
	if !strings.Contains(text, c.file) || !strings.Contains(text, "position") {
		return fmt.Errorf("the damage is not named: %s", text)
	}
	c.lost = true
	return nil
}

// read reads all as a consumer does, and goes on behind what cannot be read.
func (c *flipCheck) read(maxBytes int) error {
	if start := c.log.StartOffset(); start > c.model.start || start < c.model.start && c.kind != logStartFile {
		return fmt.Errorf("the log starts at %d, want %d", start, c.model.start)
	}
	end := c.log.EndOffset()
	if end > c.model.end {
		if !c.clean && c.kind == logSuffix && end-c.model.end < wideGap {
			c.lost = true // nothing follows that shows it, see wideGap
			return nil
		}
	}
	if end > c.model.end {
		return fmt.Errorf("the log ends at %d, want %d", end, c.model.end)
	}
	for offset := c.model.start; offset < end; {
		next, err := c.readAt(offset, maxBytes)
		if err != nil {
			return fmt.Errorf("at offset %d: %w", offset, err)
		}
		offset = next
	}
	if end == c.model.end {
		return nil
	}
	if err := c.named(c.lines.String()); err != nil {
		return fmt.Errorf("the log ends at %d, want %d: %w", end, c.model.end, err)
	}
	if d, _ := c.log.Damage(); d.Refuses {
		if end < c.model.point {
			return fmt.Errorf("the log ends at %d, below its recovery point %d", end, c.model.point)
		}
		return nil
	} else if whole := end < c.model.batches[len(c.model.batches)-1].BaseOffset(); whole && len(d.Kept) == 0 || !strings.Contains(c.lines.String(), "is kept") {
		return fmt.Errorf("the log ends at %d, want %d, and nothing tells that records were cut: %v", end, c.model.end, d)
	}
	return nil
}

// readAt reads a span and compares it. A client checks CRCs itself.
func (c *flipCheck) readAt(offset int64, maxBytes int) (next int64, err error) {
	skip := c.model.holding(offset).LastOffset() + 1
	span, err := c.log.Find(offset, maxBytes, c.log.EndOffset(), true)
	if err != nil {
		return skip, c.named(err.Error())
	}
	defer span.Release()
	raw := make([]byte, span.Size)
	n, err := span.ReadAt(raw)
	if err != nil {
		return skip, c.named(err.Error())
	}
	whole, err := span.Whole(raw[:n])
	if whole == 0 {
		if err == nil {
			return 0, errors.New("an empty span")
		}
		return skip, c.named(err.Error())
	}
	for b, err := range record.Batches(raw[:whole]) {
		if err != nil {
			return 0, err
		}
		want := c.model.holding(offset)
		if b.CheckCRC() != nil {
			if err := c.named(fmt.Sprintf("client: position of offset %d in %s", offset, c.file)); err != nil {
				return 0, err
			}
			return want.LastOffset() + 1, nil
		}
		if b.BaseOffset() != want.BaseOffset() || !bytes.Equal(b[record.HeaderSize-40:b.Length()], want[record.HeaderSize-40:]) {
			return 0, fmt.Errorf("batch at %d, want that at %d", b.BaseOffset(), want.BaseOffset())
		}
		offset = want.LastOffset() + 1
	}
	return offset, nil
}

// derived looks at what is worked out from the records.
func (c *flipCheck) derived() error {
	l, m := c.log, c.model
	if c.lost && l.EndOffset() < m.end {
		return nil
	}
	aborted, err := l.AbortedTransactions(m.start, m.end)
	if d, _ := l.Damage(); d.Refuses {
		return c.abortedOrNamed()
	}
	if err != nil {
		if err := c.named(err.Error()); err != nil {
			return err
		}
	} else if diff := cmp.Diff(m.aborted, aborted); diff != "" {
		return fmt.Errorf("aborted transactions (-want +got):\n%s", diff)
	}
	for i := 2; i < len(m.batches); i += 3 {
		if err := c.time(m.batches[i]); err != nil {
			return err
		}
	}
	if d, _ := l.Damage(); !d.Refuses {
		if diff := cmp.Diff(m.producers, l.Producers()); diff != "" {
			return fmt.Errorf("producers (-want +got):\n%s", diff)
		}
	}
	for _, b := range m.batches {
		if got := l.EpochAt(b.BaseOffset()); got != b.LeaderEpoch() && b.BaseOffset() >= m.start && c.kind != logSuffix {
			return fmt.Errorf("epoch at %d is %d, want %d", b.BaseOffset(), got, b.LeaderEpoch())
		}
	}
	return nil
}

// abortedOrNamed is for a log that is damaged: behind the damage nobody knows, and is told so.
func (c *flipCheck) abortedOrNamed() error {
	for _, a := range c.model.aborted {
		got, err := c.log.AbortedTransactions(a.FirstOffset, a.LastOffset+1)
		if err != nil {
			if err := c.named(err.Error()); err != nil {
				return err
			}
		} else if !slices.Contains(got, a) {
			return fmt.Errorf("damaged, and silent about aborted transaction %v: %v", a, got)
		}
	}
	return nil
}

// time looks for the time of a batch's last record. All batches have another.
func (c *flipCheck) time(b record.Batch) error {
	ts := b.MaxTimestamp()
	offset, at, _, found, err := c.log.OffsetForTimestamp(ts)
	if err != nil {
		return c.named(err.Error())
	}
	if c.lost || found && offset == b.LastOffset() && at == ts {
		return nil // or the time is part of what was flipped
	}
	return fmt.Errorf("time %d: found %v, offset %d with %d; want offset %d", ts, found, offset, at, b.LastOffset())
}

func (c *flipCheck) append() error {
	end := c.log.EndOffset()
	builder := record.NewBuilder(record.BatchOptions{})
	builder.Add(testTime.UnixMilli()+5000, nil, []byte("goes on"))
	batch, err := builder.Build()
	if err != nil {
		return err
	}
	done, err := c.log.Append(batch, AppendOptions{LeaderEpoch: 9, Now: testTime})
	if err != nil {
		if kafka.CodeOf(err) != kafka.KafkaStorageError {
			return fmt.Errorf("append: %w", err)
		}
		return c.named(err.Error())
	}
	if done.BaseOffset != end {
		return fmt.Errorf("appended at %d, the end was %d", done.BaseOffset, end)
	}
	span, err := c.log.Find(end, 1000, end+1, true)
	if err != nil || span.BaseOffset != end {
		return fmt.Errorf("what was appended cannot be read: %w", err)
	}
	span.Release()
	return nil
}
