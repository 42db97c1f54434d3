package api

import (
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/txn"
	"github.com/ottla/ottla/internal/wire"
)

// addOffsetsToTxn answers AddOffsetsToTxn 0-4: the partition of __consumer_offsets that holds a group becomes part of the
// transaction. Producers of TV2 do without it. Version 2 knows PRODUCER_FENCED.
func (a *API) addOffsetsToTxn(c Call, rq *wire.AddOffsetsToTxnRequest) {
	partitions := a.Config().Int(config.OffsetsTopicNumPartitions)
	if topic := a.Metadata.Current().Topic(kafka.OffsetsTopic); topic != nil {
		partitions = len(topic.Partitions)
	}
	add := txn.AddPartitions{
		TransactionalID: rq.TransactionalID, Producer: statemachine.Producer{ID: rq.ProducerID, Epoch: rq.ProducerEpoch},
		Patience: a.transactionPatience(), Client: clientOf(c),
		Partitions: []kafka.TopicPartition{{Topic: kafka.OffsetsTopic, Partition: kafka.CoordinatorPartition(rq.GroupID, partitions)}},
	}
	answer := func(err error) {
		c.Reply(&wire.AddOffsetsToTxnResponse{ErrorCode: fencedCode(err, c.version >= 2)})
	}
	a.askTransaction(rq.TransactionalID, func(t *txn.Coordinator, now time.Time) statemachine.Output {
		return t.AddPartitions(now, &add, func(errs []error) {
			if errs == nil {
				errs = []error{nil}
			}
			answer(errs[0])
		})
	}, answer)
}
