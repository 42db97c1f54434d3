package causes

import (
	"container/list"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// MostOfOne is how many causes are kept of one subject.
	MostOfOne = 64
	// MostBytes bounds what one ring keeps.
	MostBytes = 1 << 20
	// MostText bounds each text of a cause, in bytes; "..." follows what was cut.
	MostText = 256
	// size is what a cause takes besides its texts.
	size = 512
	// foldWithin is how many causes back the same one is looked for.
	foldWithin = 8
)

// When is when something happened first and last, and how often. A cause embeds it.
type When struct {
	At    time.Time `json:"at"`
	Last  time.Time `json:"last"`
	Times int       `json:"times"`
}

// when is what the ring fills in.
func (w *When) when() *When { return w }

// Kept is what a Ring asks of the causes that it keeps. They embed When.
type Kept[C any] interface {
	*C
	when() *When
	// Texts are all texts of the cause, which the ring shortens.
	Texts() []*string
	// Again takes in what is told by a later cause, if that is the same once more, and reports whether it is.
	Again(later *C) bool
}

// Ring keeps the latest causes of each subject. The zero Ring is empty. It is not safe for concurrent use.
type Ring[C any, P Kept[C]] struct {
	subjects map[string]*history[C]
	all      list.List // of *entry, the least recent first, over all subjects
	bytes    int
}

// history is what is kept of one subject, the least recent first.
type history[C any] struct {
	kept    []*entry[C]
	dropped int // how many were dropped to keep within bounds
}

// entry is a cause with its places.
type entry[C any] struct {
	cause   C
	subject string
	place   *list.Element
	size    int
}

// Note keeps a cause of a subject.
func (r *Ring[C, P]) Note(now time.Time, subject string, cause C) {
	n := size + len(subject)
	for _, text := range P(&cause).Texts() {
		*text = Shortened(*text)
		n += len(*text)
	}
	if r.fold(now, subject, &cause) {
		return
	}
	if r.subjects == nil {
		r.subjects = map[string]*history[C]{}
	}
	h := r.subjects[subject]
	if h == nil {
		h = new(history[C])
		r.subjects[subject] = h
	}
	*P(&cause).when() = When{At: now, Last: now, Times: 1}
	e := &entry[C]{cause: cause, subject: subject, size: n}
	e.place = r.all.PushBack(e)
	h.kept = append(h.kept, e)
	r.bytes += e.size
	if len(h.kept) > MostOfOne {
		r.drop(h.kept[0])
	}
	for r.bytes > MostBytes {
		r.drop(r.all.Front().Value.(*entry[C]))
	}
}

// fold counts a cause that has been noted shortly before.
func (r *Ring[C, P]) fold(now time.Time, subject string, cause *C) bool {
	h := r.subjects[subject]
	if h == nil {
		return false
	}
	for i := len(h.kept) - 1; i >= max(0, len(h.kept)-foldWithin); i-- {
		e := h.kept[i]
		if !P(&e.cause).Again(cause) {
			continue
		}
		when := P(&e.cause).when()
		when.Last = now
		when.Times++
		copy(h.kept[i:], h.kept[i+1:])
		h.kept[len(h.kept)-1] = e
		r.all.MoveToBack(e.place)
		return true
	}
	return false
}

// drop forgets a cause, which is the least recent of its subject.
func (r *Ring[C, P]) drop(e *entry[C]) {
	h := r.subjects[e.subject]
	h.kept[0] = nil
	h.kept = h.kept[1:]
	h.dropped++
	r.bytes -= e.size
	r.all.Remove(e.place)
	if len(h.kept) == 0 {
		delete(r.subjects, e.subject)
	}
}

// Of copies what is kept of a subject, the least recent first, and tells how many more there were.
func (r *Ring[C, P]) Of(subject string) (all []C, dropped int) {
	all = []C{}
	h := r.subjects[subject]
	if h == nil {
		return all, 0
	}
	for _, e := range h.kept {
		all = append(all, e.cause)
	}
	return all, h.dropped
}

// Change has change see each cause of a subject, which may change it, but not its texts.
func (r *Ring[C, P]) Change(subject string, change func(*C)) {
	if h := r.subjects[subject]; h != nil {
		for _, e := range h.kept {
			change(&e.cause)
		}
	}
}

// Shortened cuts a text that is longer than MostText.
func Shortened(text string) string {
	if len(text) <= MostText {
		return text
	}
	end := MostText
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.Clone(text[:end]) + "..."
}
