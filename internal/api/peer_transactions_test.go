package api

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/txn"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// elsewhere publishes a topic whose partitions have these leaders.
func (w *world) elsewhere(name string, leaders ...int32) {
	w.t.Helper()
	delta := w.store.Current().Change()
	id := kafka.NewUUID()
	if err := delta.Replay(&wire.TopicRecord{Name: name, TopicID: id}); err != nil {
		w.t.Fatal(err)
	}
	for i, leader := range leaders {
		record := new(wire.PartitionRecord)
		record.Reset()
		record.PartitionID, record.TopicID, record.Leader = int32(i), id, leader
		record.Replicas, record.Isr = []int32{2, 3}, []int32{2, 3}
		record.Directories = []kafka.UUID{kafka.OneUUID, kafka.OneUUID}
		if err := delta.Replay(record); err != nil {
			w.t.Fatal(err)
		}
	}
	w.store.Publish(delta.Apply(w.store.Current().Offset()+1, 1), nil)
}

// Markers go to the brokers that lead, one request each; the outcomes come back in the order of the partitions.
func TestMarkersForOtherBrokers(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	c := w.dial()
	w.create(c, "here", 1)
	w.elsewhere("far", 2, 3, 2, -1)
	asked := map[int32]string{}
	w.api.Peer = func(node int32, request, response wire.Message, done func(error)) {
		if node == 3 {
			done(errors.New("cut"))
			return
		}
		m := request.(*wire.WriteTxnMarkersRequest).Markers[0]
		asked[node] = fmt.Sprintf("%v %v %v %v %v %v", m.ProducerID, m.ProducerEpoch, m.TransactionResult, m.CoordinatorEpoch, m.TransactionVersion, m.Topics)
		response.(*wire.WriteTxnMarkersResponse).Markers = []wire.WriteTxnMarkersResponseWritableTxnMarkerResult{{
			ProducerID: m.ProducerID, Topics: []wire.WriteTxnMarkersResponseWritableTxnMarkerTopicResult{{
				Name: "far", Partitions: []wire.WriteTxnMarkersResponseWritableTxnMarkerPartitionResult{{PartitionIndex: 0}, {PartitionIndex: 2, ErrorCode: int16(kafka.NotLeaderOrFollower)}},
			}},
		}}
		done(nil)
	}
	places := []kafka.TopicPartition{{Topic: "far"}, {Topic: "here"}, {Topic: "far", Partition: 1}, {Topic: "far", Partition: 2}, {Topic: "far", Partition: 3}, {Topic: "gone"}}
	outcome := make(chan []error, 1)
	w.api.WriteMarkers(txn.Marker{Producer: statemachine.Producer{ID: 7, Epoch: 4}, CoordinatorEpoch: 9, Commit: true, Version: 2, Partitions: places}, func(errs []error) { outcome <- errs })
	var got []kafka.ErrorCode
	select {
	case errs := <-outcome:
		for _, err := range errs {
			got = append(got, kafka.CodeOf(err))
		}
	case <-time.After(answerLimit):
		t.Fatal("no outcome")
	}
	if want := []kafka.ErrorCode{kafka.None, kafka.None, kafka.NetworkException, kafka.NotLeaderOrFollower, kafka.LeaderNotAvailable, kafka.None}; !slices.Equal(got, want) {
		t.Errorf("outcomes %v, want %v", got, want)
	}
	if want := "7 4 true 9 2 [{far [0 2] []}]"; asked[2] != want {
		t.Errorf("broker 2 was asked %q, want %q", asked[2], want)
	}
}

// A marker that is not committed within request.timeout.ms is told to be late; it is in the log, and counts once it is committed.
func TestMarkersTimeOut(t *testing.T) {
	g := newGate(vfs.NewMemory())
	w := newWorld(t, g, "request.timeout.ms=30")
	c := w.dial()
	w.create(c, "t", 1)
	g.shut()
	outcome := make(chan error, 1)
	m := txn.Marker{Producer: statemachine.Producer{ID: 7}, Commit: true, Partitions: []kafka.TopicPartition{{Topic: "t"}}}
	w.api.WriteMarkers(m, func(errs []error) { outcome <- errors.Join(errs...) })
	select {
	case err := <-outcome:
		if !errors.Is(err, kafka.RequestTimedOut) {
			t.Errorf("a marker that cannot be synced: %v", err)
		}
	case <-time.After(answerLimit):
		t.Fatal("the marker waits for ever")
	}
	g.reopen()
	if p := c.produce("t", -1, "a"); p.BaseOffset != 1 {
		t.Errorf("%+v; the marker is in the log all the same", p)
	}
}

// Markers that another broker sent do not travel on, whoever leads by now: two brokers that take each other for the leader
// would send them to and fro.
func TestMarkersDoNotTravelOn(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	c := w.dial()
	w.create(c, "t", 1)
	w.api.Peer = func(int32, wire.Message, wire.Message, func(error)) { t.Error("it was sent on") }
	delta := w.store.Current().Change()
	change := new(wire.PartitionChangeRecord)
	change.Reset()
	change.TopicID, change.PartitionID, change.Leader = w.store.Current().Topic("t").ID, 0, 2
	if err := delta.Replay(change); err != nil {
		t.Fatal(err)
	}
	w.store.Publish(delta.Apply(w.store.Current().Offset()+1, 1), nil)
	answer := ask[wire.WriteTxnMarkersResponse](c, &wire.WriteTxnMarkersRequest{Markers: []wire.WriteTxnMarkersRequestWritableTxnMarker{{
		ProducerID: 1, Topics: []wire.WriteTxnMarkersRequestWritableTxnMarkerTopic{{Name: "t", PartitionIndexes: []int32{0}}},
	}}}, 1)
	if code := kafka.ErrorCode(answer.Markers[0].Topics[0].Partitions[0].ErrorCode); code != kafka.NotLeaderOrFollower {
		t.Errorf("%v", code)
	}
}

// The coordinator on another broker is asked whether partitions belong to a transaction, as brokers ask (KIP-890).
func TestCoordinatorOnAnotherBroker(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	c := w.dial()
	w.create(c, "t", 2)
	w.elsewhere(kafka.TransactionsTopic, 3, 3, 3)
	for _, test := range []struct {
		name    string
		support transactionSupport
		code    kafka.ErrorCode // of partition 1
		lost    error
		want    string
	}{
		{"adds", addsPartitions, kafka.None, nil, "NONE NONE"},
		{"verifies", abortableErrors, kafka.TransactionAbortable, nil, "NONE TRANSACTION_ABORTABLE"},
		{"old errors", defaultErrors, kafka.TransactionAbortable, nil, "NONE INVALID_TXN_STATE"},
		{"lost", addsPartitions, kafka.None, errors.New("cut"), "NETWORK_EXCEPTION NETWORK_EXCEPTION"},
	} {
		w.api.Peer = func(node int32, request, response wire.Message, done func(error)) {
			tx := request.(*wire.AddPartitionsToTxnRequest).Transactions[0]
			if node != 3 || tx.TransactionalID != "x" || tx.ProducerID != 5 || tx.VerifyOnly != (test.support != addsPartitions) {
				t.Errorf("%s: broker %d is asked %+v", test.name, node, tx)
			}
			response.(*wire.AddPartitionsToTxnResponse).ResultsByTransaction = []wire.AddPartitionsToTxnResponseAddPartitionsToTxnResult{{
				TransactionalID: "x", TopicResults: []wire.AddPartitionsToTxnResponseAddPartitionsToTxnTopicResult{{
					Name: "t", ResultsByPartition: []wire.AddPartitionsToTxnResponseAddPartitionsToTxnPartitionResult{{PartitionIndex: 0}, {PartitionIndex: 1, PartitionErrorCode: int16(test.code)}},
				}},
			}}
			done(test.lost)
		}
		q := &membership{transactionalID: "x", producer: statemachine.Producer{ID: 5}, support: test.support, places: []membershipPlace{
			{TopicPartition: kafka.TopicPartition{Topic: "t"}, asked: true}, {TopicPartition: kafka.TopicPartition{Topic: "t", Partition: 1}, asked: true},
		}}
		done := make(chan bool, 1)
		w.api.askMembership(q, func() { done <- true })
		<-done
		if got := fmt.Sprint(kafka.CodeOf(q.places[0].err), " ", kafka.CodeOf(q.places[1].err)); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}
