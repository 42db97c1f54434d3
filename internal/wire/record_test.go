package wire

import (
	"bytes"
	"encoding/binary"
	"os"
	"reflect"
	"strings"
	"testing"
)

// logRecord is a record of a log that Kafka 4.3.1 wrote.
type logRecord struct{ key, value []byte }

// readLog returns the records of the batches in a file, control batches left out. They are not
// compressed: after 61 bytes of batch header each record is a few varints around key and value.
func readLog(t *testing.T, name string) []logRecord {
	t.Helper()
	log, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var records []logRecord
	for len(log) > 0 {
		batch := log[:12+binary.BigEndian.Uint32(log[8:])]
		log = log[len(batch):]
		const control = 1 << 5
		if binary.BigEndian.Uint16(batch[21:])&control != 0 {
			continue
		}
		count := binary.BigEndian.Uint32(batch[57:])
		rest := batch[61:]
		varint := func() int {
			v, n := binary.Varint(rest)
			rest = rest[n:]
			return int(v)
		}
		field := func() []byte {
			n := varint()
			if n < 0 {
				return nil
			}
			b := rest[:n]
			rest = rest[n:]
			return b
		}
		for range count {
			varint() // length
			rest = rest[1:]
			varint() // timestamp
			varint() // offset
			records = append(records, logRecord{field(), field()})
			varint() // headers
		}
	}
	return records
}

// The cluster metadata log of a real Kafka: every record is known, and comes out byte for byte.
func TestMetadataRecordsOfKafka(t *testing.T) {
	seen := map[string]int{}
	for _, record := range readLog(t, "metadata.log") {
		m, version, err := DecodeMetadataRecord(record.value)
		if err != nil {
			t.Errorf("%x: %v", record.value, err)
			continue
		}
		seen[reflect.TypeOf(m).Elem().Name()]++
		if again, err := EncodeMetadataRecord(m, version); err != nil || !bytes.Equal(again, record.value) {
			t.Errorf("%T version %d: %v, Kafka's\n%x\nours\n%x", m, version, err, record.value, again)
		}
		if broker, ok := m.(*RegisterBrokerRecord); ok && (len(broker.EndPoints) == 0 || broker.EndPoints[0].Host != "localhost") {
			t.Errorf("broker %+v", broker)
		}
	}
	for _, name := range []string{"TopicRecord", "PartitionRecord", "RegisterBrokerRecord", "FeatureLevelRecord", "ConfigRecord"} {
		if seen[name] == 0 {
			t.Errorf("no %s among %v", name, seen)
		}
	}
}

// The coordinators' logs of a real Kafka.
func TestCoordinatorRecordsOfKafka(t *testing.T) {
	for _, log := range []struct {
		file       string
		key, value func(int16) Message
		want       []string
	}{
		{"consumer_offsets.log", NewGroupKey, NewGroupValue, []string{"OffsetCommitValue", "GroupMetadataValue"}},
		{"transaction_state.log", NewTransactionKey, NewTransactionValue, []string{"TransactionLogValue"}},
	} {
		seen := map[string]int{}
		for _, record := range readLog(t, log.file) {
			recordType, err := RecordType(record.key)
			key, value := log.key(recordType), log.value(recordType)
			if err != nil || key == nil || value == nil {
				t.Errorf("%s: key %x, %v", log.file, record.key, err)
				continue
			}
			if err := DecodeRecordKey(record.key, key); err != nil {
				t.Errorf("%x: %v", record.key, err)
			}
			if again, err := EncodeRecordKey(key); err != nil || !bytes.Equal(again, record.key) {
				t.Errorf("%T: %v, Kafka's\n%x\nours\n%x", key, err, record.key, again)
			}
			if record.value == nil {
				continue // a tombstone
			}
			version, err := DecodeRecordValue(record.value, value)
			if err != nil {
				t.Errorf("%x: %v", record.value, err)
			}
			seen[reflect.TypeOf(value).Elem().Name()]++
			if again, err := EncodeRecordValue(value, version); err != nil || !bytes.Equal(again, record.value) {
				t.Errorf("%T: %v, Kafka's\n%x\nours\n%x", value, err, record.value, again)
			}
		}
		for _, name := range log.want {
			if seen[name] == 0 {
				t.Errorf("%s: no %s among %v", log.file, name, seen)
			}
		}
	}
}

func TestProducerSnapshotOfKafka(t *testing.T) {
	file, err := os.ReadFile("testdata/producer.snapshot")
	if err != nil {
		t.Fatal(err)
	}
	var m ProducerSnapshot
	version, err := DecodeRecordValue(file, &m)
	if err != nil || version != 1 || len(m.ProducerEntries) == 0 {
		t.Fatalf("version %d, %v, %+v", version, err, m)
	}
	if again, err := EncodeRecordValue(&m, 1); err != nil || !bytes.Equal(again, file) {
		t.Errorf("%v, Kafka's\n%x\nours\n%x", err, file, again)
	}
}

func TestRecordsThatAreNone(t *testing.T) {
	for in, want := range map[string]string{
		"":                      "bytes wanted",
		"\x00\x02\x00":          "frame version at byte 1: 0, only 1",
		"\x01\x63\x00":          "unknown record type 99, version 0",
		"\x01\x80\x80\x04\x00":  "unknown record type 65536",
		"\x01\x02\x09":          "version 9 is not one of 0-0",
		"\x01\x14\x00\x00\x00x": "follow the end",
	} {
		if _, _, err := DecodeMetadataRecord([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%x: %v, want %s", in, err, want)
		}
	}
	if _, err := RecordType([]byte{0}); err == nil {
		t.Error("a key of one byte has a type")
	}
	if err := DecodeRecordKey([]byte{0, 2, 0, 1, 'g'}, new(OffsetCommitKey)); err == nil || !strings.Contains(err.Error(), "record type 2, want 1") {
		t.Errorf("another record's key: %v", err)
	}
	if _, err := DecodeRecordValue([]byte{0, 9}, new(OffsetCommitValue)); err == nil {
		t.Error("version 9 of an offset was decoded")
	}
}

// TestEncodeRecord: a key and a value made together are those made one by one, also beyond the room set aside.
func TestEncodeRecord(t *testing.T) {
	for _, size := range []int{0, 10, 150, 1000} {
		key := &OffsetCommitKey{Group: strings.Repeat("g", size), Topic: "t", Partition: 3}
		value := &OffsetCommitValue{Offset: 7, LeaderEpoch: -1, Metadata: strings.Repeat("m", size)}
		k, v, err := EncodeRecord(key, value, 4)
		wantK, errK := EncodeRecordKey(key)
		wantV, errV := EncodeRecordValue(value, 4)
		if err != nil || errK != nil || errV != nil || !bytes.Equal(k, wantK) || !bytes.Equal(v, wantV) {
			t.Errorf("size %d: %x %x, want %x %x (%v)", size, k, v, wantK, wantV, err)
		}
		if len(append(k, 0)) > 0 && !bytes.Equal(v, wantV) {
			t.Error("appending to the key changes the value")
		}
	}
	if _, _, err := EncodeRecord(&OffsetCommitKey{Group: strings.Repeat("g", 1<<16)}, &OffsetCommitValue{}, 4); err == nil {
		t.Error("a group id that is too long is encoded")
	}
}
