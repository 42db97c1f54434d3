package api

import "github.com/ottla/ottla/internal/wire"

// offsetForLeaderEpoch answers OffsetForLeaderEpoch 2-4: where the leader's history of an epoch ends, by which clients
// and followers find out that they read records which no longer exist (KIP-320).
func (a *API) offsetForLeaderEpoch(c Call, rq *wire.OffsetForLeaderEpochRequest) {
	response := &wire.OffsetForLeaderEpochResponse{Topics: make([]wire.OffsetForLeaderEpochResponseOffsetForLeaderTopicResult, len(rq.Topics))}
	for i := range rq.Topics {
		topic, out := &rq.Topics[i], &response.Topics[i]
		out.Topic = topic.Topic
		out.Partitions = make([]wire.OffsetForLeaderEpochResponseEpochEndOffset, len(topic.Partitions))
		for j := range topic.Partitions {
			ask, answer := &topic.Partitions[j], &out.Partitions[j]
			*answer = wire.OffsetForLeaderEpochResponseEpochEndOffset{Partition: ask.Partition, LeaderEpoch: -1, EndOffset: -1}
			p, err := a.Partitions.Get(topic.Topic, ask.Partition)
			if err == nil {
				answer.LeaderEpoch, answer.EndOffset, err = p.EpochEnd(ask.LeaderEpoch, ask.CurrentLeaderEpoch)
			}
			answer.ErrorCode = codeOf(err)
		}
	}
	c.Reply(response)
}
