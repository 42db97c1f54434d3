package api

import (
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/wire"
)

// firstListOffsetsVersion is the version from which a special timestamp may be asked for.
var firstListOffsetsVersion = map[int64]int16{
	partition.MaxTimestamp:                   7,
	partition.EarliestLocalTimestamp:         8,
	partition.LatestTieredTimestamp:          9,
	partition.EarliestPendingUploadTimestamp: 11,
}

// firstOffsetNotAvailableVersion is the first version whose clients know OFFSET_NOT_AVAILABLE (KIP-207).
const firstOffsetNotAvailableVersion = 5

// consumerReplica is the replica id of requests that do not come from a follower.
const consumerReplica = -1

// debuggingReplica is the replica id with which tools ask a broker for its own log, whoever leads the partition.
const debuggingReplica = -2

// listOffsets answers ListOffsets 1-11: the offset of a timestamp, or one of the special ones. Version 2 adds the
// isolation level, 4 leader epochs; 10 a timeout for tiered segments, which do not exist here, so that every answer is
// immediate.
func (a *API) listOffsets(c Call, rq *wire.ListOffsetsRequest) {
	committed := rq.IsolationLevel == readCommitted && rq.ReplicaID == consumerReplica
	twice := duplicates(rq)
	n := 0
	for i := range rq.Topics {
		n += len(rq.Topics[i].Partitions)
	}
	response := &wire.ListOffsetsResponse{Topics: make([]wire.ListOffsetsResponseListOffsetsTopicResponse, len(rq.Topics))}
	all := newGather(n, func() { c.Reply(response) })
	for i := range rq.Topics {
		topic, out := &rq.Topics[i], &response.Topics[i]
		out.Name = topic.Name
		out.Partitions = make([]wire.ListOffsetsResponseListOffsetsPartitionResponse, len(topic.Partitions))
		for j := range topic.Partitions {
			ask, answer := &topic.Partitions[j], &out.Partitions[j]
			*answer = wire.ListOffsetsResponseListOffsetsPartitionResponse{PartitionIndex: ask.PartitionIndex, Timestamp: -1, Offset: -1, LeaderEpoch: -1}
			switch {
			case twice[kafka.TopicPartition{Topic: topic.Name, Partition: ask.PartitionIndex}]:
				answer.ErrorCode = int16(kafka.InvalidRequest)
				all.one()
			case c.version < firstListOffsetsVersion[ask.Timestamp]:
				answer.ErrorCode = int16(kafka.UnsupportedVersion)
				all.one()
			case rq.ReplicaID == debuggingReplica:
				a.listOwnOffset(topic.Name, ask, c.version, answer)
				all.one()
			default:
				a.listOffset(topic.Name, ask, committed, c.version, answer, all.one)
			}
		}
	}
	all.one()
}

// listOffset answers for one partition, after what was appended to it before is committed.
func (a *API) listOffset(topic string, ask *wire.ListOffsetsRequestListOffsetsPartition, committed bool, version int16, answer *wire.ListOffsetsResponseListOffsetsPartitionResponse, done func()) {
	p, err := a.Partitions.Get(topic, ask.PartitionIndex)
	if err == nil {
		_, err = p.Leading(ask.CurrentLeaderEpoch)
	}
	if err != nil {
		answer.ErrorCode = codeOf(err)
		done()
		return
	}
	p.Settle(func(err error) {
		defer done()
		var found partition.Offset
		if err == nil {
			found, err = p.OffsetFor(ask.Timestamp, committed, ask.CurrentLeaderEpoch)
		}
		tellOffset(answer, found, err, version)
	})
}

// listOwnOffset answers for this broker's replica of a partition.
func (a *API) listOwnOffset(topic string, ask *wire.ListOffsetsRequestListOffsetsPartition, version int16, answer *wire.ListOffsetsResponseListOffsetsPartitionResponse) {
	var found partition.Offset
	p, err := a.Partitions.Get(topic, ask.PartitionIndex)
	if err == nil {
		found, err = p.OwnOffsetFor(ask.Timestamp, ask.CurrentLeaderEpoch)
	}
	tellOffset(answer, found, err, version)
}

func tellOffset(answer *wire.ListOffsetsResponseListOffsetsPartitionResponse, found partition.Offset, err error, version int16) {
	if err != nil {
		if answer.ErrorCode = codeOf(err); version < firstOffsetNotAvailableVersion && answer.ErrorCode == int16(kafka.OffsetNotAvailable) {
			answer.ErrorCode = int16(kafka.LeaderNotAvailable)
		}
		return
	}
	answer.Offset, answer.Timestamp = found.Offset, found.Timestamp
	if version >= 4 {
		answer.LeaderEpoch = found.LeaderEpoch
	}
}

// duplicates are the partitions that a request names more than once.
func duplicates(rq *wire.ListOffsetsRequest) map[kafka.TopicPartition]bool {
	seen := map[kafka.TopicPartition]bool{}
	var twice map[kafka.TopicPartition]bool
	for i := range rq.Topics {
		for j := range rq.Topics[i].Partitions {
			name := kafka.TopicPartition{Topic: rq.Topics[i].Name, Partition: rq.Topics[i].Partitions[j].PartitionIndex}
			if seen[name] {
				if twice == nil {
					twice = map[kafka.TopicPartition]bool{}
				}
				twice[name] = true
			}
			seen[name] = true
		}
	}
	return twice
}
