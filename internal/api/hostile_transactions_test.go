package api

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// transactionVandal asks for everything that has to do with transactions, with ids and epochs that are right by chance.
type transactionVandal struct {
	*rand.Rand
	topic kafka.UUID
	known *knownProducers
}

// knownProducers are what somebody was told last of each transactional id.
type knownProducers struct {
	sync.Mutex
	byID map[string]statemachine.Producer
	good map[string]int // requests that succeeded
}

// note remembers what an answer tells.
func (k *knownProducers) note(name string, rq, response wire.Message) {
	k.Lock()
	defer k.Unlock()
	if succeeded(response) {
		k.good[name]++
	}
	switch m := response.(type) {
	case *wire.InitProducerIdResponse:
		if m.ErrorCode == 0 {
			k.byID[*rq.(*wire.InitProducerIdRequest).TransactionalID] = statemachine.Producer{ID: m.ProducerID, Epoch: m.ProducerEpoch}
		}
	case *wire.EndTxnResponse:
		if m.ErrorCode == 0 && m.ProducerID >= 0 {
			k.byID[rq.(*wire.EndTxnRequest).TransactionalID] = statemachine.Producer{ID: m.ProducerID, Epoch: m.ProducerEpoch}
		}
	}
}

// producer is mostly the right one.
func (v *transactionVandal) producer(id string) (pid int64, epoch int16) {
	v.known.Lock()
	defer v.known.Unlock()
	p, known := v.known.byID[id]
	if !known || v.IntN(8) == 0 {
		return v.Int64N(4), int16(v.IntN(12)) - 1
	}
	return p.ID, p.Epoch + int16(v.IntN(6)/5)
}

func (v *transactionVandal) id() string     { return fmt.Sprint("id-", v.IntN(3)) }
func (v *transactionVandal) parts() []int32 { return []int32{v.Int32N(3), v.Int32N(2)} }

func (v *transactionVandal) batch(t *testing.T, id int64, epoch int16) []byte {
	b := record.NewBuilder(record.BatchOptions{Producer: &record.Producer{ID: id, Epoch: epoch, Sequence: v.Int32N(2)}, Transactional: v.IntN(5) > 0})
	b.Add(1, nil, []byte("x"))
	batch, err := b.Build()
	if err != nil {
		t.Error(err)
	}
	return batch
}

// request is a random one, in a random version of those that are served.
func (v *transactionVandal) request(t *testing.T) wire.Message {
	id := v.id()
	pid, epoch := v.producer(id)
	switch v.IntN(12) {
	case 0:
		rq := &wire.InitProducerIdRequest{TransactionalID: &id, TransactionTimeoutMs: 1 + v.Int32N(2000), ProducerID: -1, ProducerEpoch: -1}
		if v.IntN(2) == 0 {
			rq.ProducerID, rq.ProducerEpoch = pid, epoch
		}
		return rq
	case 1:
		topics := []wire.AddPartitionsToTxnRequestAddPartitionsToTxnTopic{{Name: "t", Partitions: v.parts()}}
		if v.IntN(2) == 0 { // of old versions
			return &wire.AddPartitionsToTxnRequest{V3AndBelowTransactionalID: id, V3AndBelowProducerID: pid, V3AndBelowProducerEpoch: epoch, V3AndBelowTopics: topics}
		}
		return &wire.AddPartitionsToTxnRequest{Transactions: []wire.AddPartitionsToTxnRequestAddPartitionsToTxnTransaction{
			{TransactionalID: id, ProducerID: pid, ProducerEpoch: epoch, VerifyOnly: v.IntN(2) == 0, Topics: topics},
		}}
	case 2:
		return &wire.AddOffsetsToTxnRequest{TransactionalID: id, ProducerID: pid, ProducerEpoch: epoch, GroupID: "g"}
	case 3:
		return &wire.EndTxnRequest{TransactionalID: id, ProducerID: pid, ProducerEpoch: epoch, Committed: v.IntN(2) == 0}
	case 4:
		rq := &wire.TxnOffsetCommitRequest{TransactionalID: id, GroupID: "g", ProducerID: pid, ProducerEpoch: epoch, GenerationID: -1}
		rq.Topics = []wire.TxnOffsetCommitRequestTopic{{Name: "t", Partitions: []wire.TxnOffsetCommitRequestPartition{{PartitionIndex: v.Int32N(3), CommittedOffset: v.Int64N(9)}}}}
		return rq
	case 5:
		return &wire.DescribeTransactionsRequest{TransactionalIDs: []string{id, "id-9"}}
	case 6:
		return &wire.ListTransactionsRequest{DurationFilter: -1}
	}
	return &wire.ProduceRequest{TransactionalID: &id, Acks: -1, TimeoutMs: 30_000, TopicData: []wire.ProduceRequestTopicProduceData{{
		Name: "t", TopicID: v.topic, PartitionData: []wire.ProduceRequestPartitionProduceData{{Index: v.Int32N(3), Records: v.batch(t, pid, epoch)}},
	}}}
}

// Whatever clients ask for, and in what order: every request is answered, and no transaction hangs. When their producers are
// initialized again, or their time is over, all that was written can be read by consumers of committed records.
func TestNoRequestsMakeATransactionHang(t *testing.T) {
	w := newWorld(t, vfs.NewMemory(), "auto.create.topics.enable=false", "transaction.abort.timed.out.transaction.cleanup.interval.ms=50")
	topic := w.create(w.dial(), "t", 3)
	for keyType := range int8(2) { // groups and transactions
		w.awaitCoordinator(t, keyType)
	}
	var vandals sync.WaitGroup
	known := &knownProducers{byID: map[string]statemachine.Producer{}, good: map[string]int{}}
	for seed := range uint64(3) {
		c := w.dial()
		v := &transactionVandal{rand.New(rand.NewPCG(seed, 8)), topic, known}
		vandals.Go(func() {
			for range 1500 {
				rq := v.request(t)
				row := w.api.row(rq.Key())
				version := row.Min + int16(v.IntN(int(row.Max-row.Min)+1))
				if row.Name == "Produce" && v.IntN(2) == 0 {
					version = row.Max // whose partitions are added by producing
				}
				if _, ok := encode(rq, version); !ok {
					continue // a field that the version does not have
				}
				response := wire.NewResponse(rq.Key())
				if err := c.tryReceive(c.send(rq, version), response, version); err != nil {
					t.Errorf("%T version %d: %v", rq, version, err)
					return
				}
				known.note(row.Name, rq, response)
			}
		})
	}
	vandals.Wait()
	if t.Failed() {
		return
	}
	for _, name := range []string{"InitProducerId", "AddPartitionsToTxn", "AddOffsetsToTxn", "EndTxn", "TxnOffsetCommit", "Produce"} {
		if known.good[name] < 5 {
			t.Errorf("%s succeeded %d times: %v", name, known.good[name], known.good)
		}
	}
	t.Log(known.good)
	w.awaitStable(t, 3)
}

// awaitCoordinator waits until the internal topic is there and its coordinators answer.
func (w *world) awaitCoordinator(t *testing.T, keyType int8) {
	t.Helper()
	c := w.dial()
	rq := &wire.FindCoordinatorRequest{KeyType: keyType, CoordinatorKeys: []string{"id-0", "id-1", "id-2", "g"}}
	for deadline := time.Now().Add(answerLimit); ; time.Sleep(time.Millisecond) {
		missing := 0
		for _, found := range ask[wire.FindCoordinatorResponse](c, rq, 4).Coordinators {
			if found.ErrorCode != 0 {
				missing++
			}
		}
		if missing == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of 4 keys of type %d have no coordinator", missing, keyType)
		}
	}
}

// succeeded reports whether the only thing that was asked for was done.
func succeeded(response wire.Message) bool {
	code := kafka.None
	switch m := response.(type) {
	case *wire.InitProducerIdResponse:
		code = kafka.ErrorCode(m.ErrorCode)
	case *wire.AddOffsetsToTxnResponse:
		code = kafka.ErrorCode(m.ErrorCode)
	case *wire.EndTxnResponse:
		code = kafka.ErrorCode(m.ErrorCode)
	case *wire.TxnOffsetCommitResponse:
		code = kafka.ErrorCode(m.Topics[0].Partitions[0].ErrorCode)
	case *wire.AddPartitionsToTxnResponse:
		for _, x := range m.ResultsByTransaction {
			code = kafka.ErrorCode(x.TopicResults[0].ResultsByPartition[0].PartitionErrorCode)
		}
		for _, x := range m.ResultsByTopicV3AndBelow {
			code = kafka.ErrorCode(x.ResultsByPartition[0].PartitionErrorCode)
		}
	case *wire.ProduceResponse:
		code = kafka.ErrorCode(m.Responses[0].PartitionResponses[0].ErrorCode)
	}
	return code == kafka.None
}

// awaitStable waits until nothing on the topic's partitions is undecided, and the offsets of the group are not either.
func (w *world) awaitStable(t *testing.T, partitions int32) {
	t.Helper()
	c := w.dial()
	deadline := time.Now().Add(answerLimit)
	for p := int32(0); p < partitions; {
		part, err := w.partitions.Get("t", p)
		if err != nil {
			t.Fatal(err)
		}
		switch stable, end := part.Log().LastStableOffset(), part.Log().EndOffset(); {
		case stable == end:
			p++
		case time.Now().After(deadline):
			t.Fatalf("partition %d is stable up to %d, its end is %d: %+v", p, stable, end, part.Log().Producers())
		default:
			time.Sleep(10 * time.Millisecond)
		}
	}
	rq := &wire.OffsetFetchRequest{RequireStable: true, Groups: []wire.OffsetFetchRequestGroup{{GroupID: "g"}}}
	for {
		answer := ask[wire.OffsetFetchResponse](c, rq, 8)
		unstable := 0
		for _, topic := range answer.Groups[0].Topics {
			for _, p := range topic.Partitions {
				if kafka.ErrorCode(p.ErrorCode) == kafka.UnstableOffsetCommit {
					unstable++
				}
			}
		}
		if unstable == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("offsets stay unstable: %+v", answer.Groups[0])
		}
		time.Sleep(10 * time.Millisecond)
	}
}
