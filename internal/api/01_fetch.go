package api

import (
	"slices"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/wire"
)

// readCommitted is the isolation level that sees nothing of open or aborted transactions.
const readCommitted = 1

// fetch answers Fetch 4-18: records of many partitions, now, or when there are enough of them. Version 7 adds sessions
// (KIP-227), 9 leader epochs, 12 diverging epochs, 13 topic ids, 16 the new leader (KIP-951).
func (a *API) fetch(c Call, rq *wire.FetchRequest) {
	f := a.fetches.Get().(*fetch)
	f.begin(a, c, rq)
	if err := f.open(rq); err != nil {
		f.fail(err)
		return
	}
	wait := time.Duration(rq.MaxWaitMs) * time.Millisecond
	if f.read(); f.enough() || wait <= 0 || a.stopping.Load() {
		f.reply()
		return
	}
	f.wait(wait)
}

// fetch is a Fetch request on its way. It is used again after its answer; who waits for records on its behalf is a
// fetchWaiter, which is not.
type fetch struct {
	api       *API
	call      Call
	session   *fetchSession // of an incremental fetch
	epoch     int32         // that the session must still be at when the answer leaves
	create    bool          // the answer opens a session
	minBytes  int
	maxBytes  int
	committed bool
	replica   int32             // the follower that asks, -1 for a consumer
	rack      string            // of a consumer that would rather read from a replica near it
	follower  partition.Fetched // what it says, but for what differs by partition

	targets  []fetchTarget
	readable bool // some of the targets exist
	bytes    int  // that were found
	urgent   bool // something has to be told at once: an error, a diverging history

	response wire.FetchResponse
	answer   wire.FetchResponsePartitionData // the one being made
}

// fetchTarget is one partition of a fetch.
type fetchTarget struct {
	key     fetchKey
	topic   string
	want    wire.FetchRequestFetchPartition
	durable int64                // wire.FetchRequestFetchPartition.DurableOffset
	from    *partition.Partition // nil if it is not here, and err says why
	unknown bool                 // the cluster has no such partition
	found   partition.Records
	err     error
	closer  int32 // the replica that the consumer had better ask, -1 for none
}

func (f *fetch) begin(a *API, c Call, rq *wire.FetchRequest) {
	f.api, f.call = a, c
	f.session, f.create = nil, false
	f.committed = rq.IsolationLevel == readCommitted
	f.replica, f.follower = rq.ReplicaID, partition.Fetched{BrokerEpoch: -1, Now: c.Received()}
	if c.version >= 15 {
		f.replica, f.follower.BrokerEpoch = rq.ReplicaState.ReplicaID, rq.ReplicaState.ReplicaEpoch
	}
	most := a.Config().Int(config.FetchMaxBytes)
	if f.follower.Broker = f.replica; f.replica >= 0 {
		f.call.requests = a.metrics.follower
		most = max(most, a.Config().Int(config.ReplicaFetchResponseMaxBytes))
	}
	f.maxBytes = min(int(rq.MaxBytes), most)
	f.rack = ""
	if f.replica < 0 && c.version >= firstAnyReplicaVersion && a.Config().Text(config.ReplicaSelectorClass) == RackAwareSelector {
		f.rack = strings.Clone(rq.RackID)
	}
	// A broker may cap what a client waits for: more than fits will never come.
	f.minBytes = min(int(rq.MinBytes), f.maxBytes)
	f.targets, f.readable = f.targets[:0], false
	f.response.Reset()
}

// open finds out which partitions to read: those of the request, or of its session
// (org.apache.kafka.server.FetchManager.newContext).
func (f *fetch) open(rq *wire.FetchRequest) error {
	byID := f.call.version >= 13
	sessions := f.api.sessions
	if rq.SessionEpoch == firstFetchEpoch || rq.SessionEpoch == finalFetchEpoch {
		sessions.close(rq.SessionID)
		f.create = rq.SessionEpoch == firstFetchEpoch
		f.aim(rq)
		return nil
	}
	session := sessions.find(rq.SessionID)
	if session == nil {
		return kafka.Errorf(kafka.FetchSessionIDNotFound, "there is no fetch session %d", rq.SessionID)
	}
	session.lock.Lock()
	defer session.lock.Unlock()
	defer session.overtake()
	switch {
	case session.epoch != rq.SessionEpoch:
		return kafka.Errorf(kafka.InvalidFetchSessionEpoch, "fetch session %d is at epoch %d, not %d", session.id, session.epoch, rq.SessionEpoch)
	case session.byID != byID:
		return kafka.Errorf(kafka.FetchSessionTopicIDError, "fetch session %d and its request do not both name topics by id", session.id)
	}
	session.update(rq)
	if len(session.partitions) == 0 {
		sessions.close(session.id)
		f.aim(rq)
		return nil
	}
	if !sessions.touch(session, len(session.partitions), f.call.Received()) {
		return kafka.Errorf(kafka.FetchSessionIDNotFound, "fetch session %d had to make room", session.id)
	}
	session.epoch = nextFetchEpoch(session.epoch)
	f.session, f.epoch = session, session.epoch
	f.targets = slices.Grow(f.targets, len(session.partitions))
	for e := session.order.Front(); e != nil; e = e.Next() {
		p := e.Value.(*sessionPartition)
		f.target(p.key, &p.want, p.durable)
	}
	return nil
}

// aim takes the partitions of the request.
func (f *fetch) aim(rq *wire.FetchRequest) {
	for i := range rq.Topics {
		t := &rq.Topics[i]
		for j := range t.Partitions {
			f.target(fetchKey{t.Topic, t.TopicID, t.Partitions[j].Partition}, &t.Partitions[j], t.Partitions[j].DurableOffset())
		}
	}
}

// target resolves one partition and adds it.
func (f *fetch) target(key fetchKey, want *wire.FetchRequestFetchPartition, durable int64) {
	f.targets = append(f.targets, fetchTarget{key: key, want: *want, durable: durable, closer: -1})
	t := &f.targets[len(f.targets)-1]
	t.want.UnknownTags = nil // they alias the request
	byID := f.call.version >= 13
	if t.topic, t.err = f.api.topicName(key.topic, key.id, byID); t.err == nil {
		t.from, t.err = f.api.Partitions.Get(t.topic, key.partition)
	}
	switch {
	case t.err != nil:
		t.unknown = kafka.CodeOf(t.err) == kafka.UnknownTopicID || kafka.CodeOf(t.err) == kafka.UnknownTopicOrPartition
	case byID && t.from.TopicID() != key.id:
		t.from, t.err = nil, kafka.Errorf(kafka.InconsistentTopicID, "topic %s has another id here", t.topic)
	}
	f.readable = f.readable || !t.unknown
}

// read looks up what can be read of each partition, in order, within the request's limit; the first batch found comes
// whole, even if it is larger (KIP-74). What an earlier read found is released.
func (f *fetch) read() {
	f.release()
	f.bytes, f.urgent = 0, false
	for i := range f.targets {
		t := &f.targets[i]
		if t.from != nil {
			t.found, t.err = t.from.Read(f.readOf(t))
			f.sendCloser(t)
		}
		f.bytes += t.found.Span.Size
		f.urgent = f.urgent || (t.err != nil && !t.unknown) || t.found.Diverged != nil || t.closer >= 0
	}
	f.follower.Again = true
}

// RackAwareSelector is the one value of replica.selector.class that is more than the leader.
const RackAwareSelector = "org.apache.kafka.common.replica.RackAwareReplicaSelector"

// sendCloser has a consumer ask a replica in its own rack, if the leader is not: it gets the name of that one, and no records.
func (f *fetch) sendCloser(t *fetchTarget) {
	t.closer = -1
	if f.rack == "" || t.err != nil || t.found.Diverged != nil {
		return
	}
	if broker, found := t.from.ClosestReplica(f.rack, t.want.FetchOffset); found {
		t.closer = broker
		t.found.Span.Release()
		t.found.Span = commitlog.Span{}
		t.found.Aborted = nil
	}
}

// firstAnyReplicaVersion is the first version whose consumers may read from followers (KIP-392).
const firstAnyReplicaVersion = 11

// readOf is what is read of one partition, given what was found in those before.
func (f *fetch) readOf(t *fetchTarget) partition.Read {
	r := partition.Read{
		Offset: t.want.FetchOffset, MaxBytes: min(int(t.want.PartitionMaxBytes), max(f.maxBytes-f.bytes, 0)), AtLeastOne: f.bytes == 0,
		LeaderEpoch: max(t.want.CurrentLeaderEpoch, partition.AnyEpoch), LastFetchedEpoch: t.want.LastFetchedEpoch, Committed: f.committed,
		AnyReplica: f.replica < 0 && f.call.version >= firstAnyReplicaVersion,
	}
	if f.replica >= 0 {
		f.follower.Durable, f.follower.Start = t.durable, t.want.LogStartOffset
		r.Follower, r.Committed = &f.follower, false
	}
	return r
}

// enough reports whether the answer should leave now. Partitions that do not exist are no hurry as long as there are
// others, as in Kafka: a client learns of them soon enough, and would otherwise ask again without a pause.
func (f *fetch) enough() bool { return f.urgent || f.bytes >= f.minBytes || !f.readable }

func (f *fetch) release() {
	for i := range f.targets {
		t := &f.targets[i]
		t.found.Span.Release()
		t.found.Span = commitlog.Span{}
	}
}

// recycle ends the fetch.
func (f *fetch) recycle() {
	f.release()
	clear(f.targets)
	f.answer.Reset()
	for i := range f.response.Responses {
		clear(f.response.Responses[i].Partitions)
	}
	a := f.api
	f.api, f.call, f.session = nil, Call{}, nil
	if cap(f.targets) <= maxPooledTargets {
		a.fetches.Put(f)
	}
}

// maxPooledTargets bounds the size of a fetch that is kept for another.
const maxPooledTargets = 4096
