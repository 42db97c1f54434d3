package api

import (
	"slices"
	"time"

	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// offsetCommit answers OffsetCommit 2-10. Versions 2 to 4 can set a retention of their own, 6 adds leader epochs, 7 static
// members, 9 serves members of the new protocol, 10 names topics by id. Topics and partitions that do not exist are refused
// one by one; the others are committed together.
func (a *API) offsetCommit(c Call, rq *wire.OffsetCommitRequest) {
	image := a.Metadata.Current()
	rq.Topics = slices.DeleteFunc(rq.Topics, func(t wire.OffsetCommitRequestTopic) bool {
		return len(t.Partitions) == 0 && knownTopic(image, c.version, &t) != nil // Kafka leaves these out of the answer
	})
	if allKnown(image, c.version, rq) {
		a.commitOffsets(c, rq, func(results *wire.OffsetCommitResponse, err error) {
			if err != nil {
				results = commitRefused(rq, err)
			}
			c.Reply(results)
		})
		return
	}
	response := &wire.OffsetCommitResponse{Topics: make([]wire.OffsetCommitResponseTopic, len(rq.Topics))}
	commit := *rq
	commit.Topics = nil
	var places []commitPlaces
	for i := range rq.Topics {
		topic := rq.Topics[i]
		known := knownTopic(image, c.version, &topic)
		if known == nil {
			unknown := kafka.UnknownTopicOrPartition
			if c.version >= 10 {
				unknown = kafka.UnknownTopicID
			}
			response.Topics[i] = commitFailure(topic, unknown)
			continue
		}
		topic.Name, topic.TopicID = known.Name, known.ID
		response.Topics[i] = commitFailure(topic, kafka.UnknownTopicOrPartition) // of those that are not found below
		found, at := existing(known, topic.Partitions)
		if len(found) > 0 {
			topic.Partitions = found
			commit.Topics = append(commit.Topics, topic)
			places = append(places, commitPlaces{i, at})
		}
	}
	if len(commit.Topics) == 0 {
		c.Reply(response)
		return
	}
	a.commitOffsets(c, &commit, func(results *wire.OffsetCommitResponse, err error) {
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
		c.Reply(response)
	})
}

// commitOffsets asks the group's coordinator. The request is left alone from now on.
func (a *API) commitOffsets(c Call, rq *wire.OffsetCommitRequest, answer func(*wire.OffsetCommitResponse, error)) {
	from := clientOf(c)
	a.askGroup(rq.GroupID, func(g *group.Coordinator, now time.Time) statemachine.Output {
		return g.CommitOffsets(now, from, c.version, rq, withinCommitTimeout(a, func(results *wire.OffsetCommitResponse, err error) {
			if c.version < 9 && kafka.CodeOf(err) == kafka.GroupIDNotFound {
				err = kafka.IllegalGeneration // clients of those versions know no other way to start again
			}
			answer(results, err)
		}))
	}, func(err error) { answer(nil, err) })
}

// allKnown reports whether all topics and partitions of a request exist, and if so notes both the name and the id of the topics.
func allKnown(image *metadata.Image, version int16, rq *wire.OffsetCommitRequest) bool {
	for i := range rq.Topics {
		topic := &rq.Topics[i]
		known := knownTopic(image, version, topic)
		if known == nil || slices.ContainsFunc(topic.Partitions, func(p wire.OffsetCommitRequestPartition) bool {
			return known.Partition(p.PartitionIndex) == nil
		}) {
			return false
		}
		topic.Name, topic.TopicID = known.Name, known.ID
	}
	return len(rq.Topics) > 0
}

// commitRefused answers for all partitions with the same error.
func commitRefused(rq *wire.OffsetCommitRequest, err error) *wire.OffsetCommitResponse {
	response := new(wire.OffsetCommitResponse)
	for _, topic := range rq.Topics {
		response.Topics = append(response.Topics, commitFailure(topic, kafka.CodeOf(err)))
	}
	return response
}

// knownTopic is the topic that a request names, nil if there is none.
func knownTopic(image *metadata.Image, version int16, topic *wire.OffsetCommitRequestTopic) *metadata.Topic {
	if version >= 10 {
		return image.TopicByID(topic.TopicID)
	}
	return image.Topic(topic.Name)
}

// commitPlaces says where in the response the results for a topic belong.
type commitPlaces struct {
	topic      int
	partitions []int
}

// existing picks the partitions that a topic has, and tells their places.
func existing(topic *metadata.Topic, asked []wire.OffsetCommitRequestPartition) (found []wire.OffsetCommitRequestPartition, at []int) {
	for i := range asked {
		if topic.Partition(asked[i].PartitionIndex) != nil {
			found = append(found, asked[i])
			at = append(at, i)
		}
	}
	return found, at
}

func commitFailure(topic wire.OffsetCommitRequestTopic, code kafka.ErrorCode) wire.OffsetCommitResponseTopic {
	failed := wire.OffsetCommitResponseTopic{Name: topic.Name, TopicID: topic.TopicID}
	for _, p := range topic.Partitions {
		failed.Partitions = append(failed.Partitions, wire.OffsetCommitResponsePartition{PartitionIndex: p.PartitionIndex, ErrorCode: int16(code)})
	}
	return failed
}
