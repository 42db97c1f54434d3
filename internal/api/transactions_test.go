package api

import (
	"fmt"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// coordinates waits until this broker coordinates a transactional id.
func (w *world) coordinates(c *client, id string) {
	w.t.Helper()
	ask[wire.FindCoordinatorResponse](c, &wire.FindCoordinatorRequest{KeyType: transactionKey, CoordinatorKeys: []string{id}}, 4)
	for end := time.Now().Add(answerLimit); ; time.Sleep(time.Millisecond) {
		answer := ask[wire.DescribeTransactionsResponse](c, &wire.DescribeTransactionsRequest{TransactionalIDs: []string{id}}, 0)
		if kafka.ErrorCode(answer.TransactionStates[0].ErrorCode) != kafka.CoordinatorLoadInProgress {
			return
		}
		if time.Now().After(end) {
			w.t.Fatal("the coordinator never loads")
		}
	}
}

func initRequest(id string) *wire.InitProducerIdRequest {
	rq := new(wire.InitProducerIdRequest)
	rq.Reset()
	rq.TransactionalID, rq.TransactionTimeoutMs = &id, 60_000
	return rq
}

func addRequest(id string, producer int64, epoch int16, topic string, partitions ...int32) *wire.AddPartitionsToTxnRequest {
	return &wire.AddPartitionsToTxnRequest{
		V3AndBelowTransactionalID: id, V3AndBelowProducerID: producer, V3AndBelowProducerEpoch: epoch,
		V3AndBelowTopics: []wire.AddPartitionsToTxnRequestAddPartitionsToTxnTopic{{Name: topic, Partitions: partitions}},
	}
}

func TestTransactionFromBeginToEnd(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	c := w.dial()
	w.create(c, "t", 2)
	if got := ask[wire.InitProducerIdResponse](c, initRequest("a"), 5); kafka.ErrorCode(got.ErrorCode) != kafka.NotCoordinator || got.ProducerID != -1 {
		t.Errorf("without the internal topic: %+v", got)
	}
	for _, version := range []int16{1, 3, 4, 6} {
		rq := &wire.FindCoordinatorRequest{KeyType: transactionKey, CoordinatorKey: "a"}
		if version >= 4 {
			rq.CoordinatorKey, rq.CoordinatorKeys = "", []string{"a", "b"}
		}
		got := ask[wire.FindCoordinatorResponse](c, rq, version)
		if version < 4 && (got.ErrorCode != 0 || got.NodeID != testNode) || version >= 4 && (len(got.Coordinators) != 2 || got.Coordinators[1].ErrorCode != 0) {
			t.Errorf("FindCoordinator version %d: %+v", version, got)
		}
	}
	if topic := w.store.Current().Topic(kafka.TransactionsTopic); len(topic.Partitions) != 3 {
		t.Errorf("%d partitions", len(topic.Partitions))
	}
	if got := w.store.Current().TopicConfig(kafka.TransactionsTopic)["unclean.leader.election.enable"]; got != "false" {
		t.Errorf("unclean.leader.election.enable=%s", got)
	}
	w.coordinates(c, "a")
	producer := ask[wire.InitProducerIdResponse](c, initRequest("a"), 5)
	if producer.ErrorCode != 0 || producer.ProducerID < 0 || producer.ProducerEpoch != 0 {
		t.Fatalf("%+v", producer)
	}
	id := producer.ProducerID
	for _, p := range ask[wire.AddPartitionsToTxnResponse](c, addRequest("a", id, 0, "t", 1, 5), 3).ResultsByTopicV3AndBelow[0].ResultsByPartition {
		if want := map[int32]kafka.ErrorCode{1: kafka.OperationNotAttempted, 5: kafka.UnknownTopicOrPartition}[p.PartitionIndex]; kafka.ErrorCode(p.PartitionErrorCode) != want {
			t.Errorf("partition %d: %v", p.PartitionIndex, kafka.ErrorCode(p.PartitionErrorCode))
		}
	}
	if got := ask[wire.AddPartitionsToTxnResponse](c, addRequest("a", id, 0, "t", 1), 3); got.ResultsByTopicV3AndBelow[0].ResultsByPartition[0].PartitionErrorCode != 0 {
		t.Errorf("%+v", got)
	}
	described := ask[wire.DescribeTransactionsResponse](c, &wire.DescribeTransactionsRequest{TransactionalIDs: []string{"a"}}, 0).TransactionStates[0]
	if described.TransactionState != "Ongoing" || fmt.Sprint(described.Topics[0].Partitions) != "[1]" {
		t.Errorf("%+v", described)
	}
	if got := ask[wire.EndTxnResponse](c, &wire.EndTxnRequest{TransactionalID: "a", ProducerID: id, Committed: true}, 5); got.ErrorCode != 0 || got.ProducerID != id || got.ProducerEpoch != 1 {
		t.Errorf("%+v", got)
	}
	complete := &wire.ListTransactionsRequest{DurationFilter: -1, StateFilters: []string{"CompleteCommit", "Mad"}}
	list := ask[wire.ListTransactionsResponse](c, complete, 2)
	for end := time.Now().Add(answerLimit); len(list.TransactionStates) == 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
		list = ask[wire.ListTransactionsResponse](c, complete, 2) // EndTxn was answered before the markers were written
	}
	if len(list.TransactionStates) != 1 || list.TransactionStates[0].TransactionalID != "a" || fmt.Sprint(list.UnknownStateFilters) != "[Mad]" {
		t.Errorf("%+v", list)
	}
}

// Older clients know a fenced producer by another code.
func TestFencedProducersOfOldClients(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	c := w.dial()
	w.create(c, "t", 1)
	w.coordinates(c, "a")
	id := ask[wire.InitProducerIdResponse](c, initRequest("a"), 5).ProducerID
	again := initRequest("a")
	again.ProducerID, again.ProducerEpoch = id, 9
	for version, want := range map[int16]kafka.ErrorCode{3: kafka.InvalidProducerEpoch, 4: kafka.ProducerFenced, 5: kafka.ProducerFenced} {
		if got := kafka.ErrorCode(ask[wire.InitProducerIdResponse](c, again, version).ErrorCode); got != want {
			t.Errorf("InitProducerId version %d: %v", version, got)
		}
	}
	for version := range int16(5) {
		want := kafka.ProducerFenced
		if version < 2 {
			want = kafka.InvalidProducerEpoch
		}
		got := map[string]int16{
			"EndTxn":          ask[wire.EndTxnResponse](c, &wire.EndTxnRequest{TransactionalID: "a", ProducerID: id, ProducerEpoch: 9}, version).ErrorCode,
			"AddOffsetsToTxn": ask[wire.AddOffsetsToTxnResponse](c, &wire.AddOffsetsToTxnRequest{TransactionalID: "a", ProducerID: id, ProducerEpoch: 9, GroupID: "g"}, version).ErrorCode,
		}
		if version < 4 {
			added := ask[wire.AddPartitionsToTxnResponse](c, addRequest("a", id, 9, "t", 0), version)
			got["AddPartitionsToTxn"] = added.ResultsByTopicV3AndBelow[0].ResultsByPartition[0].PartitionErrorCode
		}
		for api, code := range got {
			if kafka.ErrorCode(code) != want {
				t.Errorf("%s version %d: %v", api, version, kafka.ErrorCode(code))
			}
		}
	}
}

// Brokers ask for several transactions at once.
func TestTransactionsInOneRequest(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	c := w.dial()
	w.create(c, "t", 2)
	rq := new(wire.AddPartitionsToTxnRequest)
	if got := ask[wire.AddPartitionsToTxnResponse](c, rq, 4); len(got.ResultsByTransaction) != 0 {
		t.Errorf("%+v", got)
	}
	for i, id := range []string{"a", "b", "c", "d"} {
		w.coordinates(c, id)
		rq.Transactions = append(rq.Transactions, wire.AddPartitionsToTxnRequestAddPartitionsToTxnTransaction{
			TransactionalID: id, ProducerID: ask[wire.InitProducerIdResponse](c, initRequest(id), 5).ProducerID, VerifyOnly: i == 3,
			Topics: []wire.AddPartitionsToTxnRequestAddPartitionsToTxnTopic{{Name: "t", Partitions: []int32{int32(i) % 3}}},
		})
	}
	want := []kafka.ErrorCode{kafka.None, kafka.None, kafka.UnknownTopicOrPartition, kafka.TransactionAbortable}
	for i, got := range ask[wire.AddPartitionsToTxnResponse](c, rq, 5).ResultsByTransaction {
		code := kafka.ErrorCode(got.TopicResults[0].ResultsByPartition[0].PartitionErrorCode)
		if got.TransactionalID != rq.Transactions[i].TransactionalID || code != want[i] {
			t.Errorf("%s: %v, want %v", got.TransactionalID, code, want[i])
		}
	}
}

// Two-phase commit is in a version that is only served on request.
func TestTwoPhaseCommit(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	c := w.dial()
	c.send(initRequest("a"), 6)
	c.ended()

	w = newWorld(t, vfs.NewMemory(), "unstable.api.versions.enable=true")
	c = w.dial()
	w.coordinates(c, "a")
	rq := initRequest("a")
	rq.Enable2Pc = true
	if got := ask[wire.InitProducerIdResponse](c, rq, 6); kafka.ErrorCode(got.ErrorCode) != kafka.TransactionalIDAuthorizationFailed {
		t.Errorf("%+v", got)
	}
	rq.Enable2Pc, rq.KeepPreparedTxn = false, true
	if got := ask[wire.InitProducerIdResponse](c, rq, 6); kafka.ErrorCode(got.ErrorCode) != kafka.UnsupportedVersion {
		t.Errorf("%+v", got)
	}
	w = newWorld(t, vfs.NewMemory(), "unstable.api.versions.enable=true", "transaction.two.phase.commit.enable=true")
	c = w.dial()
	w.coordinates(c, "a")
	rq = initRequest("a")
	rq.Enable2Pc, rq.TransactionTimeoutMs = true, 0
	if got := ask[wire.InitProducerIdResponse](c, rq, 6); got.ErrorCode != 0 || got.OngoingTxnProducerID != -1 || got.OngoingTxnProducerEpoch != -1 {
		t.Errorf("%+v", got)
	}
	if got := ask[wire.DescribeTransactionsResponse](c, &wire.DescribeTransactionsRequest{TransactionalIDs: []string{"a"}}, 0); got.TransactionStates[0].TransactionTimeoutMs != 1<<31-1 {
		t.Errorf("%+v", got)
	}
}
