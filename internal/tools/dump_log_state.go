package tools

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/wire/recordjson"
)

// producerSnapshot prints the producers of a snapshot file. A corrupt one is a line on stderr.
func (d *logDump) producerSnapshot(inv *invocation, f dumpedFile) error {
	bytes, err := os.ReadFile(f.path)
	if err != nil {
		return fileException(f.path, err)
	}
	snapshot, fault := readProducerSnapshot(bytes)
	if fault != "" {
		inv.complain(fault)
		return nil
	}
	producers, _ := snapshot.Get("ProducerEntries").([]any)
	for _, p := range producers {
		d.producer(p.(*recordjson.Struct))
	}
	return nil
}

const snapshotVersion = 1

// readProducerSnapshot decodes a snapshot; fault is Kafka's word for what is wrong with it.
func readProducerSnapshot(bytes []byte) (snapshot *recordjson.Struct, fault string) {
	b := recordjson.NewBuffer(bytes)
	version := b.Int16()
	if b.Err() == nil && version != snapshotVersion {
		return nil, fmt.Sprintf("Snapshot failed schema validation: Snapshot contained an unknown file version %d", version)
	}
	snapshot, err := recordjson.Load("storage_records").Data("ProducerSnapshot").Decode(b, snapshotVersion)
	if err != nil {
		return nil, "Snapshot failed schema validation: " + err.Error()
	}
	const crcEnd = 2 + 4 // version and checksum
	stored, _ := snapshot.Get("Crc").(int64)
	if computed := int64(crc32.Checksum(bytes[crcEnd:], crc32.MakeTable(crc32.Castagnoli))); computed != stored {
		return nil, fmt.Sprintf("Snapshot is corrupt (CRC is no longer valid). Stored crc: %d. Computed crc: %d", stored, computed)
	}
	return snapshot, ""
}

func (d *logDump) producer(p *recordjson.Struct) {
	number := func(name string) int64 {
		n, _ := p.Get(name).(int64)
		return n
	}
	first := number("CurrentTxnFirstOffset")
	d.printf("producerId: %d producerEpoch: %d coordinatorEpoch: %d currentTxnFirstOffset: %s lastTimestamp: %d",
		number("ProducerId"), number("Epoch"), number("CoordinatorEpoch"), optionalLong(first, first >= 0), number("Timestamp"))
	if number("LastOffset") >= 0 {
		last, delta := int32(number("LastSequence")), int32(number("OffsetDelta"))
		d.printf(" firstSequence: %d lastSequence: %d lastOffset: %d offsetDelta: %d timestamp: %d",
			record.SubtractSequence(last, delta), last, number("LastOffset"), delta, number("Timestamp"))
	}
	d.printf("\n")
}

// transactionIndex prints the aborted transactions of a segment; an absent file is an empty one, as in Kafka.
func (d *logDump) transactionIndex(f dumpedFile) error {
	if _, err := f.baseOffset(); err != nil {
		return err
	}
	bytes, err := os.ReadFile(f.path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return fileException(f.path, err)
	}
	const size = 34
	whole := bytes[:len(bytes)/size*size]
	for at := 0; at < len(whole); at += size {
		if version := int8(whole[at]); version > 0 {
			return kafkaException(fmt.Sprintf("Unexpected aborted transaction version %d in transaction index %s, current version is 0", version, f.path))
		}
	}
	for e := whole; len(e) > 0; e = e[size:] {
		number := func(at int) int64 { return int64(binary.BigEndian.Uint64(e[at:])) }
		d.printf("version: %d producerId: %d firstOffset: %d lastOffset: %d lastStableOffset: %d\n",
			int8(e[0]), number(2), number(10), number(18), number(26))
	}
	return nil
}
