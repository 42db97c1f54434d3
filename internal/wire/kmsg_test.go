package wire

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// rounds is how many random values each version of each message gets, in each direction.
const rounds = 20

// oracle is kmsg's struct for one of our messages; its bytes are set beside ours.
type oracle interface {
	AppendTo([]byte) []byte
	ReadFrom([]byte) error
}

// kmsgInvalid are the messages that kmsg writes in ways that Kafka, and so our Decode, refuses, with the
// reason we give. Random values of kmsg's that hit on it are passed over; our own are always compared.
var kmsgInvalid = map[string]string{
	// Tagged fields in versions older than the field.
	"ProduceResponse":        "is not valid in this version",
	"FetchRequest":           "is not valid in this version",
	"FetchResponse":          "is not valid in this version",
	"VoteResponse":           "is not valid in this version",
	"FetchSnapshotRequest":   "is not valid in this version",
	"FetchSnapshotResponse":  "is not valid in this version",
	"BrokerHeartbeatRequest": "is not valid in this version",
	// Null in the versions after 0, the only one in which the records are nullable.
	"ShareFetchResponse": "null, but the field is not nullable",
}

// Requests and responses: random values, in every version served, from us to kmsg and from kmsg to us,
// must give the same bytes. What kmsg v1.15.0 lacks of Kafka 4.3 is the unstable version 6 of
// InitProducerId, and the metadata records and most coordinator records: those are in
// TestEveryMessageSurvivesItsOwnCodec alone.
func TestSameBytesAsKmsg(t *testing.T) {
	for _, api := range APIs {
		if api.Own() {
			continue
		}
		request := kmsg.RequestForKey(api.Key)
		if request == nil || request.MaxVersion() < api.Max {
			t.Errorf("kmsg lacks %s version %d", api.Name, api.Max)
			continue
		}
		for version := api.Min; version <= api.Max; version++ {
			compare(t, api.Name+"Request", version, func() Message { return NewRequest(api.Key) }, func() oracle {
				r := kmsg.RequestForKey(api.Key)
				r.SetVersion(version)
				return r
			})
			compare(t, api.Name+"Response", version, func() Message { return NewResponse(api.Key) }, func() oracle {
				r := kmsg.ResponseForKey(api.Key)
				r.SetVersion(version)
				return r
			})
		}
	}
}

func compare(t *testing.T, name string, version int16, ours func() Message, theirs func() oracle) {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(version), 1))
	var w Writer
	for range rounds {
		m := ours()
		randomize(rng, reflect.ValueOf(m).Elem())
		w.Reset()
		m.Encode(&w, version) // what this version lacks is left out
		k := theirs()
		if err := k.ReadFrom(w.Bytes()); err != nil {
			t.Errorf("%s version %d: kmsg cannot read %x: %v", name, version, w.Bytes(), err)
			return
		}
		if got := k.AppendTo(nil); !bytes.Equal(got, w.Bytes()) {
			t.Errorf("%s version %d: ours\n%x\nkmsg's\n%x", name, version, w.Bytes(), got)
			return
		}

		k = theirs()
		randomizeOracle(rng, k)
		setVersion(k, version)
		want := k.AppendTo(nil)
		m = ours()
		r := NewReader(want)
		m.Decode(r, version)
		if err := r.Done(); err != nil {
			if known := kmsgInvalid[name]; known != "" && strings.Contains(err.Error(), known) {
				continue
			}
			t.Errorf("%s version %d: cannot read kmsg's %x: %v", name, version, want, err)
			return
		}
		w.Reset()
		m.Encode(&w, version)
		if w.Err() != nil || !bytes.Equal(want, w.Bytes()) {
			t.Errorf("%s version %d: %v, kmsg's\n%x\nours\n%x", name, version, w.Err(), want, w.Bytes())
			return
		}
	}
}

func randomizeOracle(rng *rand.Rand, k oracle) {
	if o, ok := k.(withoutVersion); ok {
		k = o.oracle
	}
	randomize(rng, reflect.ValueOf(k).Elem())
}

// setVersion puts back the field that randomize overwrote.
func setVersion(k oracle, version int16) {
	if _, ok := k.(withoutVersion); ok {
		return // it knows its version
	}
	if f := reflect.ValueOf(k).Elem().FieldByName("Version"); f.IsValid() && f.Kind() == reflect.Int16 {
		f.SetInt(int64(version))
	}
}

// withoutVersion is a record of kmsg's that has its version in front: our bytes do not.
type withoutVersion struct {
	oracle
	version int16
}

func (o withoutVersion) AppendTo(b []byte) []byte {
	setVersion(o.oracle, o.version)
	return append(b, o.oracle.AppendTo(nil)[2:]...)
}

func (o withoutVersion) ReadFrom(b []byte) error {
	return o.oracle.ReadFrom(append(binary.BigEndian.AppendUint16(nil, uint16(o.version)), b...))
}

// Records, as far as kmsg has them. The int16 in front of a key is the record type, in front of other
// messages the version.
func TestSameBytesAsKmsgRecords(t *testing.T) {
	for _, c := range []struct {
		kind   string
		key    int16
		low    int16
		high   int16
		prefix int16 // -1: the version
		theirs func() oracle
	}{
		{"group key", 0, 0, 0, 0, func() oracle { return new(kmsg.OffsetCommitKey) }},
		{"group key", 1, 0, 0, 1, func() oracle { return new(kmsg.OffsetCommitKey) }},
		{"group key", 2, 0, 0, 2, func() oracle { return new(kmsg.GroupMetadataKey) }},
		{"group value", 1, 0, 4, -1, func() oracle { return new(kmsg.OffsetCommitValue) }},
		{"group value", 2, 0, 4, -1, func() oracle { return new(kmsg.GroupMetadataValue) }},
		{"transaction key", 0, 0, 0, 0, func() oracle { return new(kmsg.TxnMetadataKey) }},
		{"transaction value", 0, 0, 1, -1, func() oracle { return new(kmsg.TxnMetadataValue) }},
		{"without key", 2, 0, 3, -1, func() oracle { return new(kmsg.ConsumerMemberMetadata) }},
		{"without key", 3, 0, 3, -1, func() oracle { return new(kmsg.ConsumerMemberAssignment) }},
		{"without key", 4, 0, 0, -1, func() oracle { return new(kmsg.DefaultPrincipalData) }},
		{"without key", 6, 0, 0, -1, func() oracle { return new(kmsg.EndTxnMarker) }},
	} {
		for version := c.low; version <= c.high; version++ {
			name := reflect.TypeOf(constructors[c.kind](c.key)).Elem().Name()
			compare(t, name, version, func() Message { return constructors[c.kind](c.key) }, func() oracle {
				return withoutVersion{c.theirs(), max(version, c.prefix)}
			})
		}
	}
}

// The header in front of a request, as a client writes it.
func TestSameFrameAsKmsg(t *testing.T) {
	formatter := kmsg.NewRequestFormatter(kmsg.FormatterClientID("client"))
	for _, api := range APIs {
		if api.Own() {
			continue
		}
		for version := api.Min; version <= api.Max; version++ {
			request := kmsg.RequestForKey(api.Key)
			request.SetVersion(version)
			want := formatter.AppendRequest(nil, request, 77)
			key, v, id, err := PeekRequest(want[4:])
			if key != api.Key || v != version || id != 77 || err != nil {
				t.Errorf("%s version %d: peeked %d, %d, %d, %v", api.Name, version, key, v, id, err)
			}
			header, body := new(RequestHeader), NewRequest(key)
			r := NewReader(want[4:])
			header.Decode(r, RequestHeaderVersion(key, v))
			body.Decode(r, version)
			if err := r.Done(); err != nil {
				t.Errorf("%s version %d: %v", api.Name, version, err)
				continue
			}
			var w Writer
			w.BeginFrame()
			header.Encode(&w, RequestHeaderVersion(key, v))
			body.Encode(&w, version)
			w.EndFrame()
			if w.Err() != nil || !bytes.Equal(want, w.Bytes()) {
				t.Errorf("%s version %d: %v, want\n%x\ngot\n%x", api.Name, version, w.Err(), want, w.Bytes())
			}
		}
	}
}
