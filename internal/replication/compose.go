package replication

import (
	"cmp"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/wire"
)

// session is the incremental fetch session at the leader (KIP-227). The fetcher's mutex guards it.
type session struct {
	id        int32 // 0: the next request asks for one
	epoch     int32 // of the next request
	forgotten []key
}

// forget has the next request take a partition out of the session.
func (s *session) forget(k key) { s.forgotten = append(s.forgotten, k) }

// advance: the epoch of the request after one with this epoch.
func (s *session) advance() {
	if s.epoch++; s.epoch < 0 {
		s.epoch = 1
	}
}

// slot is a request and its answer, used again and again.
type slot struct {
	f        *fetcher
	request  wire.FetchRequest
	response wire.FetchResponse
	full     bool // names all partitions, and asks for a session
	asked    map[key]asked
	answered func(error)
}

// asked is what a request, or the session before it, asked of a partition.
type asked struct {
	of     *following
	epoch  int32
	offset int64
	// throttled: what comes counts for the throttle, as that of a replica in sync or one that catches up.
	throttled, inSync bool
}

func newSlot(f *fetcher) *slot {
	s := &slot{f: f, asked: map[key]asked{}}
	s.answered = func(err error) { f.take(s, err) }
	return s
}

// compose puts the next request together, or says how long there is nothing to ask for. The caller holds f.mu.
func (f *fetcher) compose(now time.Time) (*slot, time.Duration) {
	s := f.mu.free[len(f.mu.free)-1]
	c := composer{f: f, s: s, now: now, wait: time.Hour, full: f.mu.session.id == 0}
	c.begin()
	for _, x := range f.mu.following {
		c.add(x)
	}
	f.mu.news = false
	if len(s.asked) == 0 {
		// What is left in a session that nobody fetches from, the leader forgets in time.
		f.leave()
		return nil, c.wait
	}
	c.forget()
	if c.wait < time.Hour {
		s.request.MaxWaitMs = int32(min(int64(s.request.MaxWaitMs), max(1, c.wait.Milliseconds()))) // to go on with who pauses
	}
	s.full = c.full
	f.mu.free = f.mu.free[:len(f.mu.free)-1]
	f.mu.slots = append(f.mu.slots, s)
	f.mu.session.advance()
	return s, 0
}

// leave gives the session up. The caller holds f.mu.
func (f *fetcher) leave() {
	f.mu.session = session{}
	for _, x := range f.mu.following {
		x.in = false
	}
}

// composer puts one request together.
type composer struct {
	f    *fetcher
	s    *slot
	now  time.Time
	wait time.Duration // until a partition may be asked for that is not now
	full bool
}

func (c *composer) begin() {
	settings, rq := c.f.m.options.Settings(), &c.s.request
	clear(c.s.asked)
	topics, forgotten := rq.Topics[:0], rq.ForgottenTopicsData[:0]
	rq.Reset()
	rq.Topics, rq.ForgottenTopicsData = topics, forgotten
	rq.ReplicaState.ReplicaID, rq.ReplicaState.ReplicaEpoch = c.f.m.options.Node, c.f.m.options.BrokerEpoch()
	rq.MaxWaitMs, rq.MinBytes, rq.MaxBytes = int32(settings.MaxWait.Milliseconds()), int32(settings.MinBytes), int32(settings.MaxBytes)
	rq.SessionID, rq.SessionEpoch = c.f.mu.session.id, c.f.mu.session.epoch
}

// add asks for a partition, if it is to be asked for.
func (c *composer) add(x *following) {
	throttled, pause := c.pause(x)
	if pause > 0 {
		c.wait = min(c.wait, pause)
		c.f.out(x)
		return
	}
	at, err := x.partition.Position()
	if err != nil || at.LeaderEpoch != x.epoch {
		c.f.out(x) // it leads, or is gone: Update says so any moment
		return
	}
	if !at.InSync && throttled && c.f.m.options.Throttle.Wait(c.now) > 0 {
		c.wait = min(c.wait, c.f.m.options.Throttle.Wait(c.now))
		c.f.out(x)
		return
	}
	c.s.asked[x.key] = asked{of: x, epoch: at.LeaderEpoch, offset: at.Offset, throttled: throttled, inSync: at.InSync}
	at.InSync = false // nothing that the leader is told
	if !c.full && x.in && x.sent == at {
		return
	}
	x.in, x.sent = true, at
	c.want(x, at)
}

// pause is how long not to ask for a partition.
func (c *composer) pause(x *following) (throttled bool, pause time.Duration) {
	if c.now.Before(x.resume) {
		return false, x.resume.Sub(c.now)
	}
	t := c.f.m.options.Throttle
	return t != nil && t.Throttled(x.partition), 0
}

// out takes a partition out of the session. The caller holds f.mu.
func (f *fetcher) out(x *following) {
	if x.in {
		x.in = false
		f.mu.session.forget(x.key)
	}
}

func (c *composer) want(x *following, at partition.Position) {
	rq := &c.s.request
	topic := topicOf(&rq.Topics, x.key.topic)
	topic.Partitions = grow(topic.Partitions)
	p := &topic.Partitions[len(topic.Partitions)-1]
	p.Reset()
	p.Partition, p.CurrentLeaderEpoch, p.FetchOffset, p.LastFetchedEpoch = x.key.partition, at.LeaderEpoch, at.Offset, at.LastEpoch
	p.LogStartOffset, p.PartitionMaxBytes, p.ReplicaDirectoryID = at.Start, int32(c.f.m.options.Settings().PartitionMaxBytes), at.Directory
	p.SetDurableOffset(at.Durable, new([8]byte))
}

// topicOf returns the topic of a request, which is most often the last one.
func topicOf(topics *[]wire.FetchRequestFetchTopic, id kafka.UUID) *wire.FetchRequestFetchTopic {
	for i := len(*topics) - 1; i >= 0; i-- {
		if (*topics)[i].TopicID == id {
			return &(*topics)[i]
		}
	}
	*topics = grow(*topics)
	t := &(*topics)[len(*topics)-1]
	partitions := t.Partitions[:0]
	t.Reset()
	t.TopicID, t.Partitions = id, partitions
	return t
}

// grow makes a slice one longer, and keeps what memory the new element has.
func grow[T any](s []T) []T {
	if len(s) < cap(s) {
		return s[:len(s)+1]
	}
	var zero T
	return append(s, zero)
}

// forget names the partitions that leave the session.
func (c *composer) forget() {
	all := c.f.mu.session.forgotten
	c.f.mu.session.forgotten = all[:0]
	if c.full {
		return
	}
	slices.SortFunc(all, func(a, b key) int {
		return cmp.Or(slices.Compare(a.topic[:], b.topic[:]), cmp.Compare(a.partition, b.partition))
	})
	for _, k := range slices.Compact(all) {
		if _, back := c.s.asked[k]; back {
			continue // and is in again
		}
		rq := &c.s.request
		if n := len(rq.ForgottenTopicsData); n == 0 || rq.ForgottenTopicsData[n-1].TopicID != k.topic {
			rq.ForgottenTopicsData = append(rq.ForgottenTopicsData, wire.FetchRequestForgottenTopic{TopicID: k.topic})
		}
		t := &rq.ForgottenTopicsData[len(rq.ForgottenTopicsData)-1]
		t.Partitions = append(t.Partitions, k.partition)
	}
}
