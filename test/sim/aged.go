package sim

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// agedEpoch is few epochs before the last one that a producer id has (32766).
const agedEpoch = 32_740

// age has the first transactor begin with a producer id whose epochs run out in the middle of the run: no run is long enough to use all
// of one. What says so is written to the log of its coordinator, which then moves to another node, that reads it.
func (w *clients) age(ctx context.Context, admin *kadm.Client) error {
	id := fmt.Sprint("t-", firstTransactor)
	if err := admin.FindTxnCoordinators(ctx, id).Error(); err != nil { // which creates the topic
		return err
	}
	partitions, err := transactionPartitions(ctx, admin)
	if err != nil {
		return err
	}
	p := kafka.CoordinatorPartition(id, len(partitions))
	key, err := wire.EncodeRecordKey(&wire.TransactionLogKey{TransactionalID: id})
	if err != nil {
		return err
	}
	value, err := wire.EncodeRecordValue(&wire.TransactionLogValue{
		ProducerID: 1 << 40, PreviousProducerID: -1, NextProducerID: -1, NextProducerEpoch: -1, ProducerEpoch: agedEpoch, ClientTransactionVersion: 2,
		TransactionTimeoutMs: 1000, TransactionLastUpdateTimestampMs: time.Now().UnixMilli(), TransactionStartTimestampMs: -1,
	}, 1)
	if err != nil {
		return err
	}
	writer := w.connect(kgo.ClientID("__admin_client")) // whose records internal topics take
	defer writer.Close()
	if err := writer.ProduceSync(ctx, &kgo.Record{Topic: kafka.TransactionsTopic, Partition: p, Key: key, Value: value}).FirstErr(); err != nil {
		return err
	}
	replicas := partitions[p].Replicas
	if err := w.reassign(admin, kafka.TransactionsTopic, p, append(append([]int32(nil), replicas[1:]...), replicas[0])); err != nil {
		return err
	}
	for {
		now, err := transactionPartitions(ctx, admin)
		if err != nil {
			return err
		}
		if leader := now[p].Leader; leader >= 0 && leader != partitions[p].Leader {
			return nil
		}
		if _, err := admin.ElectLeaders(ctx, kadm.ElectPreferredReplica, nil); err != nil {
			return err
		}
		wait(ctx, 100*time.Millisecond)
	}
}

func transactionPartitions(ctx context.Context, admin *kadm.Client) (kadm.PartitionDetails, error) {
	topics, err := admin.ListTopicsWithInternal(ctx, kafka.TransactionsTopic)
	if err == nil {
		err = topics.Error()
	}
	if all := topics[kafka.TransactionsTopic].Partitions; err != nil || len(all) > 0 {
		return all, err
	}
	return nil, fmt.Errorf("%s has no partitions yet", kafka.TransactionsTopic)
}
