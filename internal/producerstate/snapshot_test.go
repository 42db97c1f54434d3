package producerstate

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Kafka 4.3.1 wrote the segments and the snapshots at their ends: the log gives the snapshot, and the
// snapshot loads and comes out again, to the byte.
func TestKafkasSnapshots(t *testing.T) {
	for name, want := range map[string][]Producer{
		"topic": {
			{0, 0, 2, 1795365943683, -1, -1}, {1, 0, 1, 1795365944710, -1, -1}, {2, 0, 0, 1795365945935, -1, -1},
			{3, 0, 0, 1795365947870, -1, -1}, {4, 0, 2, 1795365948949, -1, -1},
		},
		"tx": {{5, 1, -1, 1795365951775, 0, -1}},
	} {
		golden := file(t, name+".snapshot")
		loaded := New(kafka.TopicPartition{Topic: "t"})
		if err := loaded.Load(golden, 10, 0, neverExpires); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, loaded.Producers()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(golden, loaded.Snapshot()); diff != "" {
			t.Errorf("%s, loaded: %s", name, diff)
		}
		replayed := New(kafka.TopicPartition{Topic: "t"})
		for b, err := range record.Batches(file(t, name+".log")) {
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := replayed.Update(b); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(golden, asKafka(replayed.Snapshot())); diff != "" {
			t.Errorf("%s, replayed: %s", name, diff)
		}
	}
}

func TestOpenTransactionsComeBackInOrder(t *testing.T) {
	w := newWorld()
	for _, line := range []string{"produce id=9 epoch=0 seq=0 count=1 txn", "produce id=2 epoch=0 seq=0 count=1 txn", "produce id=5 epoch=0 seq=0 count=1 txn"} {
		w.run(line)
	}
	loaded := New(kafka.TopicPartition{Topic: "t"})
	if err := loaded.Load(w.table.Snapshot(), 3, 1<<50, 1); err != nil {
		t.Fatal(err)
	}
	if o, ok := loaded.FirstUnstableOffset(); !ok || o != 0 || loaded.Len() != 3 || !loaded.HasOpenTransaction(2, 0) || loaded.HasOpenTransaction(2, 1) {
		t.Errorf("first unstable offset %d %t, %d producers", o, ok, loaded.Len())
	}
	done, ended, err := loaded.Update(stamped(record.EndTxnMarker{}.Batch(9, 0), 3))
	if want := (Completed{9, 0, 3, 1, true}); err != nil || !ended || done != want {
		t.Errorf("%+v, %t, %v", done, ended, err)
	}
}

func stamped(b record.Batch, offset int64) record.Batch {
	b.SetBaseOffset(offset)
	return b
}

// asKafka is what Kafka takes from a snapshot, and would write: the last entry of each producer.
func asKafka(b []byte) []byte {
	kept := slices.Clone(b[:snapshotEntries])
	for at := snapshotEntries; at < len(b); at += snapshotEntry {
		if next := at + snapshotEntry; next >= len(b) || !bytes.Equal(b[at:at+8], b[next:next+8]) {
			kept = append(kept, b[at:next]...)
		}
	}
	binary.BigEndian.PutUint32(kept[snapshotChecked:], uint32((len(kept)-snapshotEntries)/snapshotEntry))
	return sealed(kept)
}

// sealed makes the checksum of a damaged snapshot right again.
func sealed(b []byte) []byte {
	binary.BigEndian.PutUint32(b[2:], crc32.Checksum(b[snapshotChecked:], castagnoli))
	return b
}

func TestDamagedSnapshotsAreRefusedAndChangeNothing(t *testing.T) {
	good := file(t, "topic.snapshot")
	damaged := map[string][]byte{"nothing": nil, "cut": good[:len(good)-1], "cut by an entry": sealed(slices.Clone(good[:len(good)-snapshotEntry])), "longer": sealed(append(slices.Clone(good), 0))}
	edit := func(name string, change func(b []byte)) {
		b := slices.Clone(good)
		change(b)
		damaged[name] = b
	}
	edit("bit", func(b []byte) { b[100] ^= 1 })
	edit("version", func(b []byte) { b[1] = 2 })
	edit("count", func(b []byte) { binary.BigEndian.PutUint32(b[6:], 1<<31-1); sealed(b) })
	edit("negative count", func(b []byte) { binary.BigEndian.PutUint32(b[6:], 1<<32-1); sealed(b) })
	edit("same id twice", func(b []byte) {
		copy(b[snapshotEntries+snapshotEntry:][:8], b[snapshotEntries:])
		copy(b[snapshotEntries+snapshotEntry+14:][:8], b[snapshotEntries+14:]) // at the same offset
		sealed(b)
	})
	edit("two transactions at one offset", func(b []byte) {
		for i := range 2 {
			binary.BigEndian.PutUint64(b[snapshotEntries+i*snapshotEntry+38:], 7)
		}
		sealed(b)
	})
	table := New(kafka.TopicPartition{Topic: "t"})
	if err := table.Load(good, 10, 0, neverExpires); err != nil {
		t.Fatal(err)
	}
	for name, b := range damaged {
		if err := table.Load(b, 99, 0, neverExpires); err == nil {
			t.Errorf("%s: loaded", name)
		}
		if table.Len() != 5 || table.End() != 10 || !bytes.Equal(table.Snapshot(), good) {
			t.Fatalf("%s: the table changed", name)
		}
	}
}

// doc.go promises these sizes.
func TestEntriesAreSmall(t *testing.T) {
	if size := unsafe.Sizeof(entry{}); size != 56 {
		t.Errorf("an entry has %d bytes", size)
	}
	if size := unsafe.Sizeof([window - 1]batch{}); size != 96 {
		t.Errorf("older batches have %d bytes", size)
	}
}

func TestAppendingAllocatesNothing(t *testing.T) {
	table := New(kafka.TopicPartition{Topic: "t"})
	b := record.NewBuilder(record.BatchOptions{Producer: &record.Producer{ID: 1}})
	b.Add(1, nil, nil)
	batch, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	offset := int64(0)
	step := func() {
		binary.BigEndian.PutUint32(batch[53:], uint32(offset))
		if _, duplicate, err := table.Check(batch, offset, Append{}); duplicate || err != nil {
			t.Fatal(duplicate, err)
		}
		batch.SetBaseOffset(offset)
		if _, _, err := table.Update(batch); err != nil {
			t.Fatal(err)
		}
		offset++
	}
	for range window {
		step()
	}
	if got := testing.AllocsPerRun(100, step); got != 0 {
		t.Errorf("%v allocations per batch", got)
	}
}

// Markers that are none must not bring a log down.
func TestControlBatchesThatAreNoMarkers(t *testing.T) {
	b := record.NewBuilder(record.BatchOptions{Control: true, Transactional: true, Producer: &record.Producer{ID: 1, Sequence: record.NoSequence}})
	b.AddControl(1, record.LeaderChange, make([]byte, 6))
	batch, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	table := New(kafka.TopicPartition{Topic: "t"})
	if _, _, err := table.Check(batch, 0, Append{Origin: record.Coordinator}); kafka.CodeOf(err) != kafka.InvalidRecord {
		t.Errorf("Check: %v", err)
	}
	if _, _, err := table.Update(batch); kafka.CodeOf(err) != kafka.InvalidRecord || table.Len() != 0 || table.End() != 0 {
		t.Errorf("Update: %v; %d producers, end %d", err, table.Len(), table.End())
	}
	if _, ended, err := table.Update(batch.Emptied()); ended || err != nil || table.End() != 1 {
		t.Errorf("emptied: %t, %v, end %d", ended, err, table.End())
	}
}

// Whatever the bytes: Load refuses them, or they come out again as they went in but for their order.
func FuzzLoad(f *testing.F) {
	f.Add(file(f, "topic.snapshot"))
	f.Add(file(f, "tx.snapshot"))
	f.Add(New(kafka.TopicPartition{}).Snapshot())
	f.Fuzz(func(t *testing.T, data []byte) {
		if data = slices.Clone(data); len(data) >= snapshotEntries {
			sealed(data)
		}
		table := New(kafka.TopicPartition{})
		if err := table.Load(data, 0, 0, neverExpires); err != nil {
			return
		}
		again := New(kafka.TopicPartition{})
		if err := again.Load(table.Snapshot(), 0, 0, neverExpires); err != nil || !bytes.Equal(again.Snapshot(), table.Snapshot()) {
			t.Fatalf("the second time: %v", err)
		}
		table.FirstUnstableOffset()
		table.Expire(1<<62, 1)
	})
}
