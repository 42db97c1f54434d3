package tools

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// maxProducersAsked is how many partitions or topics one request asks about.
const maxProducersAsked = 500

// openTransaction is a transaction that a partition has seen no end of.
type openTransaction struct {
	partition kafka.TopicPartition
	producer  activeProducer
}

// findHanging prints the transactions that are open in partitions for longer than any may be, and that no coordinator is
// going to end.
func (t *transactionsTool) findHanging() error {
	if !t.args.Has("--topic") && !t.args.Has("--broker-id") {
		return &plainError{"The `find-hanging` command requires either --topic or --broker-id to limit the scope of the search"}
	}
	if t.args.Has("--partition") && !t.args.Has("--topic") {
		return &plainError{"The --partition argument requires --topic to be provided"}
	}
	broker := int32(t.args.Number("--broker-id", -1))
	partitions, err := t.partitionsToSearch(broker)
	if err != nil {
		return err
	}
	longest := time.Duration(t.args.Number("--max-transaction-timeout", 15)) * time.Minute
	open, err := t.oldTransactions(broker, longest, partitions)
	if err != nil {
		return err
	}
	hanging, err := t.forsaken(open)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, x := range hanging {
		p := x.producer
		rows = append(rows, []string{
			x.partition.Topic, strconv.Itoa(int(x.partition.Partition)), strconv.FormatInt(p.ProducerID, 10), strconv.Itoa(int(p.ProducerEpoch)),
			strconv.Itoa(int(p.CoordinatorEpoch)), strconv.FormatInt(p.CurrentTxnStartOffset, 10), strconv.FormatInt(p.LastTimestamp, 10),
			strconv.Itoa(int(since(p.LastTimestamp).Minutes())),
		})
	}
	t.printTable([]string{"Topic", "Partition", "ProducerId", "ProducerEpoch", "CoordinatorEpoch", "StartOffset", "LastTimestamp", "Duration(min)"}, rows)
	return nil
}

func since(timestamp int64) time.Duration { return time.Since(time.UnixMilli(timestamp)) }

// partitionsToSearch are those that the command line names, by topic or by broker.
func (t *transactionsTool) partitionsToSearch(broker int32) ([]kafka.TopicPartition, error) {
	if t.args.Has("--partition") {
		return []kafka.TopicPartition{t.partition()}, nil
	}
	topics := []string{t.args.Text("--topic")}
	if !t.args.Has("--topic") {
		all, err := t.listTopics()
		if err != nil {
			return nil, failedTo("list topics", err)
		}
		topics = nil
		for _, topic := range all {
			topics = append(topics, topic.name)
		}
	}
	var found []kafka.TopicPartition
	for some := range slices.Chunk(topics, maxProducersAsked) {
		described, err := t.describeTopics(some, 2000)
		if err != nil {
			return nil, failedTo(fmt.Sprintf("describe %d topics", len(some)), err)
		}
		for _, topic := range described {
			for _, p := range topic.partitions {
				if broker < 0 || slices.Contains(p.replicas, broker) {
					found = append(found, kafka.TopicPartition{Topic: topic.name, Partition: p.index})
				}
			}
		}
	}
	return found, nil
}

// oldTransactions are the open ones whose producer has written nothing for longer than a transaction may take.
func (t *transactionsTool) oldTransactions(broker int32, longest time.Duration, partitions []kafka.TopicPartition) ([]openTransaction, error) {
	var open []openTransaction
	for some := range slices.Chunk(partitions, maxProducersAsked) {
		found, err := t.producersOf(broker, some)
		if err != nil {
			return nil, failedTo(fmt.Sprintf("describe producers for %d partitions", len(some)), err)
		}
		for _, tp := range some {
			for _, p := range found[tp] {
				if p.CurrentTxnStartOffset >= 0 && since(p.LastTimestamp) > longest {
					open = append(open, openTransaction{tp, p})
				}
			}
		}
	}
	return open, nil
}

// forsaken are the open transactions that no coordinator knows of: the producer has no transactional id, or the
// transaction of that does not include the partition.
func (t *transactionsTool) forsaken(open []openTransaction) ([]openTransaction, error) {
	if len(open) == 0 {
		return nil, nil
	}
	rq := kmsg.NewPtrListTransactionsRequest()
	for _, x := range open {
		if !slices.Contains(rq.ProducerIDFilters, x.producer.ProducerID) {
			rq.ProducerIDFilters = append(rq.ProducerIDFilters, x.producer.ProducerID)
		}
	}
	listed, err := t.listTransactions(rq)
	if err != nil {
		return nil, failedTo(fmt.Sprintf("list transactions for %d producers", len(rq.ProducerIDFilters)), err)
	}
	known := map[int64]*describedTransaction{}
	for _, l := range listed {
		if known[l.producerID], _, err = t.describeTransaction(l.id); err != nil {
			return nil, failedTo(fmt.Sprintf("describe %d transactions", len(listed)), err)
		}
	}
	return slices.DeleteFunc(open, func(x openTransaction) bool {
		d := known[x.producer.ProducerID]
		return d != nil && slices.ContainsFunc(d.Topics, func(topic kmsg.DescribeTransactionsResponseTransactionStateTopic) bool {
			return topic.Topic == x.partition.Topic && slices.Contains(topic.Partitions, x.partition.Partition)
		})
	}), nil
}
