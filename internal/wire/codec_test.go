package wire

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// Every message, also those that no other library knows: what was encoded comes back, and a struct
// that held something else before is overwritten whole.
func TestEveryMessageSurvivesItsOwnCodec(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var w, again Writer
	for _, s := range subjects(t) {
		for version := s.versions.Min; version <= s.versions.Max; version++ {
			for range 5 {
				m, dirty := s.make(), s.make()
				randomize(rng, reflect.ValueOf(m).Elem())
				randomize(rng, reflect.ValueOf(dirty).Elem())
				w.Reset()
				m.Encode(&w, int16(version))
				r := NewReader(w.Bytes())
				dirty.Decode(r, int16(version))
				if err := r.Done(); err != nil {
					t.Fatalf("%s version %d: %v in %x", s.name, version, err, w.Bytes())
				}
				again.Reset()
				dirty.Encode(&again, int16(version))
				if again.Err() != nil || !bytes.Equal(w.Bytes(), again.Bytes()) {
					t.Fatalf("%s version %d: %v, encoded\n%x\nthen\n%x", s.name, version, again.Err(), w.Bytes(), again.Bytes())
				}
			}
		}
	}
}

// What is cut off anywhere is an error, and so is a byte too many.
func TestEveryCutIsAnError(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, s := range subjects(t) {
		version := int16(s.versions.Max)
		m := s.make()
		randomize(rng, reflect.ValueOf(m).Elem())
		var w Writer
		m.Encode(&w, version)
		whole := w.Bytes()
		for n := range min(len(whole), 300) {
			r := NewReader(whole[:n:n])
			m.Decode(r, version)
			if _, ok := errors.AsType[*DecodeError](r.Done()); !ok {
				t.Fatalf("%s version %d: %d of %d bytes: %v", s.name, version, n, len(whole), r.Done())
			}
		}
		r := NewReader(append(whole[:len(whole):len(whole)], 0))
		if err := m.Decode(r, version); err != nil {
			t.Errorf("%s version %d: %v", s.name, version, err)
		}
		if err := r.Done(); err == nil || !strings.Contains(err.Error(), "1 bytes follow") {
			t.Errorf("%s version %d: a byte too many: %v", s.name, version, err)
		}
	}
}

func TestVersionsOutsideOfTheRange(t *testing.T) {
	for _, s := range subjects(t) {
		for _, version := range []int16{int16(s.versions.Min) - 1, int16(s.versions.Max) + 1, math.MinInt16, math.MaxInt16} {
			m := s.make()
			if _, ok := errors.AsType[*DecodeError](m.Decode(NewReader(make([]byte, 100)), version)); !ok {
				t.Errorf("%s: version %d was decoded", s.name, version)
			}
			var w Writer
			m.Encode(&w, version)
			if _, ok := errors.AsType[*EncodeError](w.Err()); !ok || w.Size() != 0 {
				t.Errorf("%s: version %d was encoded in %d bytes, %v", s.name, version, w.Size(), w.Err())
			}
		}
	}
}

func TestDefaults(t *testing.T) {
	m := FetchRequest{MaxBytes: 7, Topics: make([]FetchRequestFetchTopic, 1)}
	m.Reset()
	if m.ReplicaID != -1 || m.MaxBytes != math.MaxInt32 || m.SessionEpoch != -1 || m.ReplicaState.ReplicaEpoch != -1 {
		t.Errorf("defaults of FetchRequest: %+v", m)
	}
	if len(m.Topics) != 0 || cap(m.Topics) != 1 {
		t.Errorf("topics: %d of %d", len(m.Topics), cap(m.Topics))
	}
	var p PartitionChangeRecord
	p.Reset()
	if p.Leader != -2 || p.Isr != nil {
		t.Errorf("defaults of PartitionChangeRecord: %+v", p)
	}
}

// A field that the version lacks is an error if Kafka does not call it ignorable, and has its default
// after decoding.
func TestFieldsThatAVersionLacks(t *testing.T) {
	m := FetchRequest{ReplicaID: -1, RackID: "r1", SessionID: 3}
	m.ReplicaState.Reset()
	var w Writer
	m.Encode(&w, 4)
	if w.Err() != nil {
		t.Errorf("ignorable fields: %v", w.Err())
	}
	r := NewReader(w.Bytes())
	if err := m.Decode(r, 4); err != nil || m.RackID != "" || m.SessionID != 0 || m.SessionEpoch != -1 {
		t.Errorf("%v, %+v", err, m)
	}

	m.ReplicaState.ReplicaEpoch = 5
	w.Reset()
	m.Encode(&w, 14)
	if e, ok := errors.AsType[*EncodeError](w.Err()); !ok || e.Field != "ReplicaState" || e.Version != 14 {
		t.Errorf("%v", w.Err())
	}
	w.Reset()
	m.UnknownTags = []Tag{{9, nil}}
	m.ReplicaState.Reset()
	m.Encode(&w, 11)
	if e, ok := errors.AsType[*EncodeError](w.Err()); !ok || e.Field != "tags" {
		t.Errorf("unknown tags in a classic version: %v", w.Err())
	}
}

// Slices are used again, also those inside of elements, and also when an array grows.
func TestDecodeReusesSlices(t *testing.T) {
	topic := ProduceRequestTopicProduceData{PartitionData: make([]ProduceRequestPartitionProduceData, 3)}
	var one, two Writer
	(&ProduceRequest{TopicData: []ProduceRequestTopicProduceData{topic}}).Encode(&one, 9)
	(&ProduceRequest{TopicData: []ProduceRequestTopicProduceData{topic, topic}}).Encode(&two, 9)
	var m ProduceRequest
	if err := m.Decode(NewReader(one.Bytes()), 9); err != nil {
		t.Fatal(err)
	}
	first := &m.TopicData[0].PartitionData[0]
	for _, in := range [][]byte{two.Bytes(), one.Bytes(), two.Bytes()} {
		if err := m.Decode(NewReader(in), 9); err != nil {
			t.Fatal(err)
		}
		if &m.TopicData[0].PartitionData[0] != first {
			t.Error("the partitions were allocated again")
		}
	}
}
