package api

import (
	"container/list"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metrics"
	"github.com/ottla/ottla/internal/wire"
)

// Special epochs of fetch sessions (KIP-227, org.apache.kafka.common.requests.FetchMetadata).
const (
	firstFetchEpoch int32 = 0  // a full fetch that may open a session
	finalFetchEpoch int32 = -1 // a full fetch without a session
)

// sessionIdle is how long a session must lie unused before any other may take its place
// (max.incremental.fetch.session.cache.slots bounds the places), and how long it is safe from larger ones.
const sessionIdle = 2 * time.Minute

// maxSessionPartitions bounds the partitions of all sessions together, about 300 MB; Kafka has no such bound.
const maxSessionPartitions = 1 << 20

// fetchKey names a partition in a session: by topic id in sessions of versions from 13, else by name.
type fetchKey struct {
	topic     string
	id        kafka.UUID
	partition int32
}

// fetchSession remembers which partitions a client fetches, so that requests and answers name only what changed.
type fetchSession struct {
	id       int32
	byID     bool
	follower bool // a broker's, which Kafka calls privileged
	created  time.Time

	// The following belong to the cache.
	inUse *list.Element
	used  time.Time
	size  int // partitions, when it was last used

	// The following belong to who holds the lock, which may then take that of the cache, never the other way round.
	lock       sync.Mutex
	epoch      int32      // of the next request
	order      *list.List // of *sessionPartition
	partitions map[fetchKey]*list.Element
	waiting    *fetchWaiter // of the last request, which may have been answered since; followers' sessions only
}

// sessionPartition is what a client last asked of a partition, and what it was last told.
type sessionPartition struct {
	key  fetchKey
	want wire.FetchRequestFetchPartition
	// durable is want's DurableOffset.
	durable int64
	// told are the offsets in the last answer; -1 before the first and after an error, so that the next is given.
	toldHighWatermark, toldStart int64
}

// fetchSessions is the broker's cache of fetch sessions (org.apache.kafka.server.FetchSessionCacheShard).
type fetchSessions struct {
	slots     int
	evictions *metrics.Counter
	mu        struct {
		sync.Mutex
		byID       map[int32]*fetchSession
		oldest     *list.List // of *fetchSession, the one unused for longest first
		partitions int        // of all sessions
	}
}

func newFetchSessions(slots int) *fetchSessions {
	s := &fetchSessions{slots: slots, evictions: new(metrics.Counter)}
	s.mu.byID = map[int32]*fetchSession{}
	s.mu.oldest = list.New()
	return s
}

// open puts a session into the cache and gives it an id; 0 if there is no room for it.
func (s *fetchSessions) open(session *fetchSession, now time.Time) int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	session.size = len(session.partitions)
	if s.mu.partitions+session.size > maxSessionPartitions || (len(s.mu.byID) >= s.slots && !s.evict(session, now)) {
		return 0
	}
	for session.id == 0 || s.mu.byID[session.id] != nil {
		session.id = rand.Int32N(1<<31-2) + 1
	}
	session.created, session.used, session.epoch = now, now, 1
	s.mu.byID[session.id] = session
	s.mu.partitions += session.size
	session.inUse = s.mu.oldest.PushBack(session)
	return session.id
}

// evict makes room for a session: the one unused for longest goes if that is long ago; else the smallest of those that
// are no longer protected, if it is not larger than the new one. Consumers' sessions go before those of followers, and
// never make followers' go that are young.
func (s *fetchSessions) evict(room *fetchSession, now time.Time) bool {
	front := s.mu.oldest.Front()
	if front == nil {
		return false // there are no slots at all
	}
	if oldest := front.Value.(*fetchSession); now.Sub(oldest.used) > sessionIdle {
		s.drop(oldest)
		s.evictions.Inc()
		return true
	}
	var least *fetchSession
	for _, other := range s.mu.byID {
		evictable := other.used.Sub(other.created) > sessionIdle || (room.follower && !other.follower)
		if evictable && (least == nil || other.lessValuable(least)) {
			least = other
		}
	}
	if least == nil || room.lessValuable(least) {
		return false
	}
	s.drop(least)
	s.evictions.Inc()
	return true
}

// lessValuable compares as Kafka's EvictableKey does; a session without an id comes first among equals, but for the new
// one that asks for room it is enough not to be less valuable.
func (f *fetchSession) lessValuable(than *fetchSession) bool {
	if f.follower != than.follower {
		return !f.follower
	}
	if f.size != than.size {
		return f.size < than.size
	}
	return f.id < than.id
}

// find returns a session; nil if it is not there (any more).
func (s *fetchSessions) find(id int32) *fetchSession {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.byID[id]
}

// touch notes that a session is in use and how many partitions it has now. It is false if the session was dropped
// meanwhile, or if it has become too large, and is dropped.
func (s *fetchSessions) touch(session *fetchSession, size int, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.byID[session.id] != session {
		return false
	}
	s.mu.partitions += size - session.size
	session.size, session.used = size, now
	s.mu.oldest.MoveToBack(session.inUse)
	if s.mu.partitions > maxSessionPartitions {
		s.drop(session)
		return false
	}
	return true
}

// close ends a session; ending one that is not there does nothing.
func (s *fetchSessions) close(id int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if session := s.mu.byID[id]; session != nil {
		s.drop(session)
	}
}

func (s *fetchSessions) drop(session *fetchSession) {
	delete(s.mu.byID, session.id)
	s.mu.oldest.Remove(session.inUse)
	s.mu.partitions -= session.size
}

// count is the number of sessions and of their partitions.
func (s *fetchSessions) count() (sessions, partitions int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.mu.byID), s.mu.partitions
}

func nextFetchEpoch(epoch int32) int32 {
	if epoch == 1<<31-1 {
		return 1
	}
	return epoch + 1
}

func newFetchSession(byID, follower bool, partitions int) *fetchSession {
	return &fetchSession{byID: byID, follower: follower, order: list.New(), partitions: make(map[fetchKey]*list.Element, partitions)}
}

// want adds a partition or changes what is asked of it. A follower that names one is told everything anew: it may have come to
// follow under another leader epoch, or to truncate, and have dropped what the last answer told, for which nothing else
// would bring up its high watermark and log start while there are no records.
func (f *fetchSession) want(key fetchKey, want *wire.FetchRequestFetchPartition, durable int64) {
	e := f.partitions[key]
	if e == nil {
		e = f.order.PushBack(&sessionPartition{key: key, toldHighWatermark: -1, toldStart: -1})
		f.partitions[key] = e
	}
	p := e.Value.(*sessionPartition)
	p.want, p.durable = *want, durable
	if f.follower {
		p.toldHighWatermark = -1
	}
	p.want.UnknownTags = nil // they alias the request
}

// update takes over what an incremental request adds, changes and forgets.
func (f *fetchSession) update(rq *wire.FetchRequest) {
	for i := range rq.Topics {
		t := &rq.Topics[i]
		for j := range t.Partitions {
			f.want(fetchKey{t.Topic, t.TopicID, t.Partitions[j].Partition}, &t.Partitions[j], t.Partitions[j].DurableOffset())
		}
	}
	for i := range rq.ForgottenTopicsData {
		t := &rq.ForgottenTopicsData[i]
		for _, partition := range t.Partitions {
			key := fetchKey{t.Topic, t.TopicID, partition}
			if known := f.partitions[key]; known != nil {
				f.order.Remove(known)
				delete(f.partitions, key)
			}
		}
	}
}

// tell notes what the answer says of a partition and reports whether it says anything new. A partition that gave
// records goes to the end of the order, so that the next answer begins with others.
func (f *fetchSession) tell(key fetchKey, answer *wire.FetchResponsePartitionData) bool {
	element := f.partitions[key]
	if element == nil {
		return true
	}
	p := element.Value.(*sessionPartition)
	isNew := len(answer.Records) > 0 || answer.PreferredReadReplica != -1 || answer.DivergingEpoch.Epoch != -1 ||
		answer.HighWatermark != p.toldHighWatermark || answer.LogStartOffset != p.toldStart || answer.ErrorCode != 0
	p.toldHighWatermark, p.toldStart = answer.HighWatermark, answer.LogStartOffset
	if answer.ErrorCode != 0 {
		p.toldHighWatermark = -1
	}
	if len(answer.Records) > 0 {
		f.order.MoveToBack(element)
	}
	return isNew
}
