package api

import (
	"slices"
	"time"

	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// txnOffsetCommit answers TxnOffsetCommit 0-5: offsets that become committed with a transaction. Version 2 adds leader epochs
// and understands that a coordinator is still loading, 3 members (KIP-447), 4 TRANSACTION_ABORTABLE; from 5 on
// (transaction.version=2) the group's partition of __consumer_offsets becomes part of the transaction by it. Topics and
// partitions that do not exist are refused one by one; the others are written together.
func (a *API) txnOffsetCommit(c Call, rq *wire.TxnOffsetCommitRequest) {
	image := a.Metadata.Current()
	rq.Topics = slices.DeleteFunc(rq.Topics, func(t wire.TxnOffsetCommitRequestTopic) bool {
		return len(t.Partitions) == 0 && image.Topic(t.Name) != nil // as OffsetCommit
	})
	commit := *rq
	places := existingOffsets(image, &commit)
	answer := func(results *wire.TxnOffsetCommitResponse, err error) {
		if c.version < 2 && kafka.CodeOf(err) == kafka.CoordinatorLoadInProgress {
			err = kafka.CoordinatorNotAvailable // clients of those versions fail on the other (KAFKA-7296)
		}
		c.Reply(txnOffsetResponse(rq, places, results, err))
	}
	if len(commit.Topics) == 0 {
		answer(nil, nil)
		return
	}
	if rq.GroupID == "" {
		answer(nil, kafka.Errorf(kafka.InvalidGroupID, "the group id is empty"))
		return
	}
	partition, err := a.groupPartition(rq.GroupID)
	if err != nil {
		answer(nil, err)
		return
	}
	engine, err := a.Groups.Get(partition)
	if err != nil {
		answer(nil, err)
		return
	}
	from, verify := clientOf(c), a.verifiesTransactions()
	question := membership{
		transactionalID: rq.TransactionalID, producer: statemachine.Producer{ID: rq.ProducerID, Epoch: rq.ProducerEpoch},
		support: offsetSupport(c.version), client: from,
		places: []membershipPlace{{TopicPartition: kafka.TopicPartition{Topic: kafka.OffsetsTopic, Partition: partition}, asked: true, sequence: record.NoSequence}},
	}
	a.askMembership(&question, func() {
		place := &question.places[0]
		if place.err != nil {
			answer(nil, statemachine.CoordinatorError(place.err))
			return
		}
		engine.Do(func(g *group.Coordinator, now time.Time) statemachine.Output {
			return g.CommitTransaction(now, from, group.TxnCommit{TxnOffsetCommitRequest: &commit, Verify: verify, Guard: place.guard}, withinCommitTimeout(a, answer))
		}, func(err error) { answer(nil, err) })
	})
}

// existingOffsets leaves in the request what exists, and tells where in the request that was.
func existingOffsets(image *metadata.Image, rq *wire.TxnOffsetCommitRequest) (places []commitPlaces) {
	topics := rq.Topics
	rq.Topics = nil
	for i, topic := range topics {
		place := commitPlaces{topic: i}
		partitions := topic.Partitions
		topic.Partitions = nil
		for j, p := range partitions {
			if image.Partition(kafka.TopicPartition{Topic: topic.Name, Partition: p.PartitionIndex}) != nil {
				topic.Partitions = append(topic.Partitions, p)
				place.partitions = append(place.partitions, j)
			}
		}
		if len(topic.Partitions) > 0 {
			rq.Topics = append(rq.Topics, topic)
			places = append(places, place)
		}
	}
	return places
}

// txnOffsetResponse puts results, or an error, where the request had what they are about; the rest does not exist.
func txnOffsetResponse(rq *wire.TxnOffsetCommitRequest, places []commitPlaces, results *wire.TxnOffsetCommitResponse, err error) *wire.TxnOffsetCommitResponse {
	response := &wire.TxnOffsetCommitResponse{Topics: make([]wire.TxnOffsetCommitResponseTopic, len(rq.Topics))}
	for i, topic := range rq.Topics {
		response.Topics[i].Name = topic.Name
		for _, p := range topic.Partitions {
			response.Topics[i].Partitions = append(response.Topics[i].Partitions, wire.TxnOffsetCommitResponsePartition{
				PartitionIndex: p.PartitionIndex, ErrorCode: int16(kafka.UnknownTopicOrPartition),
			})
		}
	}
	for j, place := range places {
		for k, at := range place.partitions {
			result := &response.Topics[place.topic].Partitions[at]
			if err != nil {
				result.ErrorCode = codeOf(err)
			} else {
				*result = results.Topics[j].Partitions[k]
			}
		}
	}
	return response
}
