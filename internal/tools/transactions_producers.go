package tools

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// activeProducer is a producer that a partition knows.
type activeProducer = kmsg.DescribeProducersResponseTopicPartitionActiveProducer

// producersOf asks for the producers of partitions: their leaders or, if that is not negative, one broker. A partition that
// is not there yet is asked for again, as Kafka's client does.
func (a *admin) producersOf(broker int32, partitions []kafka.TopicPartition) (map[kafka.TopicPartition][]activeProducer, error) {
	rq := kmsg.NewPtrDescribeProducersRequest()
	for _, tp := range partitions {
		i := slices.IndexFunc(rq.Topics, func(t kmsg.DescribeProducersRequestTopic) bool { return t.Topic == tp.Topic })
		if i < 0 {
			i = len(rq.Topics)
			rq.Topics = append(rq.Topics, kmsg.DescribeProducersRequestTopic{Topic: tp.Topic})
		}
		rq.Topics[i].Partitions = append(rq.Topics[i].Partitions, tp.Partition)
	}
	var response kmsg.Response
	var err error
	if broker >= 0 {
		response, err = a.callBroker(broker, "describeProducers", rq)
	} else {
		response, err = a.call("describeProducers", rq)
	}
	if err != nil {
		return nil, err
	}
	found := map[kafka.TopicPartition][]activeProducer{}
	for _, t := range response.(*kmsg.DescribeProducersResponse).Topics {
		for _, p := range t.Partitions {
			tp := kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}
			if err := responseError(p.ErrorCode, p.ErrorMessage); err != nil {
				return nil, err
			}
			found[tp] = p.ActiveProducers
		}
	}
	return found, nil
}

// partition is the one that the command line names.
func (t *transactionsTool) partition() kafka.TopicPartition {
	return kafka.TopicPartition{Topic: t.args.Text("--topic"), Partition: int32(t.args.Number("--partition", 0))}
}

func (t *transactionsTool) describeProducers() error {
	tp, broker, where := t.partition(), int32(t.args.Number("--broker-id", -1)), "leader"
	if t.args.Has("--broker-id") {
		where = fmt.Sprintf("broker %d", broker)
	}
	found, err := t.producersOf(broker, []kafka.TopicPartition{tp})
	if err != nil {
		return failedTo(fmt.Sprintf("describe producers for partition %s on %s", tp, where), err)
	}
	var rows [][]string
	for _, p := range found[tp] {
		start := "None"
		if p.CurrentTxnStartOffset >= 0 {
			start = strconv.FormatInt(p.CurrentTxnStartOffset, 10)
		}
		rows = append(rows, []string{
			strconv.FormatInt(p.ProducerID, 10), strconv.Itoa(int(p.ProducerEpoch)), strconv.Itoa(int(p.CoordinatorEpoch)),
			strconv.Itoa(int(p.LastSequence)), strconv.FormatInt(p.LastTimestamp, 10), start,
		})
	}
	t.printTable([]string{"ProducerId", "ProducerEpoch", "LatestCoordinatorEpoch", "LastSequence", "LastTimestamp", "CurrentTransactionStartOffset"}, rows)
	return nil
}

// abort writes the end of a transaction into a partition whose coordinator will not.
func (t *transactionsTool) abort() error {
	tp := t.partition()
	var marker kmsg.WriteTxnMarkersRequestMarker
	switch {
	case t.args.Has("--start-offset"):
		p, err := t.openAt(tp, t.args.Number("--start-offset", 0))
		if err != nil {
			return err
		}
		marker.ProducerID, marker.ProducerEpoch, marker.CoordinatorEpoch = p.ProducerID, int16(p.ProducerEpoch), p.CoordinatorEpoch
	case !t.args.Has("--producer-id"):
		return &plainError{"The transaction to abort must be identified either with --start-offset (for brokers on 3.0 or above) or with " +
			"--producer-id, --producer-epoch, and --coordinator-epoch (for older brokers)"}
	default:
		for _, name := range []string{"--producer-epoch", "--coordinator-epoch"} {
			if !t.args.Has(name) {
				return &plainError{"Missing required argument " + name}
			}
		}
		marker.ProducerID, marker.ProducerEpoch = t.args.Number("--producer-id", 0), int16(t.args.Number("--producer-epoch", 0))
		marker.CoordinatorEpoch = int32(t.args.Number("--coordinator-epoch", 0))
	}
	// A producer without a marker so far has coordinator epoch -1; 0 is not above any.
	marker.CoordinatorEpoch = max(marker.CoordinatorEpoch, 0)
	marker.Topics = []kmsg.WriteTxnMarkersRequestMarkerTopic{{Topic: tp.Topic, Partitions: []int32{tp.Partition}}}
	rq := kmsg.NewPtrWriteTxnMarkersRequest()
	rq.Markers = []kmsg.WriteTxnMarkersRequestMarker{marker}
	response, err := request[*kmsg.WriteTxnMarkersResponse](t.admin, "abortTransaction", rq)
	if err == nil {
		err = kerr.ErrorForCode(response.Markers[0].Topics[0].Partitions[0].ErrorCode)
	}
	if err != nil {
		return failedTo(fmt.Sprintf("abort transaction AbortTransactionSpec(topicPartition=%s, producerId=%d, producerEpoch=%d, coordinatorEpoch=%d)",
			tp, marker.ProducerID, marker.ProducerEpoch, marker.CoordinatorEpoch), err)
	}
	return nil
}

// openAt finds the producer of the transaction that starts at an offset.
func (t *transactionsTool) openAt(tp kafka.TopicPartition, offset int64) (*activeProducer, error) {
	found, err := t.producersOf(-1, []kafka.TopicPartition{tp})
	if err != nil {
		return nil, failedTo(fmt.Sprintf("validate producer state for partition %s", tp), err)
	}
	for i := range found[tp] {
		if p := &found[tp][i]; p.CurrentTxnStartOffset >= 0 && p.CurrentTxnStartOffset == offset {
			return p, nil
		}
	}
	return nil, &plainError{fmt.Sprintf("Could not find any open transactions starting at offset %d on partition %s", offset, tp)}
}
