package replication

import (
	"slices"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/wire"
)

// leaderSide answers Fetch requests as internal/api does, with sessions, and keeps the order of each connection.
type leaderSide struct {
	n  *node
	mu struct {
		sync.Mutex
		sessions map[int32]*served
		last     int32
		stopped  bool
	}
	quit chan struct{}
	busy sync.WaitGroup
}

// served is a session.
type served struct {
	epoch    int32
	wants    []wire.FetchRequestFetchPartition
	durable  int64
	told     [2]int64 // high watermark and log start of the last answer, which are not told twice
	overtake chan struct{}
}

func newLeaderSide(n *node) *leaderSide {
	s := &leaderSide{n: n, quit: make(chan struct{})}
	s.mu.sessions = map[int32]*served{}
	return s
}

func (s *leaderSide) stop() {
	s.mu.Lock()
	s.mu.stopped = true
	s.mu.Unlock()
	close(s.quit)
	s.busy.Wait()
}

// send carries a request over: what is cut, lost or sent to a dead leader fails after a while. Answers keep their order.
func (n *node) send(leader int32, fetcher int, rq *wire.FetchRequest, response *wire.FetchResponse, _ time.Duration, done func(error)) {
	to := n.c.node(leader).serves.Load()
	before, after := n.connection(leader, fetcher)
	n.c.sends.Go(func() {
		defer close(after)
		n.c.delay()
		failed := n.c.isCut(n.id, leader) || n.c.loses()
		var answer func(*wire.FetchResponse)
		if !failed {
			answer = to.fetch(rq)
		}
		<-before
		if failed || answer == nil || n.c.isCut(n.id, leader) || n.c.loses() {
			time.Sleep(5 * time.Millisecond)
			done(kafka.NetworkException)
			return
		}
		response.Reset()
		answer(response)
		n.c.delay()
		done(nil)
	})
}

// connection orders answers: each waits for the one before.
func (n *node) connection(leader int32, fetcher int) (before <-chan struct{}, after chan struct{}) {
	after = make(chan struct{})
	last, ok := n.c.connections.Swap([3]int32{n.id, leader, int32(fetcher)}, after)
	if !ok {
		first := make(chan struct{})
		close(first)
		return first, after
	}
	return last.(chan struct{}), after
}

type tail chan struct{}

func (t tail) Changed() {
	select {
	case t <- struct{}{}:
	default:
	}
}

// fetch answers a request; nil if the broker is stopping.
func (s *leaderSide) fetch(rq *wire.FetchRequest) func(*wire.FetchResponse) {
	s.mu.Lock()
	if s.mu.stopped {
		s.mu.Unlock()
		return nil
	}
	s.busy.Add(1)
	defer s.busy.Done()
	session, epoch, code := s.open(rq)
	s.mu.Unlock()
	if code != kafka.None {
		return func(r *wire.FetchResponse) { r.ErrorCode = int16(code) }
	}
	p := s.n.partition()
	hear := make(tail, 1)
	if p != nil {
		p.WatchEnd(hear)
		defer p.UnwatchEnd(hear)
	}
	x := partition.Fetched{Broker: rq.ReplicaState.ReplicaID, BrokerEpoch: rq.ReplicaState.ReplicaEpoch, Now: time.Now()}
	late := time.After(time.Duration(rq.MaxWaitMs) * time.Millisecond)
	for {
		data, urgent := s.read(p, session, &x)
		if data == nil {
			return func(r *wire.FetchResponse) { s.tell(r, session, epoch, nil) }
		}
		if urgent {
			return func(r *wire.FetchResponse) { s.tell(r, session, epoch, data) }
		}
		x.Again = true
		select {
		case <-hear:
		case <-session.overtake:
			return func(r *wire.FetchResponse) { s.tell(r, session, epoch, data) }
		case <-late:
			return func(r *wire.FetchResponse) { s.tell(r, session, epoch, data) }
		case <-s.quit:
			return nil
		}
	}
}

// open: the caller holds s.mu.
func (s *leaderSide) open(rq *wire.FetchRequest) (*served, int32, kafka.ErrorCode) {
	session := s.mu.sessions[rq.SessionID]
	if rq.SessionEpoch == 0 {
		s.mu.last++
		session = &served{epoch: 1, overtake: make(chan struct{}, 1)}
		s.mu.sessions[s.mu.last] = session
	} else {
		switch {
		case session == nil:
			return nil, 0, kafka.FetchSessionIDNotFound
		case session.epoch != rq.SessionEpoch:
			return nil, 0, kafka.InvalidFetchSessionEpoch
		}
		session.epoch++
		close(session.overtake)
		session.overtake = make(chan struct{}, 1)
	}
	for i := range rq.ForgottenTopicsData {
		if slices.Contains(rq.ForgottenTopicsData[i].Partitions, 0) {
			session.wants = nil
		}
	}
	for i := range rq.Topics {
		for _, want := range rq.Topics[i].Partitions {
			session.durable = want.DurableOffset()
			want.UnknownTags = nil
			session.told = [2]int64{-1, -1}
			session.wants = []wire.FetchRequestFetchPartition{want}
		}
	}
	frozen := &served{epoch: session.epoch, wants: session.wants, durable: session.durable, overtake: session.overtake}
	return frozen, session.epoch, kafka.None
}

func (s *leaderSide) tell(r *wire.FetchResponse, session *served, epoch int32, data *wire.FetchResponsePartitionData) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var known *served
	for id, x := range s.mu.sessions {
		if x.overtake == session.overtake {
			r.SessionID, known = id, x
		}
	}
	if r.SessionID == 0 {
		r.ErrorCode = int16(kafka.InvalidFetchSessionEpoch) // overtaken
		return
	}
	if data == nil {
		return
	}
	now := [2]int64{data.HighWatermark, data.LogStartOffset}
	if len(data.Records) > 0 || data.ErrorCode != 0 || data.DivergingEpoch.EndOffset >= 0 || now != known.told {
		r.Responses = []wire.FetchResponseFetchableTopicResponse{{TopicID: kafka.UUID{1}, Partitions: []wire.FetchResponsePartitionData{*data}}}
	}
	known.told = now
	if data.ErrorCode != 0 {
		known.told[0] = -1
	}
}

// read looks up what a session wants; nil if it wants nothing.
func (s *leaderSide) read(p *partition.Partition, session *served, x *partition.Fetched) (*wire.FetchResponsePartitionData, bool) {
	if len(session.wants) == 0 {
		return nil, false
	}
	data := new(wire.FetchResponsePartitionData)
	data.Reset()
	if p == nil {
		data.ErrorCode = int16(kafka.UnknownTopicID)
		return data, true
	}
	want := session.wants[0]
	x.Durable, x.Start = session.durable, want.LogStartOffset
	found, err := p.Read(partition.Read{
		Offset: want.FetchOffset, MaxBytes: int(want.PartitionMaxBytes), AtLeastOne: true, LeaderEpoch: want.CurrentLeaderEpoch, LastFetchedEpoch: want.LastFetchedEpoch, Follower: x,
	})
	defer found.Span.Release()
	if err != nil {
		data.ErrorCode = int16(kafka.CodeOf(err))
		data.LogStartOffset = found.Start
		return data, true
	}
	data.HighWatermark, data.LogStartOffset = found.HighWatermark, found.Start
	if d := found.Diverged; d != nil {
		data.DivergingEpoch.Epoch, data.DivergingEpoch.EndOffset = d.Epoch, d.EndOffset
		return data, true
	}
	data.Records = make([]byte, found.Span.Size)
	if _, err := found.Span.ReadAt(data.Records); err != nil {
		data.ErrorCode = int16(kafka.CodeOf(err))
	}
	return data, len(data.Records) > 0
}
