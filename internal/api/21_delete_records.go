package api

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/wire"
)

// deleteRecords answers DeleteRecords 0-2: everything below an offset goes, and the answer has the lowest log start of
// the replicas that are alive, once that has come to the offset. Internal topics are refused.
func (a *API) deleteRecords(c Call, rq *wire.DeleteRecordsRequest) {
	response := &wire.DeleteRecordsResponse{Topics: make([]wire.DeleteRecordsResponseDeleteRecordsTopicResult, len(rq.Topics))}
	n := 0
	for i := range rq.Topics {
		n += len(rq.Topics[i].Partitions)
	}
	all := newGather(n, func() { c.Reply(response) })
	for i := range rq.Topics {
		topic, out := &rq.Topics[i], &response.Topics[i]
		out.Name = topic.Name
		out.Partitions = make([]wire.DeleteRecordsResponseDeleteRecordsPartitionResult, len(topic.Partitions))
		for j := range topic.Partitions {
			ask, answer := topic.Partitions[j], &out.Partitions[j]
			answer.PartitionIndex = ask.PartitionIndex
			a.deleteBefore(kafka.TopicPartition{Topic: topic.Name, Partition: ask.PartitionIndex}, ask.Offset, time.Duration(rq.TimeoutMs)*time.Millisecond, func(low int64, err error) {
				answer.LowWatermark, answer.ErrorCode = low, codeOf(err)
				all.one()
			})
		}
	}
	all.one()
}

// deleteBefore calls done once the records are gone from all replicas, or with REQUEST_TIMED_OUT. Records that were just
// written with acks=0 or 1 count: they are committed first.
func (a *API) deleteBefore(name kafka.TopicPartition, offset int64, timeout time.Duration, done func(low int64, err error)) {
	p, err := a.deletable(name)
	if err != nil {
		done(-1, err)
		return
	}
	p.Settle(func(err error) {
		low := int64(-1)
		if err == nil {
			low, err = p.DeleteBefore(offset)
		}
		if err != nil || len(p.State().Replicas) == 1 {
			done(low, err)
			return
		}
		awaitLow(p, low, timeout, done)
	})
}

// awaitLow calls done once all replicas have deleted what is below an offset, at the latest after timeout.
func awaitLow(p *partition.Partition, offset int64, timeout time.Duration, done func(low int64, err error)) {
	var stop func() bool
	var told atomic.Bool
	timer := time.AfterFunc(math.MaxInt64, func() {
		if stop() {
			done(-1, kafka.Errorf(kafka.RequestTimedOut, "not all replicas have deleted what is below offset %d within %v", offset, timeout))
		}
	})
	stop = p.AwaitLow(offset, func(low int64, err error) {
		told.Store(true)
		timer.Stop() // it holds the request
		done(low, err)
	})
	timer.Reset(timeout)
	if told.Load() {
		timer.Stop()
	}
}

func (a *API) deletable(name kafka.TopicPartition) (*partition.Partition, error) {
	if a.Metadata.Current().Partition(name) == nil {
		return nil, kafka.UnknownTopicOrPartition
	}
	if kafka.IsInternalTopic(name.Topic) {
		return nil, kafka.Errorf(kafka.InvalidTopicException, "records of the internal topic %s cannot be deleted", name.Topic)
	}
	p, err := a.Partitions.Get(name.Topic, name.Partition)
	if err == nil {
		_, err = p.Leading(partition.AnyEpoch)
	}
	return p, err
}
