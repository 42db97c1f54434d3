package storagecheck

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"path/filepath"
)

// A producer snapshot is version int16 = 1 | crc-32c of what follows | count int32 | entries of 46 bytes: producer id
// int64, epoch int16, last sequence int32, last offset int64, offset delta int32, timestamp int64, coordinator epoch
// int32, first offset of the open transaction int64. Entries of a producer's earlier batches come before its own (package
// producerstate). The file NNN.snapshot is the state of all batches below NNN.
const (
	snapshotHead  = 10
	snapshotEntry = 46
)

// producer is an entry of a snapshot: a producer with one of its last batches.
type producer struct {
	id                    int64
	epoch                 int16
	sequence, delta       int32
	last, timestamp, open int64
	coordinator           int32
}

func (x producer) String() string {
	return fmt.Sprintf("epoch %d, last sequence %d, last offset %d, offset delta %d, timestamp %d, coordinator epoch %d, transaction from %d", x.epoch, x.sequence, x.last, x.delta, x.timestamp, x.coordinator, x.open)
}

// parseSnapshot returns the entries of a snapshot by the id of the producer, each with those of its earlier batches before it.
func parseSnapshot(b []byte) (map[int64][]producer, error) {
	get := binary.BigEndian
	if len(b) < snapshotHead {
		return nil, fmt.Errorf("it has %d bytes, at least %d are possible", len(b), snapshotHead)
	}
	if version := get.Uint16(b); version != 1 {
		return nil, fmt.Errorf("it has version %d, want 1", version)
	}
	if stored, computed := get.Uint32(b[2:]), crc32.Checksum(b[6:], crc32.MakeTable(crc32.Castagnoli)); stored != computed {
		return nil, fmt.Errorf("it is corrupt (stored crc = %d, computed crc = %d)", stored, computed)
	}
	if count := int64(int32(get.Uint32(b[6:]))); snapshotHead+count*snapshotEntry != int64(len(b)) {
		return nil, fmt.Errorf("it says that it has %d producers, in %d bytes", count, len(b))
	}
	all := make(map[int64][]producer, (len(b)-snapshotHead)/snapshotEntry)
	for b = b[snapshotHead:]; len(b) > 0; b = b[snapshotEntry:] {
		x := producer{int64(get.Uint64(b)), int16(get.Uint16(b[8:])), int32(get.Uint32(b[10:])), int32(get.Uint32(b[22:])),
			int64(get.Uint64(b[14:])), int64(get.Uint64(b[26:])), int64(get.Uint64(b[38:])), int32(get.Uint32(b[34:]))}
		if n := len(all[x.id]); n > 0 {
			if before := all[x.id][n-1]; before.open != -1 || before.epoch != x.epoch || before.last < 0 || before.last > x.last {
				return nil, fmt.Errorf("it has producer %d twice", x.id)
			}
		}
		all[x.id] = append(all[x.id], x)
	}
	return all, nil
}

// believedSnapshot is the offset of the newest snapshot that the next start loads; what lies above it is replayed.
func (p *partition) believedSnapshot() int64 {
	newest := int64(0)
	for _, offset := range p.snapshots {
		if p.known.clean || offset <= p.known.point {
			newest = max(newest, offset)
		}
	}
	return newest
}

// checkSnapshots looks at the snapshots at or below an offset, which the replay has reached.
func (p *partition) checkSnapshots(upTo int64) {
	for len(p.unchecked) > 0 && p.unchecked[0] <= upTo {
		offset := p.unchecked[0]
		p.unchecked = p.unchecked[1:]
		if !p.known.clean && offset > p.known.point {
			continue // the next start removes it
		}
		p.checkSnapshot(offset)
	}
}

func (p *partition) checkSnapshot(offset int64) {
	name := offsetName(offset) + snapshotSuffix
	content, err := readWhole(p.fsys, filepath.Join(p.path, name), maxSnapshotBytes)
	var stored map[int64][]producer
	if err == nil {
		stored, err = parseSnapshot(content)
	}
	if err != nil {
		p.add(Rebuilt, p.in(name), "The next start takes an older one and replays the log from there.", "%v", err)
		p.wrongFile(name)
		return
	}
	if offset != p.expected || !p.exact || p.thinned || p.filled || len(p.gaps) > 0 || offset == p.replayedFrom {
		return // what the log had below is not all known
	}
	replayed, err := parseSnapshot(p.producers.Snapshot())
	if err != nil {
		p.add(Damaged, p.in(name), "This is a bug of the checker: please report it.", "the replay's own snapshot cannot be read: %v", err)
		return
	}
	for id, entries := range stored {
		if problem := compareProducer(id, entries, replayed[id]); problem != "" {
			p.add(Damaged, p.in(name), "The broker would take new batches of the producer for duplicates, or duplicates for new: repair removes the file, and the next start replays the log.", "%s", problem).offsets(offset, offset)
			p.wrongFile(name)
			return
		}
	}
}

// compareProducer says what is wrong with a producer's entries. Kafka writes the last one only.
func compareProducer(id int64, stored, replayed []producer) string {
	for back := 1; back <= len(stored); back++ {
		is := stored[len(stored)-back]
		if back > len(replayed) {
			return fmt.Sprintf("producer %d has %s; there is no batch of it", id, is)
		}
		want := replayed[len(replayed)-back]
		if is.coordinator == -1 { // it had expired once, and was forgotten with its last marker
			want.coordinator = -1
		}
		if is != want {
			return fmt.Sprintf("producer %d has %s; the batches say %s", id, is, want)
		}
	}
	return ""
}
