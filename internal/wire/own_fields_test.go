package wire

import "testing"

func TestDurableOffsetTravels(t *testing.T) {
	var m FetchRequest
	m.Reset()
	m.Topics = []FetchRequestFetchTopic{{Partitions: make([]FetchRequestFetchPartition, 2)}}
	for i := range m.Topics[0].Partitions {
		m.Topics[0].Partitions[i].Reset()
	}
	var buffer [8]byte
	m.Topics[0].Partitions[0].SetDurableOffset(1<<40+7, &buffer)
	var w Writer
	m.Encode(&w, 18)
	if err := w.Err(); err != nil {
		t.Fatal(err)
	}
	var got FetchRequest
	if err := got.Decode(NewReader(w.Bytes()), 18); err != nil {
		t.Fatal(err)
	}
	if p := got.Topics[0].Partitions; p[0].DurableOffset() != 1<<40+7 || p[1].DurableOffset() != -1 {
		t.Errorf("%d and %d", p[0].DurableOffset(), p[1].DurableOffset())
	}
}
