package recordjson

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"runtime"
	"testing"

	"github.com/ottla/ottla/internal/wire"
)

// Every record that package wire encodes is read to its last byte, in every version, and printed as JSON.
func TestEveryRecordOfWire(t *testing.T) {
	for _, c := range []struct {
		schema string
		find   func(*Schema, int16) *Message
		make   func(int16) wire.Message
	}{
		{"group_records", (*Schema).Key, wire.NewGroupKey}, {"group_records", (*Schema).Value, wire.NewGroupValue},
		{"transaction_records", (*Schema).Key, wire.NewTransactionKey}, {"transaction_records", (*Schema).Value, wire.NewTransactionValue},
		{"share_records", (*Schema).Key, wire.NewShareKey}, {"share_records", (*Schema).Value, wire.NewShareValue},
		{"metadata_records", (*Schema).Metadata, wire.NewMetadataRecord}, {"storage_records", (*Schema).Metadata, wire.NewRemoteLogRecord},
	} {
		schema, known := Load(c.schema), 0
		for kind := range int16(64) {
			m, written := c.find(schema, kind), c.make(kind)
			if (m == nil) != (written == nil) {
				t.Errorf("%s: type %d is known to the schema: %t, to wire: %t", c.schema, kind, m != nil, written != nil)
			}
			if m == nil {
				continue
			}
			known++
			for version := int16(m.Versions.Min); int(version) <= m.Versions.Max; version++ {
				var w wire.Writer
				written.Reset()
				written.Encode(&w, version)
				if w.Err() != nil {
					continue // its defaults cannot be written in this version
				}
				b := NewBuffer(w.Bytes())
				s, err := m.Decode(b, version)
				if err != nil || b.Len() != 0 {
					t.Errorf("%s version %d: %v, %d bytes left", m.Name, version, err, b.Len())
				} else if !json.Valid([]byte(s.JSON(version))) {
					t.Errorf("%s version %d: not JSON: %s", m.Name, version, s.JSON(version))
				}
			}
		}
		if known == 0 {
			t.Errorf("%s: no records", c.schema)
		}
	}
}

func TestValuesInJSON(t *testing.T) {
	key := wire.GroupMetadataKey{Group: "a\"\\\b\f\n\r\t\x01\x1f\u2028</\U0001f600"}
	var w wire.Writer
	key.Encode(&w, 0)
	s, err := Load("group_records").Key(2).Decode(NewBuffer(w.Bytes()), 0)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.JSON(0), JSON(`{"group":"a\"\\\b\f\n\r\t\u0001\u001F`+"\u2028</\U0001f600"+`"}`); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	s.Set("group", JSON(`{"replaced":true}`))
	if got := s.JSON(0); got != `{"group":{"replaced":true}}` {
		t.Errorf("got %s", got)
	}
	quota := wire.ClientQuotaRecord{QuotaKey: "k", Value: math.Inf(1)}
	w = wire.Writer{}
	quota.Encode(&w, 0)
	if s, err = Load("metadata_records").Metadata(14).Decode(NewBuffer(w.Bytes()), 0); err != nil {
		t.Fatal(err)
	}
	if got, want := s.JSON(0), JSON(`{"entity":[],"key":"k","value":"Infinity","remove":false}`); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if name := Load("metadata_records").Metadata(14).TypeName(); name != "CLIENT_QUOTA_RECORD" {
		t.Errorf("its type is %s", name)
	}
}

func TestFaultsAreJavas(t *testing.T) {
	offset := Load("group_records").Value(1)
	for _, c := range []struct {
		m       *Message
		bytes   string
		version int16
		want    string
	}{
		{offset, "\x00", 0, "null"},
		{offset, "\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff", 0, "non-nullable field metadata was serialized as null"},
		{offset, "\x00\x00\x00\x00\x00\x00\x00\x01\x00\x05ab", 0, "Error reading byte array of 5 byte(s): only 2 byte(s) available"},
		{offset, "\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\xff\xff\xff\xff\xff", 4, "Varint is too long, the most significant bit in the 5th byte is set, converted value: ffffffff"},
		{Load("group_records").Value(7), "\x7f", 0, "Tried to allocate a collection of size 126, but there are only 0 bytes remaining."},
	} {
		if _, err := c.m.Decode(NewBuffer([]byte(c.bytes)), c.version); err == nil || err.Error() != c.want {
			t.Errorf("%s %q: error %v, want %s", c.m.Name, c.bytes, err, c.want)
		}
	}
}

func TestText(t *testing.T) {
	for bytes, want := range map[string]string{
		"abc": "abc", "\xff": "\ufffd", "\xe2\x82": "\ufffd", "\xe2\x82A": "\ufffdA", "\xed\xa0\x80x": "\ufffdx", "\xf0\x9f\x98": "\ufffd", "\xf0\x9f\x98\x80": "\U0001f600",
		"\xc0\x80": "\ufffd\ufffd", "\xf4\x90\x80\x80": "\ufffd\ufffd\ufffd\ufffd", "\xe0\x9f\x80": "\ufffd\ufffd\ufffd", "\xe2(": "\ufffd(",
	} {
		if got := Text(bytes); got != want {
			t.Errorf("%q is %q, want %q", bytes, got, want)
		}
	}
}

// A few bytes that claim to be a lot cost little.
func TestHostileCountsAreNotBelieved(t *testing.T) {
	m := Load("transaction_records").Value(0)
	input := make([]byte, 15+4)
	binary.BigEndian.PutUint32(input[15:], math.MaxInt32)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := m.Decode(NewBuffer(input), 0); err == nil {
		t.Error("a count of 2147483647 was believed")
	}
	if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 1<<20 {
		t.Errorf("it took %d bytes", after.TotalAlloc-before.TotalAlloc)
	}
}

func FuzzDecode(f *testing.F) {
	var messages []*Message
	for _, name := range []string{"group_records", "transaction_records", "share_records", "metadata_records", "storage_records", "control_records", "consumer_protocol"} {
		s := Load(name)
		for i := range s.messages {
			messages = append(messages, newMessage(&s.messages[i]))
		}
	}
	f.Add(uint8(3), int16(0), []byte{0, 1, 2, 3})
	f.Fuzz(func(t *testing.T, which uint8, version int16, b []byte) {
		m := messages[int(which)%len(messages)]
		s, err := m.Decode(NewBuffer(b), version)
		if text := s.JSON(version); err == nil && !json.Valid([]byte(text)) {
			t.Errorf("%s: %s is not JSON", m.Name, text)
		}
	})
}
