package conformance

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// An entry names a record: the producer's count of what it sent to the partition.
type entry struct {
	producer, partition, number int
}

func (e entry) String() string {
	return fmt.Sprintf("producer %d, partition %d, number %d", e.producer, e.partition, e.number)
}

func parseEntry(r *kgo.Record) (e entry, err error) {
	_, err = fmt.Sscanf(string(r.Value), "%d %d %d", &e.producer, &e.partition, &e.number)
	return e, err
}

func (e entry) value() []byte { return fmt.Appendf(nil, "%d %d %d", e.producer, e.partition, e.number) }

// A ledger is what clients were told: acknowledged records with their offsets, and committed offsets.
type ledger struct {
	mu struct {
		sync.Mutex
		acknowledged map[entry]int64
		committed    map[int32]int64
		commits      int
		failures     []string // the last few
	}
}

func newLedger() *ledger {
	l := &ledger{}
	l.mu.acknowledged, l.mu.committed = map[entry]int64{}, map[int32]int64{}
	return l
}

func (l *ledger) acknowledge(e entry, offset int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.acknowledged[e] = offset
}

func (l *ledger) commit(next map[int32]int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.Copy(l.mu.committed, next)
	l.mu.commits++
}

func (l *ledger) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.failures = append(l.mu.failures, err.Error())
	l.mu.failures = l.mu.failures[max(0, len(l.mu.failures)-5):]
}

func (l *ledger) acknowledgements() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.mu.acknowledged)
}

func (l *ledger) commits() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.commits
}

func (l *ledger) committed() map[int32]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.mu.committed)
}

func (l *ledger) errors() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.mu.failures)
}

// compare returns what was acknowledged and is not where it should be.
func (l *ledger) compare(r *reading) (faults []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for e, offset := range l.mu.acknowledged {
		if at, found := r.places[e]; !found {
			faults = append(faults, fmt.Sprintf("lost: %v, acknowledged at offset %d", e, offset))
		} else if at != offset {
			faults = append(faults, fmt.Sprintf("%v is at offset %d, acknowledged was %d", e, at, offset))
		}
	}
	return faults
}

// A reading is everything read back, checked for order and duplicates on the way.
type reading struct {
	records int
	places  map[entry]int64
	last    map[[2]int]int  // producer and partition: the number read last
	next    map[int32]int64 // offset expected next
	faults  []string
}

func newReading() *reading {
	return &reading{places: map[entry]int64{}, last: map[[2]int]int{}, next: map[int32]int64{}}
}

func (r *reading) add(record *kgo.Record) {
	r.records++
	e, err := parseEntry(record)
	if err != nil || e.partition != int(record.Partition) {
		r.faults = append(r.faults, fmt.Sprintf("a record that nobody sent at %d@%d: %q (%v)", record.Partition, record.Offset, record.Value, err))
		return
	}
	if want := r.next[record.Partition]; record.Offset != want {
		r.faults = append(r.faults, fmt.Sprintf("partition %d: offset %d follows %d", record.Partition, record.Offset, want-1))
	}
	r.next[record.Partition] = record.Offset + 1
	if at, twice := r.places[e]; twice {
		r.faults = append(r.faults, fmt.Sprintf("twice: %v, at offsets %d and %d", e, at, record.Offset))
		return
	}
	r.places[e] = record.Offset
	stream := [2]int{e.producer, e.partition}
	if last, seen := r.last[stream]; seen && e.number < last {
		r.faults = append(r.faults, fmt.Sprintf("order: %v at offset %d comes after number %d", e, record.Offset, last))
	}
	r.last[stream] = max(e.number, r.last[stream])
}
