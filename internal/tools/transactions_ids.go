package tools

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// listing is a transactional id and the broker that coordinates it.
type listing struct {
	id, state   string
	coordinator int32
	producerID  int64
}

// listTransactions asks all brokers, and sorts by id.
func (a *admin) listTransactions(rq *kmsg.ListTransactionsRequest) ([]listing, error) {
	brokers, err := request[*kmsg.MetadataResponse](a, "describeCluster", kmsg.NewPtrMetadataRequest())
	if err != nil {
		return nil, err
	}
	var all []listing
	for _, b := range brokers.Brokers {
		response, err := a.callBroker(b.NodeID, "listTransactions", rq)
		if err != nil {
			return nil, err
		}
		list := response.(*kmsg.ListTransactionsResponse)
		if err := responseError(list.ErrorCode, nil); err != nil {
			return nil, &exception{message: fmt.Sprintf("ListTransactions request sent to broker %d failed with an unexpected exception", b.NodeID), cause: err}
		}
		for _, t := range list.TransactionStates {
			all = append(all, listing{t.TransactionalID, t.TransactionState, b.NodeID, t.ProducerID})
		}
	}
	slices.SortFunc(all, func(x, y listing) int { return cmp.Compare(x.id, y.id) })
	return all, nil
}

func (t *transactionsTool) list() error {
	rq := kmsg.NewPtrListTransactionsRequest()
	rq.DurationFilterMillis = t.args.Number("--duration-filter", -1)
	if t.args.Has("--transactional-id-pattern") {
		pattern := t.args.Text("--transactional-id-pattern")
		rq.TransactionalIDPattern = &pattern
	}
	all, err := t.listTransactions(rq)
	if err != nil {
		return failedTo("list transactions", err)
	}
	var rows [][]string
	for _, l := range all {
		rows = append(rows, []string{l.id, strconv.Itoa(int(l.coordinator)), strconv.FormatInt(l.producerID, 10), l.state})
	}
	t.printTable([]string{"TransactionalId", "Coordinator", "ProducerId", "TransactionState"}, rows)
	return nil
}

// describedTransaction is the state of a transactional id; nil stands for one that is not known.
type describedTransaction = kmsg.DescribeTransactionsResponseTransactionState

// describeTransaction describes a transactional id and names its coordinator.
func (a *admin) describeTransaction(id string) (described *describedTransaction, coordinator int32, err error) {
	rq := kmsg.NewPtrDescribeTransactionsRequest()
	rq.TransactionalIDs = []string{id}
	response, err := a.try(a.timeout, "describeTransactions", func(ctx context.Context) (kmsg.Response, error) {
		shard := a.client.RequestSharded(ctx, rq)[0]
		coordinator = shard.Meta.NodeID
		if shard.Err != nil {
			return nil, shard.Err
		}
		code := shard.Resp.(*kmsg.DescribeTransactionsResponse).TransactionStates[0].ErrorCode
		if e := kerr.TypedErrorForCode(code); e != nil && e.Retriable {
			return nil, e
		}
		return shard.Resp, nil
	})
	if err != nil {
		return nil, coordinator, err
	}
	state := response.(*kmsg.DescribeTransactionsResponse).TransactionStates[0]
	switch err := responseError(state.ErrorCode, nil); {
	case state.ErrorCode == kerr.TransactionalIDNotFound.Code:
		return nil, coordinator, nil
	case err != nil:
		return nil, coordinator, err
	}
	return &state, coordinator, nil
}

func (t *transactionsTool) describe() error {
	id := t.args.Text("--transactional-id")
	d, coordinator, err := t.describeTransaction(id)
	if err == nil && d == nil {
		err = &plainError{fmt.Sprintf("DescribeTransactions request for transactionalId `%s` failed because the ID could not be found", id)}
	}
	if err != nil {
		return failedTo(fmt.Sprintf("describe transaction state of transactional-id `%s`", id), err)
	}
	start, duration := "None", "None"
	if d.StartTimestamp >= 0 {
		start = strconv.FormatInt(d.StartTimestamp, 10)
		duration = strconv.FormatInt(time.Now().UnixMilli()-d.StartTimestamp, 10)
	}
	var partitions []string
	for _, topic := range d.Topics {
		for _, p := range topic.Partitions {
			partitions = append(partitions, fmt.Sprintf("%s-%d", topic.Topic, p))
		}
	}
	t.printTable([]string{"CoordinatorId", "TransactionalId", "ProducerId", "ProducerEpoch", "TransactionState", "TransactionTimeoutMs",
		"CurrentTransactionStartTimeMs", "TransactionDurationMs", "TopicPartitions"}, [][]string{{
		strconv.Itoa(int(coordinator)), id, strconv.FormatInt(d.ProducerID, 10), strconv.Itoa(int(d.ProducerEpoch)), d.State,
		strconv.Itoa(int(d.TimeoutMillis)), start, duration, strings.Join(partitions, ","),
	}})
	return nil
}

// terminate initializes the transactional id as a new producer would: that aborts its transaction and fences its producer.
func (t *transactionsTool) terminate() error {
	id := t.args.Text("--transactionalId")
	rq := kmsg.NewPtrInitProducerIDRequest()
	rq.TransactionalID, rq.TransactionTimeoutMillis, rq.ProducerID, rq.ProducerEpoch = &id, terminateTimeout, -1, -1
	_, err := t.try(t.timeout, "fenceProducer", func(ctx context.Context) (kmsg.Response, error) {
		response, err := t.client.Request(ctx, rq)
		if err != nil {
			return nil, err
		}
		code := response.(*kmsg.InitProducerIDResponse).ErrorCode
		if code == kerr.ConcurrentTransactions.Code { // its transaction is being aborted: the next answer tells that it is done
			return nil, kerr.CoordinatorLoadInProgress
		}
		return response, kerr.ErrorForCode(code)
	})
	if err != nil {
		return failedTo(fmt.Sprintf("force terminate transactionalId `%s`", id), err)
	}
	return nil
}

// terminateTimeout is request.timeout.ms of Kafka's client, which it sends as the timeout of transactions that nobody begins.
const terminateTimeout = 30_000
