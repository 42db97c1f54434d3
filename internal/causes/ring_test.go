package causes

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// said is a cause with a text.
type said struct {
	text  string
	count int
	When
}

func (s *said) Texts() []*string { return []*string{&s.text} }

func (s *said) Again(later *said) bool {
	if s.text != later.text {
		return false
	}
	s.count += later.count
	return true
}

var start = time.UnixMilli(1_000_000_000_000)

func at(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }

// A subject has its latest causes, in order, and knows how many it has lost.
func TestTheLatestStay(t *testing.T) {
	var r Ring[said, *said]
	for i := range 100 {
		r.Note(at(i), "g", said{text: fmt.Sprint(i)})
	}
	kept, dropped := r.Of("g")
	if len(kept) != MostOfOne || dropped != 100-MostOfOne {
		t.Fatalf("%d kept and %d dropped", len(kept), dropped)
	}
	for i, k := range kept {
		if want := 100 - MostOfOne + i; k.text != fmt.Sprint(want) || k.At != at(want) {
			t.Fatalf("cause %d is %s of %v, not %d", i, k.text, k.At, want)
		}
	}
	if all, dropped := r.Of("another"); len(all) != 0 || dropped != 0 {
		t.Error("a subject that was never heard of has causes")
	}
}

// The same once more is counted, and is the latest then.
func TestTheSameIsCounted(t *testing.T) {
	var r Ring[said, *said]
	r.Note(at(0), "g", said{text: "first", count: 1})
	for i := range 1000 {
		r.Note(at(2*i+1), "g", said{text: "a", count: 2})
		r.Note(at(2*i+2), "g", said{text: "b", count: 1})
	}
	r.Note(at(3000), "g", said{text: "a", count: 1})
	kept, _ := r.Of("g")
	if len(kept) != 3 || kept[0].text != "first" || kept[1].text != "b" || kept[2].text != "a" {
		t.Fatalf("%+v", kept)
	}
	if a := kept[2]; a.Times != 1001 || a.count != 2001 || a.At != at(1) || a.Last != at(3000) {
		t.Errorf("%+v", a)
	}
}

// Whatever clients call themselves and however many subjects they name, a ring keeps at most so much; what is lost is the least
// recent of all subjects.
func TestWhatIsKeptIsBounded(t *testing.T) {
	var r Ring[said, *said]
	long := strings.Repeat("ü", 20_000)
	for i := range 20_000 {
		r.Note(at(i), fmt.Sprint("g", i/2), said{text: fmt.Sprint(i, long)})
	}
	if r.bytes > MostBytes || r.all.Len() > MostBytes/size || len(r.subjects) > r.all.Len() {
		t.Errorf("%d bytes in %d causes of %d subjects", r.bytes, r.all.Len(), len(r.subjects))
	}
	last, _ := r.Of("g9999")
	if len(last) != 2 || len(last[1].text) > MostText+len("...") || !utf8.ValidString(last[1].text) {
		t.Errorf("the latest: %v", last)
	}
	if first, _ := r.Of("g0"); len(first) != 0 {
		t.Error("the least recent is still there")
	}
	for r.all.Len() > 0 {
		r.drop(r.all.Front().Value.(*entry[said]))
	}
	if r.bytes != 0 || len(r.subjects) != 0 {
		t.Errorf("%d bytes and %d subjects are left of nothing", r.bytes, len(r.subjects))
	}
}

func TestClientsInWords(t *testing.T) {
	for want, c := range map[string]Client{
		"":                           {},
		"client billing at 10.0.0.1": {ID: "billing", Host: "/10.0.0.1"},
		"client at 10.0.0.1, lib 1":  {Host: "/10.0.0.1", Software: "lib", SoftwareVersion: "1"},
		"lib":                        {Software: "lib"},
	} {
		if got := c.String(); got != want {
			t.Errorf("%+v: %q, want %q", c, got, want)
		}
	}
	if got := Limit("transaction.timeout.ms", 60_000) + Limit(" group.max.size", 3); got != "transaction.timeout.ms = 1m0s group.max.size = 3" {
		t.Error(got)
	}
}
