package record

import (
	"encoding/binary"
	"fmt"

	"github.com/ottla/ottla/internal/kafka"
)

// ControlType says what a control record is (Kafka's ControlRecordType).
type ControlType int16

// The control records of Kafka 4.3. The values of all but the first two are messages of package wire.
const (
	AbortMarker    ControlType = 0
	CommitMarker   ControlType = 1
	LeaderChange   ControlType = 2
	SnapshotHeader ControlType = 3
	SnapshotFooter ControlType = 4
	KRaftVersion   ControlType = 5
	KRaftVoters    ControlType = 6
)

var controlNames = [...]string{"ABORT", "COMMIT", "LEADER_CHANGE", "SNAPSHOT_HEADER", "SNAPSHOT_FOOTER", "KRAFT_VERSION", "KRAFT_VOTERS"}

// Known reports whether Kafka 4.3 has the type. Readers pass over the others.
func (t ControlType) Known() bool { return t >= AbortMarker && t <= KRaftVoters }

func (t ControlType) String() string {
	if !t.Known() {
		return fmt.Sprintf("UNKNOWN(%d)", int16(t))
	}
	return controlNames[t]
}

// controlKeyVersion is the version of the key that we write and know.
const controlKeyVersion = 0

// Key returns the key of a control record of this type.
func (t ControlType) Key() []byte {
	key := binary.BigEndian.AppendUint16(nil, controlKeyVersion)
	return binary.BigEndian.AppendUint16(key, uint16(t))
}

// ParseControlKey reads the key of a control record. Versions above 0 may only add fields, so they read
// the same.
func ParseControlKey(key []byte) (ControlType, error) {
	if len(key) < 4 {
		return 0, kafka.Errorf(kafka.InvalidRecord, "Invalid value size found for control record key. Must have at least 4 bytes, but found only %d", len(key))
	}
	if version := int16(binary.BigEndian.Uint16(key)); version < 0 {
		return 0, kafka.Errorf(kafka.InvalidRecord, "Invalid version found for control record: %d. May indicate data corruption", version)
	}
	return ControlType(binary.BigEndian.Uint16(key[2:])), nil
}

// AddControl appends a control record; the batch should have BatchOptions.Control.
func (b *Builder) AddControl(timestamp int64, t ControlType, value []byte) {
	b.Add(timestamp, t.Key(), value)
}

// EndTxnMarker is the control record that ends a transaction in a partition.
type EndTxnMarker struct {
	Commit bool
	// CoordinatorEpoch is the leader epoch of the transaction coordinator's partition: later ones fence.
	CoordinatorEpoch int32
	// Timestamp is that of the record, in milliseconds.
	Timestamp int64
}

// Type is CommitMarker or AbortMarker.
func (m EndTxnMarker) Type() ControlType {
	if m.Commit {
		return CommitMarker
	}
	return AbortMarker
}

// Batch returns the marker as a batch of its own, as the coordinator has it written for a producer.
func (m EndTxnMarker) Batch(producerID int64, producerEpoch int16) Batch {
	b := NewBuilder(BatchOptions{Control: true, Transactional: true, Producer: &Producer{producerID, producerEpoch, NoSequence}})
	value := binary.BigEndian.AppendUint32([]byte{0, 0}, uint32(m.CoordinatorEpoch))
	b.AddControl(m.Timestamp, m.Type(), value)
	batch, err := b.Build()
	if err != nil { // one small uncompressed record: nothing that Build refuses
		panic("BUG: " + err.Error())
	}
	return batch
}

// ParseEndTxnMarker reads the control record that ends a transaction. Another type of control record is
// INVALID_RECORD.
func ParseEndTxnMarker(r *Record) (EndTxnMarker, error) {
	t, err := ParseControlKey(r.Key)
	if err != nil {
		return EndTxnMarker{}, err
	}
	if t != CommitMarker && t != AbortMarker {
		return EndTxnMarker{}, kafka.Errorf(kafka.InvalidRecord, "Invalid control record type for end transaction marker %s", t)
	}
	if len(r.Value) < 6 {
		return EndTxnMarker{}, kafka.Errorf(kafka.InvalidRecord, "End transaction marker has %d bytes; it must have at least 6", len(r.Value))
	}
	if version := int16(binary.BigEndian.Uint16(r.Value)); version < 0 {
		return EndTxnMarker{}, kafka.Errorf(kafka.InvalidRecord, "Invalid version found for end transaction marker: %d. May indicate data corruption", version)
	}
	return EndTxnMarker{t == CommitMarker, i32(r.Value, 2), r.Timestamp}, nil
}

// EndTxnMarker returns the marker in a control batch of a producer. ok is false for a batch from which
// compaction took the marker.
func (b Batch) EndTxnMarker() (m EndTxnMarker, ok bool, err error) {
	for r, err := range b.Records(controlBudget) {
		if err != nil {
			return EndTxnMarker{}, false, err
		}
		m, err = ParseEndTxnMarker(&r)
		return m, err == nil, err
	}
	return EndTxnMarker{}, false, nil
}

// controlBudget bounds the decompression of a control batch; nobody compresses them.
const controlBudget = 1 << 20
