package wire

import (
	"encoding/binary"
	"fmt"
)

// Records of coordinators (group, transaction, share) are a key and a value. The key is the record
// type in 16 bits and a message in version 0; the value is its version in 16 bits and a message
// (org.apache.kafka.coordinator.common.runtime.CoordinatorRecordSerde). The form of the value, version
// and message, is also that of transaction markers and their keys, of the consumer protocol's
// subscriptions and assignments, and of producer snapshot files.

// EncodeRecordKey returns the key of a coordinator's record.
func EncodeRecordKey(key Message) ([]byte, error) { return encodePrefixed(key, key.Key(), 0) }

// EncodeRecordValue returns the value of a coordinator's record.
func EncodeRecordValue(value Message, version int16) ([]byte, error) {
	return encodePrefixed(value, version, version)
}

// recordRoom is enough for the key and the value of most records, so that they are encoded without growing their buffer.
const recordRoom = 160

// EncodeRecord returns the key and the value of a coordinator's record, in one piece of memory.
func EncodeRecord(key, value Message, version int16) (k, v []byte, err error) {
	w := Writer{Buf: make([]byte, 0, recordRoom)}
	w.int16(key.Key())
	key.Encode(&w, 0)
	n := len(w.Bytes())
	w.int16(version)
	value.Encode(&w, version)
	both := w.Bytes()
	return both[:n:n], both[n:], w.err
}

func encodePrefixed(m Message, prefix, version int16) ([]byte, error) {
	var w Writer
	w.int16(prefix)
	m.Encode(&w, version)
	return w.Bytes(), w.err
}

// RecordType returns the record type that the key of a coordinator's record begins with: the argument
// for NewGroupKey and NewGroupValue, or those of the other coordinators.
func RecordType(key []byte) (int16, error) {
	if len(key) < 2 {
		return 0, &DecodeError{Offset: len(key), Reason: "a record's key without a type"}
	}
	return int16(binary.BigEndian.Uint16(key)), nil
}

// DecodeRecordKey reads the key of a coordinator's record, whose type must be that of m.
func DecodeRecordKey(key []byte, m Message) error {
	r := NewReader(key)
	if t := r.int16("type"); r.err == nil && t != m.Key() {
		r.fail("type", fmt.Sprintf("record type %d, want %d", t, m.Key()))
		return r.err
	}
	m.Decode(r, 0)
	return r.Done()
}

// DecodeRecordValue reads the value of a coordinator's record and returns its version.
func DecodeRecordValue(value []byte, m Message) (version int16, err error) {
	r := NewReader(value)
	version = r.int16("version")
	m.Decode(r, version)
	return version, r.Done()
}

// metadataFrame is the version of the frame around a record of the cluster metadata log
// (org.apache.kafka.server.common.serialization.AbstractApiMessageSerde).
const metadataFrame = 1

// EncodeMetadataRecord returns a record of the cluster metadata log: frame version, record type and
// version as unsigned varints, then the message.
func EncodeMetadataRecord(m Message, version int16) ([]byte, error) {
	var w Writer
	w.uvarint(metadataFrame)
	w.uvarint(uint32(m.Key()))
	w.uvarint(uint32(version))
	m.Encode(&w, version)
	return w.Bytes(), w.err
}

// DecodeMetadataRecord reads a record of the cluster metadata log.
func DecodeMetadataRecord(b []byte) (m Message, version int16, err error) {
	r := NewReader(b)
	if frame := r.uvarint("frame version"); r.err == nil && frame != metadataFrame {
		r.fail("frame version", fmt.Sprintf("%d, only %d is known", frame, metadataFrame))
	}
	key, v := r.uvarint("type"), r.uvarint("version")
	if r.err == nil && max(key, v) < neverFlexible {
		m = NewMetadataRecord(int16(key))
	}
	if m == nil {
		r.fail("type", fmt.Sprintf("unknown record type %d, version %d", key, v))
		return nil, 0, r.err
	}
	m.Decode(r, int16(v))
	return m, int16(v), r.Done()
}
