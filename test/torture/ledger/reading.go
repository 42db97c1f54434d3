package ledger

import "fmt"

// Reading is everything that was read back of one topic, checked for order and duplicates on the way. It can be read on
// after each restart. It is not safe for concurrent use.
type Reading struct {
	topic   string
	promise Promise
	records int
	places  map[stream][]int64 // offset + 1 by number; 0: not seen
	last    map[stream]int     // the largest number seen
	next    map[int32]int64    // offset expected next
	starts  map[int32]int64    // where the log began at last
	jumps   []jump
	decided decided
	faults  []string
}

// jump is where offsets were skipped in a topic with retention.
type jump struct {
	partition int32
	from, to  int64
}

// NewReading returns an empty reading of a topic.
func NewReading(topic string, p Promise) *Reading {
	return &Reading{topic: topic, promise: p, places: map[stream][]int64{}, last: map[stream]int{}, next: map[int32]int64{}, starts: map[int32]int64{}}
}

// Records is how many were read.
func (r *Reading) Records() int { return r.records }

// Trim tells where a partition's log begins after the reading: what was skipped must lie below.
func (r *Reading) Trim(partition int32, start int64) {
	r.starts[partition] = start
	for _, j := range r.jumps {
		if j.partition == partition && j.to > start {
			r.fault("%s-%d: offset %d follows %d, and the log begins at %d", r.topic, partition, j.to, j.from-1, start)
		}
	}
}

// Next is the offset at which reading a partition goes on, start where its log begins now.
func (r *Reading) Next(partition int32, start int64) int64 {
	r.starts[partition] = start
	if start > r.next[partition] && (r.promise.Trimmed || r.promise.Latest) {
		r.next[partition] = start
	}
	return r.next[partition]
}

const maxFaults = 20

func (r *Reading) fault(format string, args ...any) {
	if len(r.faults) < maxFaults {
		r.faults = append(r.faults, fmt.Sprintf(format, args...))
	}
}

// Add takes in the next record of a partition.
func (r *Reading) Add(partition int32, offset int64, value []byte) {
	r.records++
	e, err := Parse(value)
	if err != nil || e.Topic != r.topic || e.Partition != int(partition) {
		r.fault("a record that nobody sent at %s-%d@%d: %.100q (%v)", r.topic, partition, offset, value, err)
		return
	}
	switch want := r.next[partition]; {
	case offset == want || offset > want && (r.promise.Latest || r.promise.Transactions):
	case offset > want && r.promise.Trimmed:
		r.jumps = append(r.jumps, jump{partition, want, offset})
	default:
		r.fault("%s-%d: offset %d follows %d", r.topic, partition, offset, want-1)
	}
	r.next[partition] = offset + 1
	if r.promise.Transactions {
		r.decided.fresh = append(r.decided.fresh, e)
	}
	s := e.stream()
	list := r.places[s]
	for len(list) <= e.Number {
		list = append(list, 0)
	}
	r.places[s] = list
	if at := list[e.Number]; at > 0 {
		if r.promise.Once {
			r.fault("twice: %v, at offsets %d and %d", e, at-1, offset)
		}
		return
	}
	list[e.Number] = offset + 1
	r.checkGap(e)
	if last, seen := r.last[s]; seen && e.Number < last {
		r.fault("order: %v at offset %d comes after number %d", e, offset, last)
	}
	r.last[s] = max(e.Number, r.last[s])
}

// Faults returns what is wrong with what was read, and what of a snapshot, taken before the reading, is not there.
func (r *Reading) Faults(told Snapshot) []string {
	for s, list := range told.acknowledged {
		newest := len(list) - 1
		if r.promise.Latest {
			if last, seen := r.last[s]; !seen || last < newest {
				r.fault("lost: %s-%d, producer %d: number %d was acknowledged, the last one there is %d (%v)", s.topic, s.partition, s.producer, newest, last, seen)
			}
			continue
		}
		for number, at := range list {
			if at > 0 {
				r.compare(Entry{s.topic, s.producer, s.partition, number}, at-1)
			}
		}
	}
	return r.faults
}

// compare looks for an acknowledged record at its offset.
func (r *Reading) compare(e Entry, offset int64) {
	if list := r.places[e.stream()]; e.Number < len(list) && list[e.Number] > 0 {
		if at := list[e.Number] - 1; at != offset && r.promise.Once {
			r.fault("%v is at offset %d, acknowledged was %d", e, at, offset)
		}
		return
	}
	if offset >= r.starts[int32(e.Partition)] || !r.promise.Trimmed {
		r.fault("lost: %v, acknowledged at offset %d", e, offset)
	}
}
