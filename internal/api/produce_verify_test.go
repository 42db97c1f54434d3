package api

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// inTransaction is a batch of one record of a producer's transaction.
func inTransaction(t testing.TB, producer int64, epoch int16, sequence int32, value string) []byte {
	t.Helper()
	b := record.NewBuilder(record.BatchOptions{Producer: &record.Producer{ID: producer, Epoch: epoch, Sequence: sequence}, Transactional: true})
	b.Add(time.Now().UnixMilli(), nil, []byte(value))
	built, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return built
}

func transactionalProduce(id string, batches map[int32][]byte) *wire.ProduceRequest {
	rq := produceRequest(-1, answerLimit, "t", kafka.ZeroUUID, batches)
	rq.TransactionalID = &id
	return rq
}

// initialized is a producer id for a transactional id.
func (w *world) initialized(c *client, id string) int64 {
	w.t.Helper()
	w.coordinates(c, id)
	answer := ask[wire.InitProducerIdResponse](c, initRequest(id), 5)
	if answer.ErrorCode != 0 {
		w.t.Fatal(kafka.ErrorCode(answer.ErrorCode))
	}
	return answer.ProducerID
}

func codesOf(answer *wire.ProduceResponse) (codes []kafka.ErrorCode) {
	for _, p := range answer.Responses[0].PartitionResponses {
		codes = append(codes, kafka.ErrorCode(p.ErrorCode))
	}
	return codes
}

// What a producer sends before it has an answer stays behind the batch whose partition is being asked about.
func TestFirstBatchesOfATransactionKeepTheirOrder(t *testing.T) {
	for _, version := range []int16{11, 12} {
		w := newWorld(t, vfs.NewMemory())
		c := w.dial()
		w.create(c, "t", 1)
		id := w.initialized(c, "a")
		if version < 12 {
			ask[wire.AddPartitionsToTxnResponse](c, addRequest("a", id, 0, "t", 0), 3)
		}
		var sent []int32
		for sequence := range int32(10) {
			sent = append(sent, c.send(transactionalProduce("a", map[int32][]byte{0: inTransaction(t, id, 0, sequence, "x")}), version))
		}
		for i, correlation := range sent {
			answer := new(wire.ProduceResponse)
			c.receive(correlation, answer, version)
			if p := answer.Responses[0].PartitionResponses[0]; p.ErrorCode != 0 || p.BaseOffset != int64(i) {
				t.Errorf("version %d, batch %d is at %d with %v", version, i, p.BaseOffset, kafka.ErrorCode(p.ErrorCode))
			}
		}
	}
}

// Until a partition was asked about, nothing of a transaction gets into it.
func TestPartitionsAskAboutTransactions(t *testing.T) {
	for _, test := range []struct {
		verifies string
		version  int16
		want     kafka.ErrorCode
	}{
		{"true", 9, kafka.InvalidTxnState},
		{"true", 10, kafka.InvalidTxnState},
		{"true", 11, kafka.TransactionAbortable},
		{"true", 12, kafka.None},
		{"false", 10, kafka.None},
		{"false", 11, kafka.None},
		{"false", 12, kafka.None},
	} {
		t.Run(fmt.Sprint(test.version, " ", test.verifies), func(t *testing.T) {
			w := newWorld(t, vfs.NewMemory(), "transaction.partition.verification.enable="+test.verifies)
			c := w.dial()
			w.create(c, "t", 2)
			id := w.initialized(c, "a")
			ask[wire.AddPartitionsToTxnResponse](c, addRequest("a", id, 0, "t", 1), 3)
			rq := transactionalProduce("a", map[int32][]byte{0: inTransaction(t, id, 0, 0, "x")})
			for range 2 { // an answer does not outlive its request
				if got := codesOf(ask[wire.ProduceResponse](c, rq, test.version)); got[0] != test.want {
					t.Errorf("%v, want %v", got, test.want)
				}
			}
			state := ask[wire.DescribeTransactionsResponse](c, &wire.DescribeTransactionsRequest{TransactionalIDs: []string{"a"}}, 0).TransactionStates[0]
			if added := slices.Contains(state.Topics[0].Partitions, 0); added != (test.version >= 12) {
				t.Errorf("partitions %v", state.Topics[0].Partitions)
			}
			if test.version < 12 {
				return
			}
			other := transactionalProduce("stranger", map[int32][]byte{1: inTransaction(t, id, 0, 0, "x")})
			if got := codesOf(ask[wire.ProduceResponse](c, other, test.version)); got[0] == kafka.None {
				t.Error("a transactional id that nobody has initialized adds a partition")
			}
		})
	}
}

// What a producer is told of what the coordinator said: it tries again what may go well then.
func TestCoordinatorErrorsForProducers(t *testing.T) {
	for _, test := range []struct {
		said, old, adding kafka.ErrorCode
	}{
		{kafka.None, kafka.None, kafka.None},
		{kafka.NotCoordinator, kafka.NotEnoughReplicas, kafka.NotEnoughReplicas},
		{kafka.CoordinatorNotAvailable, kafka.NotEnoughReplicas, kafka.NotEnoughReplicas},
		{kafka.OperationNotAttempted, kafka.NotEnoughReplicas, kafka.NotEnoughReplicas},
		{kafka.ConcurrentTransactions, kafka.NotEnoughReplicas, kafka.ConcurrentTransactions},
		{kafka.UnknownTopicOrPartition, kafka.UnknownTopicOrPartition, kafka.UnknownTopicOrPartition},
		{kafka.InvalidProducerEpoch, kafka.InvalidProducerEpoch, kafka.InvalidProducerEpoch},
	} {
		var err error
		if test.said != kafka.None {
			err = test.said
		}
		if old, adding := kafka.CodeOf(defaultErrors.forProduce(err)), kafka.CodeOf(addsPartitions.forProduce(err)); old != test.old || adding != test.adding {
			t.Errorf("%v is told as %v and %v, want %v and %v", test.said, old, adding, test.old, test.adding)
		}
	}
}

// The partitions of a request are asked about together: they belong to one producer. The first producer id is 0.
func TestRecordsOfTwoProducers(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	c := w.dial()
	w.create(c, "t", 2)
	first, second := w.initialized(c, "a"), w.initialized(c, "b")
	rq := transactionalProduce("b", nil)
	for i, id := range []int64{first, second} {
		rq.TopicData[0].PartitionData = append(rq.TopicData[0].PartitionData, wire.ProduceRequestPartitionProduceData{
			Index: int32(i), Records: inTransaction(t, id, 0, 0, "x"),
		})
	}
	if got := codesOf(ask[wire.ProduceResponse](c, rq, 12)); first != 0 || got[0] != kafka.InvalidProducerIDMapping || got[1] != got[0] {
		t.Errorf("producers %d and %d: %v", first, second, got)
	}
}

// While the coordinator's log is slow, its producers wait, other connections do not, and a stop does not wait for it either.
func TestOnlyTheConnectionOfATransactionWaits(t *testing.T) {
	g := newGate(vfs.NewMemory())
	w := newWorld(t, g)
	c, other := w.dial(), w.dial()
	w.create(c, "t", 1)
	w.create(c, "cached", 1, "write.caching", "true")
	id := w.initialized(c, "a")
	g.shut()
	defer g.reopen()
	sent := c.send(transactionalProduce("a", map[int32][]byte{0: inTransaction(t, id, 0, 0, "x")}), 12)
	c.silent(20 * time.Millisecond)
	if p := other.produce("cached", -1, "a"); p.ErrorCode != 0 {
		t.Error(kafka.ErrorCode(p.ErrorCode))
	}
	w.txns.Stop(kafka.NotCoordinator)
	answer := new(wire.ProduceResponse)
	c.receive(sent, answer, 12)
	if got := codesOf(answer); got[0] != kafka.NotEnoughReplicas {
		t.Errorf("%v", got)
	}
}

// A partition whose transaction ends while the request's other partitions are asked about does not take the rest of it: nobody
// would end the transaction that begins so.
func TestATransactionEndsWhileItsProducerWaits(t *testing.T) {
	g := newGate(vfs.NewMemory())
	w := newWorld(t, g)
	c, other := w.dial(), w.dial()
	w.create(c, "t", 2)
	id := w.initialized(c, "a")
	if got := codesOf(ask[wire.ProduceResponse](c, transactionalProduce("a", map[int32][]byte{1: inTransaction(t, id, 0, 0, "x")}), 12)); got[0] != kafka.None {
		t.Fatal(got)
	}
	g.shut()
	open := sync.OnceFunc(g.reopen)
	defer open()
	rq := transactionalProduce("a", nil)
	for i := range int32(2) {
		rq.TopicData[0].PartitionData = append(rq.TopicData[0].PartitionData, wire.ProduceRequestPartitionProduceData{
			Index: i, Records: inTransaction(t, id, 0, i, "y"), // the first of partition 0, and the second of partition 1
		})
	}
	sent := c.send(rq, 12)
	c.silent(20 * time.Millisecond)
	other.send(&wire.WriteTxnMarkersRequest{Markers: []wire.WriteTxnMarkersRequestWritableTxnMarker{{
		ProducerID: id, Topics: []wire.WriteTxnMarkersRequestWritableTxnMarkerTopic{{Name: "t", PartitionIndexes: []int32{1}}},
	}}}, 1)
	look := &wire.DescribeProducersRequest{Topics: []wire.DescribeProducersRequestTopicRequest{{Name: "t", PartitionIndexes: []int32{1}}}}
	third := w.dial()
	for end := time.Now().Add(answerLimit); ; time.Sleep(time.Millisecond) {
		producers := ask[wire.DescribeProducersResponse](third, look, 0).Topics[0].Partitions[0].ActiveProducers
		if len(producers) == 1 && producers[0].CurrentTxnStartOffset == -1 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the marker is never written: %+v", producers)
		}
	}
	open()
	answer := new(wire.ProduceResponse)
	c.receive(sent, answer, 12)
	if got := codesOf(answer); got[0] != kafka.None || got[1] != kafka.InvalidTxnState {
		t.Errorf("%v", got)
	}
}
