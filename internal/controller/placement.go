package controller

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ottla/ottla/internal/metadata"
)

// place chooses the replicas of new partitions as Kafka's StripedReplicaPlacer does: each partition's replicas
// go round the racks, its leader to an unfenced broker; the next partition begins one rack further, and each
// rack's brokers take turns. Fenced brokers are taken after the unfenced ones of their rack. Where there is no
// placement, reason says why.
func (c *Controller) place(partitions int, replicationFactor int16) (placed [][]int32, reason string) {
	s := newStripes(c.Image(), c.options.Random)
	switch {
	case replicationFactor <= 0:
		return nil, fmt.Sprintf("Invalid replication factor %d: the replication factor must be positive.", replicationFactor)
	case s.unfenced == 0:
		return nil, "All brokers are currently fenced, or have all their log directories cordoned."
	case int(replicationFactor) > s.total:
		return nil, fmt.Sprintf("The target replication factor of %d cannot be reached because only %d broker(s) are registered or some brokers have all their log directories cordoned.", replicationFactor, s.total)
	}
	placed = make([][]int32, partitions)
	for i := range placed {
		placed[i] = s.next(int(replicationFactor))
	}
	return placed, ""
}

// stripes is the state of one placement: the racks and whose turn it is.
type stripes struct {
	random   func(n int) int
	racks    []*rack // brokers without a rack are one rack, the first
	total    int
	unfenced int
	turn     int // partitions placed
	fresh    int // partitions placed since the last shuffle
	offset   int // rack of the next partition's first replica
}

type rack struct {
	name             *string
	unfenced, fenced turnTaking
}

// turnTaking hands out the brokers of one rack, each at most once per turn, beginning one further each turn.
type turnTaking struct {
	brokers             []int32
	index, offset, turn int
}

func (t *turnTaking) next(turn int) (int32, bool) {
	if len(t.brokers) == 0 {
		return 0, false
	}
	if t.turn != turn {
		t.turn, t.index = turn, 0
		t.offset = (t.offset + 1) % len(t.brokers)
	}
	if t.index >= len(t.brokers) {
		return 0, false
	}
	broker := t.brokers[(t.index+t.offset)%len(t.brokers)]
	t.index++
	return broker, true
}

func (r *rack) next(turn int) (int32, bool) {
	if broker, ok := r.unfenced.next(turn); ok {
		return broker, true
	}
	return r.fenced.next(turn)
}

func newStripes(image *metadata.Image, random func(int) int) *stripes {
	s := &stripes{random: random}
	for b := range image.Brokers() {
		if b.InControlledShutdown && !b.Fenced || !b.HasUncordonedDir() {
			continue
		}
		r := s.rackOf(b.Rack)
		s.total++
		if b.Fenced {
			r.fenced.brokers = append(r.fenced.brokers, b.ID)
		} else {
			s.unfenced++
			r.unfenced.brokers = append(r.unfenced.brokers, b.ID)
		}
	}
	slices.SortFunc(s.racks, func(a, b *rack) int { return compareRacks(a.name, b.name) })
	for _, r := range s.racks {
		for _, t := range []*turnTaking{&r.fenced, &r.unfenced} {
			if len(t.brokers) > 0 {
				t.offset = random(len(t.brokers))
			}
		}
	}
	if len(s.racks) > 0 {
		s.offset = random(len(s.racks))
	}
	return s
}

func compareRacks(a, b *string) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return cmp.Compare(*a, *b)
}

func (s *stripes) rackOf(name *string) *rack {
	for _, r := range s.racks {
		if compareRacks(r.name, name) == 0 {
			return r
		}
	}
	r := &rack{name: name}
	s.racks = append(s.racks, r)
	return r
}

// next places one partition. There are at least as many brokers as replicas, and one of them is unfenced.
func (s *stripes) next(replicas int) []int32 {
	if s.fresh == s.unfenced && s.unfenced > 1 {
		s.shuffle() // every broker led once: do not repeat the same assignments
		s.fresh = 0
	}
	if s.offset == len(s.racks) {
		s.offset = 0
	}
	placed := make([]int32, 0, replicas)
	leaderRack := s.offset
	for len(placed) == 0 {
		if broker, ok := s.racks[leaderRack].unfenced.next(s.turn); ok {
			placed = append(placed, broker)
			break
		}
		leaderRack = (leaderRack + 1) % len(s.racks)
	}
	for at := s.offset; len(placed) < replicas; at = (at + 1) % len(s.racks) {
		if at == leaderRack {
			leaderRack = -1 // its turn of this round has been taken by the leader
			continue
		}
		if broker, ok := s.racks[at].next(s.turn); ok {
			placed = append(placed, broker)
		}
	}
	s.turn++ // never goes back, so that every broker can be taken once in each turn and the loops end
	s.fresh++
	s.offset++
	return placed
}

func (s *stripes) shuffle() {
	shuffle(s.racks, s.random)
	for _, r := range s.racks {
		shuffle(r.fenced.brokers, s.random)
		shuffle(r.unfenced.brokers, s.random)
	}
}

func shuffle[T any](list []T, random func(int) int) {
	for i := len(list) - 1; i > 0; i-- {
		j := random(i + 1)
		list[i], list[j] = list[j], list[i]
	}
}
