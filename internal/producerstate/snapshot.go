package producerstate

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"

	"github.com/ottla/ottla/internal/record"
)

// The .snapshot file, version 1 (Kafka's ProducerSnapshot message); integers are big-endian:
//
//	version int16 = 1 | crc-32c uint32 of all that follows | count int32 | entries
//	entry: producer id int64 | epoch int16 | last sequence int32 | last offset int64 | offset delta int32
//	       | timestamp int64 | coordinator epoch int32 | first offset of the open transaction int64 or -1
//
// Sequence and last offset are -1 and the offset delta 0 if nothing was written in this epoch.
//
// Kafka keeps the last batch of a producer only. A producer whose batches are under way while the leader restarts sends the first of
// them again, is told that it is out of order, and some clients send all of them anew under the next epoch: they are in the log twice.
// So the batches before the last one have entries, too, oldest first and without a transaction, in front of the producer's own; the
// last one has if the timestamp of the producer's own is that of a marker behind it. To Kafka, which takes the last of several
// entries, they are not there.
const (
	snapshotVersion  = 1
	snapshotChecked  = 6 // where the checksummed bytes start
	snapshotEntries  = 10
	snapshotEntry    = 46
	maxSnapshotBytes = 1 << 30
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Snapshot returns the contents of a .snapshot file at End: the entries by producer id. Transactions
// that ended are not in it, even if their marker is above the high watermark.
func (t *Table) Snapshot() []byte {
	put := binary.BigEndian
	b := make([]byte, snapshotEntries, snapshotEntries+snapshotEntry*len(t.producers))
	put.PutUint16(b, snapshotVersion)
	for _, id := range slices.Sorted(maps.Keys(t.producers)) {
		e := t.producers[id]
		last := batch{lastOffset: NoOffset, lastSequence: record.NoSequence, timestamp: e.lastTimestamp}
		if e.batches > 0 {
			last = e.last
		}
		for i := range int(e.batches) - 1 {
			b = e.append(b, id, e.older[i], NoOffset)
		}
		if e.batches > 0 && last.timestamp != e.lastTimestamp {
			b = e.append(b, id, last, NoOffset)
			last.timestamp = e.lastTimestamp
		}
		b = e.append(b, id, last, e.txnFirstOffset)
	}
	put.PutUint32(b[snapshotChecked:], uint32((len(b)-snapshotEntries)/snapshotEntry))
	put.PutUint32(b[2:], crc32.Checksum(b[snapshotChecked:], castagnoli))
	return b
}

// append writes the entry of one batch.
func (e *entry) append(b []byte, id int64, x batch, txnFirstOffset int64) []byte {
	put := binary.BigEndian
	b = put.AppendUint64(b, uint64(id))
	b = put.AppendUint16(b, uint16(e.epoch))
	b = put.AppendUint32(b, uint32(x.lastSequence))
	b = put.AppendUint64(b, uint64(x.lastOffset))
	b = put.AppendUint32(b, uint32(x.offsetDelta))
	b = put.AppendUint64(b, uint64(x.timestamp))
	b = put.AppendUint32(b, uint32(e.coordinatorEpoch))
	return put.AppendUint64(b, uint64(txnFirstOffset))
}

// Load replaces the contents of the table by those of a .snapshot file that was taken at end, without
// the producers that have expired by now (milliseconds; producer.id.expiration.ms). A file that is
// damaged, of another version, or that contradicts itself is an error, and leaves the table as it was.
func (t *Table) Load(file []byte, end, now, expirationMs int64) error {
	if err := checkSnapshot(file); err != nil {
		return err
	}
	producers := make(map[int64]*entry, (len(file)-snapshotEntries)/snapshotEntry)
	var ongoing []transaction
	for b := file[snapshotEntries:]; len(b) > 0; b = b[snapshotEntry:] {
		id, e := parseEntry(b)
		if before := producers[id]; before != nil && !e.follow(before) {
			return fmt.Errorf("producer snapshot has producer %d twice, at offsets %d and %d", id, before.last.lastOffset, e.last.lastOffset)
		}
		producers[id] = e
	}
	maps.DeleteFunc(producers, func(_ int64, e *entry) bool { return e.expired(now, expirationMs) })
	for id, e := range producers {
		if e.txnFirstOffset != NoOffset {
			ongoing = append(ongoing, transaction{id, e.txnFirstOffset, NoOffset})
		}
	}
	slices.SortFunc(ongoing, func(a, b transaction) int { return byFirstOffset(a, b.firstOffset) })
	for i := 1; i < len(ongoing); i++ {
		if a, b := ongoing[i-1], ongoing[i]; a.firstOffset == b.firstOffset {
			return fmt.Errorf("producer snapshot has transactions of producers %d and %d at the same offset %d", a.producerID, b.producerID, a.firstOffset)
		}
	}
	t.Reset(end)
	t.producers, t.ongoing = producers, ongoing
	return nil
}

func checkSnapshot(b []byte) error {
	if len(b) < snapshotEntries || len(b) > maxSnapshotBytes {
		return fmt.Errorf("producer snapshot has %d bytes; it must have %d to %d", len(b), snapshotEntries, maxSnapshotBytes)
	}
	if version := int16(binary.BigEndian.Uint16(b)); version != snapshotVersion {
		return fmt.Errorf("producer snapshot has version %d; only %d is known", version, snapshotVersion)
	}
	stored, computed := binary.BigEndian.Uint32(b[2:]), crc32.Checksum(b[snapshotChecked:], castagnoli)
	if stored != computed {
		return fmt.Errorf("producer snapshot is corrupt (stored crc = %d, computed crc = %d)", stored, computed)
	}
	if count := int64(int32(binary.BigEndian.Uint32(b[snapshotChecked:]))); snapshotEntries+count*snapshotEntry != int64(len(b)) {
		return fmt.Errorf("producer snapshot of %d bytes cannot hold the %d producers it claims", len(b), count)
	}
	return nil
}

// follow takes over the batches of the entry before, which is of the same producer; false if it cannot be one of earlier batches, or
// of the same.
func (e *entry) follow(before *entry) bool {
	if before.txnFirstOffset != NoOffset || before.epoch != e.epoch || before.batches == 0 || e.batches == 0 || before.last.lastOffset > e.last.lastOffset {
		return false
	}
	last, timestamp := e.last, e.lastTimestamp
	e.last, e.older, e.batches = before.last, before.older, before.batches
	if last.lastOffset > before.last.lastOffset {
		e.addBatch(e.epoch, last)
	}
	e.lastTimestamp = timestamp
	return last.lastSequence == e.last.lastSequence && last.offsetDelta == e.last.offsetDelta
}

func parseEntry(b []byte) (id int64, e *entry) {
	get := binary.BigEndian
	e = newEntry()
	e.epoch = int16(get.Uint16(b[8:]))
	last := batch{
		lastSequence: int32(get.Uint32(b[10:])),
		lastOffset:   int64(get.Uint64(b[14:])),
		offsetDelta:  int32(get.Uint32(b[22:])),
		timestamp:    int64(get.Uint64(b[26:])),
	}
	if last.lastOffset >= 0 {
		e.last, e.batches = last, 1
	}
	e.lastTimestamp = last.timestamp
	e.coordinatorEpoch = int32(get.Uint32(b[34:]))
	e.txnFirstOffset = max(int64(get.Uint64(b[38:])), NoOffset)
	return int64(get.Uint64(b)), e
}
