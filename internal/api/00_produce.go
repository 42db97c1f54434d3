package api

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/producerstate"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/wire"
)

// adminClient is the client id that may write to internal topics (org.apache.kafka.server.util.AdminUtils).
const adminClient = "__admin_client"

// produce answers Produce 3-13: one record batch per partition. Version 5 adds the log's start to the answer, 8 the
// errors of single records (KIP-467), 10 the new leader (KIP-951), 13 names topics by id (KIP-516). With acks=0 there is
// no answer; an error closes the connection, so that the client asks for metadata.
func (a *API) produce(c Call, rq *wire.ProduceRequest) {
	p := a.produces.Get().(*produce)
	p.begin(a, c, rq)
	failed := p.append(rq)
	switch rq.Acks {
	case 0:
		if failed != nil {
			c.Close(fmt.Errorf("a Produce with acks=0 failed, and closing is the only way to tell: %w", failed))
		} else {
			c.NoReply()
		}
		p.recycle()
	case -1:
		c.ReleaseFrame() // the records are in the log
		p.await(max(time.Duration(rq.TimeoutMs)*time.Millisecond, minProduceTimeout))
	default:
		if len(p.waiting) == 0 {
			p.reply()
			return
		}
		c.ReleaseFrame()
		p.await(flushTimeout)
	}
}

// minProduceTimeout is what an append gets in any case, as a flush takes its time: to Kafka the timeout is about other replicas, so
// that one of 0 succeeds where there are none.
const minProduceTimeout = 2 * time.Second

// flushTimeout is for acks=1 where flush.messages has the answer wait for a flush: the request's timeout is not about that,
// and Kafka, which flushes within the append, has none.
const flushTimeout = 24 * time.Hour

// produce is a Produce request on its way. It is used again after its answer, so nobody may hold on to it then. Who can
// reach it are: the partitions, each told to forget it before it calls Committed, and before that counted in pending; the
// deadlines, which count themselves in pending (retain) before they call expired, and which the answer takes it out of.
type produce struct {
	api      *API
	call     Call
	response wire.ProduceResponse
	waiting  []appended
	// question has what the coordinator of a transaction has said of the request's partitions, in their order; no places if
	// nothing had to be asked.
	question membership
	verifies bool // transaction.partition.verification.enable, as it is for this request
	// pending counts what the answer waits for: one per entry of waiting, and one for whoever works on it.
	pending atomic.Int32
	expiry  deadline
	timed   bool       // expiry is among the deadlines, or was; read and written by whoever holds the last of pending
	failing sync.Mutex // partitions may fail at the same time
}

// appended is a partition whose append is not committed yet.
type appended struct {
	partition *partition.Partition
	epoch     int32 // the leader epoch of the append
	next      int64 // offset after the records
	flush     bool  // with acks=1: only for this broker's own flush (flush.messages)
	answer    *wire.ProduceResponsePartitionProduceResponse
}

func (p *produce) begin(a *API, c Call, rq *wire.ProduceRequest) {
	p.api, p.call = a, c
	p.response.Reset()
	p.response.Responses = resize(p.response.Responses, len(rq.TopicData))
	p.waiting, p.question, p.verifies = p.waiting[:0], membership{places: p.question.places[:0]}, false
}

// append appends every batch of the request and returns the first failure.
func (p *produce) append(rq *wire.ProduceRequest) (failed error) {
	refusal := p.refusal(rq)
	if refusal == nil {
		refusal = p.verify(rq)
	}
	verified := p.question.places
	for i := range rq.TopicData {
		topic, out := &rq.TopicData[i], &p.response.Responses[i]
		out.Reset()
		out.Name, out.TopicID = topic.Name, topic.TopicID
		name, err := p.api.topicName(topic.Name, topic.TopicID, p.call.version >= 13)
		if err == nil {
			err = refusal
		}
		if err == nil && kafka.IsInternalTopic(name) && p.call.Session().ClientID != adminClient {
			err = kafka.Errorf(kafka.InvalidTopicException, "clients may not write to the internal topic %s", name)
		}
		out.PartitionResponses = resize(out.PartitionResponses, len(topic.PartitionData))
		for j := range topic.PartitionData {
			answer := &out.PartitionResponses[j]
			answer.Reset()
			answer.Index = topic.PartitionData[j].Index
			answer.BaseOffset, answer.LogStartOffset, answer.LogAppendTimeMs = -1, -1, -1
			partitionErr := err
			var guard producerstate.Guard
			if len(verified) > 0 {
				guard = verified[0].guard
				if err == nil {
					partitionErr = verified[0].err
				}
				verified = verified[1:]
			}
			if partitionErr == nil {
				partitionErr = p.appendTo(name, topic.TopicID, topic.PartitionData[j].Records, rq.Acks, guard, answer)
			}
			if partitionErr != nil {
				p.fail(answer, name, partitionErr)
				failed = partitionErr
			}
		}
	}
	return failed
}

// refusal is what is wrong with the request as a whole.
func (p *produce) refusal(rq *wire.ProduceRequest) error {
	if rq.Acks < -1 || rq.Acks > 1 {
		return kafka.Errorf(kafka.InvalidRequiredAcks, "acks is %d; it can be -1 (all in-sync replicas), 0 or 1", rq.Acks)
	}
	if hasTransactionalRecords(rq) {
		if rq.TransactionalID == nil {
			return kafka.Errorf(kafka.TransactionalIDAuthorizationFailed, "records of a transaction came in a request without a transactional id")
		}
	}
	return nil
}

// appendTo appends one batch to one partition.
func (p *produce) appendTo(topic string, id kafka.UUID, records []byte, acks int16, guard producerstate.Guard, answer *wire.ProduceResponsePartitionProduceResponse) error {
	to, err := p.api.Partitions.Get(topic, answer.Index)
	if err != nil {
		return err
	}
	if p.call.version >= 13 && to.TopicID() != id {
		return kafka.Errorf(kafka.UnknownTopicID, "topic %s has another id here than %s", topic, id)
	}
	done, err := to.Append(partition.Append{
		Records: records, Acks: acks, ProduceVersion: p.call.version, Now: p.call.Received(), Verify: p.verifies, Guard: guard,
	})
	if err != nil {
		return err
	}
	answer.BaseOffset, answer.LogStartOffset, answer.LogAppendTimeMs = done.BaseOffset, done.StartOffset, done.AppendTime
	if acks == -1 || acks == 1 && done.FlushDue {
		p.waiting = append(p.waiting, appended{to, done.LeaderEpoch, done.NextOffset, acks == 1, answer})
	}
	return nil
}

// fail fills in an error.
func (p *produce) fail(answer *wire.ProduceResponsePartitionProduceResponse, topic string, err error) {
	answer.ErrorCode = codeOf(err)
	answer.ErrorMessage = kafka.MessageOf(err)
	answer.BaseOffset, answer.LogAppendTimeMs, answer.LogStartOffset = -1, -1, -1
	if invalid, ok := err.(*record.InvalidError); ok {
		for _, r := range invalid.RecordErrors {
			answer.RecordErrors = append(answer.RecordErrors, wire.ProduceResponseBatchIndexAndErrorMessage{BatchIndex: r.BatchIndex, BatchIndexErrorMessage: &r.Message})
		}
	}
	if kafka.ErrorCode(answer.ErrorCode) == kafka.NotLeaderOrFollower && p.call.version >= 10 {
		leader, epoch, endpoint := p.api.leaderOf(p.call, kafka.TopicPartition{Topic: topic, Partition: answer.Index})
		answer.CurrentLeader.LeaderID, answer.CurrentLeader.LeaderEpoch = leader, epoch
		if endpoint != nil && !slices.ContainsFunc(p.response.NodeEndpoints, func(n wire.ProduceResponseNodeEndpoint) bool { return n.NodeID == endpoint.node }) {
			p.response.NodeEndpoints = append(p.response.NodeEndpoints, wire.ProduceResponseNodeEndpoint{
				NodeID: endpoint.node, Host: endpoint.host, Port: endpoint.port, Rack: endpoint.rack})
		}
	}
}

// await answers once every append is committed, or after the request's timeout.
func (p *produce) await(timeout time.Duration) {
	p.pending.Store(int32(len(p.waiting)) + 1)
	for i := range p.waiting {
		w := &p.waiting[i]
		if w.flush {
			w.partition.AwaitFlush(w.epoch, w.next, p, i)
		} else {
			w.partition.Await(w.epoch, w.next, p, i)
		}
	}
	// Only now, so that the timeout finds every append that waits.
	if p.pending.Load() > 1 {
		p.api.metrics.waitingProduces.Add(1)
		p.timed = true
		p.api.deadlines.add(&p.expiry, time.Now().Add(timeout), p)
	}
	p.done()
}

// Committed implements partition.Committed.
func (p *produce) Committed(tag int, err error) {
	w := &p.waiting[tag]
	if err == nil && !w.flush {
		err = w.partition.EnoughReplicas()
	}
	if err != nil {
		p.failing.Lock()
		p.fail(w.answer, w.partition.Name().Topic, err)
		p.failing.Unlock()
	}
	p.done()
}

// done takes one off pending, and answers when it was the last. The caller touches p no more.
func (p *produce) done() {
	if p.pending.Add(-1) != 0 {
		return
	}
	if p.timed {
		p.timed = false
		p.api.deadlines.remove(&p.expiry)
		p.api.metrics.waitingProduces.Add(-1)
	}
	p.reply()
}

// expired implements expiring: partitions that are not committed yet get REQUEST_TIMED_OUT, though their records are in
// the log and may still be committed.
func (p *produce) expired() {
	for i := range p.waiting {
		w := &p.waiting[i]
		if w.partition.Abandon(p, i) {
			p.Committed(i, kafka.Errorf(kafka.RequestTimedOut,
				"the records of %s were written but not committed within the request's timeout (request.timeout.ms of the producer)", w.partition.Name()))
		}
	}
	p.done()
}

// retain implements expiring.
func (p *produce) retain() bool {
	for {
		n := p.pending.Load()
		if n == 0 {
			return false
		}
		if p.pending.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (p *produce) reply() {
	p.call.Reply(&p.response)
	p.recycle()
}

func (p *produce) recycle() {
	a := p.api
	p.api, p.call = nil, Call{}
	clear(p.waiting)
	clear(p.question.places)
	p.question.transactionalID, p.question.client = "", causes.Client{}
	a.produces.Put(p)
}

// resize returns a slice of n elements that keeps the memory of its elements.
func resize[T any](s []T, n int) []T {
	if n <= cap(s) {
		return s[:n]
	}
	return append(s[:cap(s)], make([]T, n-cap(s))...)
}
