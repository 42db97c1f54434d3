package api

import (
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/producerstate"
	"github.com/ottla/ottla/internal/wire"
)

// describeProducers answers DescribeProducers 0: what partitions on this broker know of the producers that write to them
// (KIP-664). Hanging transactions are found so: one is open here, and its coordinator does not know of it.
func (a *API) describeProducers(c Call, rq *wire.DescribeProducersRequest) {
	response := &wire.DescribeProducersResponse{Topics: make([]wire.DescribeProducersResponseTopicResponse, len(rq.Topics))}
	for i, topic := range rq.Topics {
		results := &response.Topics[i]
		results.Name = topic.Name
		results.Partitions = make([]wire.DescribeProducersResponsePartitionResponse, len(topic.PartitionIndexes))
		invalid := kafka.CheckTopicName(topic.Name)
		for j, id := range topic.PartitionIndexes {
			result := &results.Partitions[j]
			result.PartitionIndex = id
			err := invalid
			if err == nil {
				result.ActiveProducers, err = a.producersOf(kafka.TopicPartition{Topic: topic.Name, Partition: id})
			}
			result.ErrorCode, result.ErrorMessage = codeOf(err), textOf(err)
		}
	}
	c.Reply(response)
}

// producersOf lists the producers of a partition that this broker has a replica of.
func (a *API) producersOf(tp kafka.TopicPartition) ([]wire.DescribeProducersResponseProducerState, error) {
	p, err := a.Partitions.Get(tp.Topic, tp.Partition)
	if err != nil {
		return nil, err
	}
	if err := p.Gone(); err != nil {
		return nil, err
	}
	producers := p.Log().Producers()
	described := make([]wire.DescribeProducersResponseProducerState, len(producers))
	for i, producer := range producers {
		described[i] = describedProducer(&producer)
	}
	return described, nil
}

func describedProducer(p *producerstate.Producer) wire.DescribeProducersResponseProducerState {
	return wire.DescribeProducersResponseProducerState{
		ProducerID: p.ProducerID, ProducerEpoch: int32(p.ProducerEpoch), LastSequence: p.LastSequence, LastTimestamp: p.LastTimestamp,
		CoordinatorEpoch: p.CoordinatorEpoch, CurrentTxnStartOffset: p.CurrentTxnStartOffset,
	}
}
