package api

import (
	"time"

	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// offsetFetch answers OffsetFetch 1-10: the committed offsets of one group, from version 8 on of many. Null topics mean
// all; version 2 adds an error for the group as a whole, 5 leader epochs, 7 RequireStable (KIP-447), 10 topic ids.
func (a *API) offsetFetch(c Call, rq *wire.OffsetFetchRequest) {
	wanted := rq.Groups
	if c.version < 8 {
		wanted = []wire.OffsetFetchRequestGroup{oldOffsetFetch(c.version, rq)}
	}
	results := make([]wire.OffsetFetchResponseGroup, len(wanted))
	all := newGather(len(wanted), func() {
		if c.version < 8 {
			c.Reply(oldOffsetFetchResponse(c.version, wanted[0], results[0]))
			return
		}
		c.Reply(&wire.OffsetFetchResponse{Groups: results})
	})
	for i := range wanted {
		a.fetchOffsets(c.version, wanted[i], rq.RequireStable, func(result wire.OffsetFetchResponseGroup) {
			results[i] = result
			all.one()
		})
	}
	all.one()
}

// fetchOffsets asks a group's coordinator. With topic ids, topics that do not exist are answered here.
func (a *API) fetchOffsets(version int16, wanted wire.OffsetFetchRequestGroup, stable bool, done func(wire.OffsetFetchResponseGroup)) {
	image := a.Metadata.Current()
	var unknown []wire.OffsetFetchResponseTopics
	if version >= 10 && wanted.Topics != nil {
		wanted.Topics, unknown = byName(image, wanted.Topics)
	} else if version < 10 {
		for i := range wanted.Topics {
			wanted.Topics[i].TopicID = kafka.ZeroUUID
			if t := image.Topic(wanted.Topics[i].Name); t != nil {
				wanted.Topics[i].TopicID = t.ID
			}
		}
	}
	answer := func(result *wire.OffsetFetchResponseGroup, err error) {
		if err != nil {
			done(wire.OffsetFetchResponseGroup{GroupID: wanted.GroupID, ErrorCode: codeOf(err)})
			return
		}
		if version >= 10 {
			result.Topics = append(byID(image, result.Topics), unknown...)
		}
		done(*result)
	}
	a.askGroup(wanted.GroupID, func(g *group.Coordinator, _ time.Time) statemachine.Output {
		return g.FetchOffsets(&wanted, stable, answer)
	}, func(err error) { answer(nil, err) })
}

// byName fills in names, and sets apart topics whose id is not known.
func byName(image *metadata.Image, topics []wire.OffsetFetchRequestTopics) (known []wire.OffsetFetchRequestTopics, unknown []wire.OffsetFetchResponseTopics) {
	known = []wire.OffsetFetchRequestTopics{}
	for _, t := range topics {
		if topic := image.TopicByID(t.TopicID); topic != nil {
			t.Name = topic.Name
			known = append(known, t)
			continue
		}
		missing := wire.OffsetFetchResponseTopics{TopicID: t.TopicID}
		for _, id := range t.PartitionIndexes {
			none := ""
			missing.Partitions = append(missing.Partitions, wire.OffsetFetchResponsePartitions{
				PartitionIndex: id, CommittedOffset: -1, CommittedLeaderEpoch: -1, Metadata: &none, ErrorCode: int16(kafka.UnknownTopicID)})
		}
		unknown = append(unknown, missing)
	}
	return known, unknown
}

// byID fills in ids; topics that were deleted have none and are left out.
func byID(image *metadata.Image, topics []wire.OffsetFetchResponseTopics) []wire.OffsetFetchResponseTopics {
	named := []wire.OffsetFetchResponseTopics{}
	for _, t := range topics {
		if topic := image.Topic(t.Name); topic != nil {
			t.TopicID = topic.ID
			named = append(named, t)
		}
	}
	return named
}

// oldOffsetFetch is a request of a version before 8 in the form of the later ones. Version 1 cannot ask for all topics: none
// are none.
func oldOffsetFetch(version int16, rq *wire.OffsetFetchRequest) wire.OffsetFetchRequestGroup {
	g := wire.OffsetFetchRequestGroup{GroupID: rq.GroupID, MemberEpoch: -1}
	if rq.Topics == nil && version >= 2 {
		return g
	}
	g.Topics = []wire.OffsetFetchRequestTopics{}
	for _, t := range rq.Topics {
		g.Topics = append(g.Topics, wire.OffsetFetchRequestTopics{Name: t.Name, PartitionIndexes: t.PartitionIndexes})
	}
	return g
}

// oldOffsetFetchResponse is the answer to a version before 8. Version 1 tells an error of the group with each partition.
func oldOffsetFetchResponse(version int16, wanted wire.OffsetFetchRequestGroup, result wire.OffsetFetchResponseGroup) *wire.OffsetFetchResponse {
	response := &wire.OffsetFetchResponse{ErrorCode: result.ErrorCode}
	if version < 2 && result.ErrorCode != 0 {
		none := ""
		for _, t := range wanted.Topics {
			topic := wire.OffsetFetchResponseTopic{Name: t.Name}
			for _, id := range t.PartitionIndexes {
				topic.Partitions = append(topic.Partitions, wire.OffsetFetchResponsePartition{
					PartitionIndex: id, CommittedOffset: -1, CommittedLeaderEpoch: -1, Metadata: &none, ErrorCode: result.ErrorCode})
			}
			response.Topics = append(response.Topics, topic)
		}
		return response
	}
	for _, t := range result.Topics {
		topic := wire.OffsetFetchResponseTopic{Name: t.Name}
		for _, p := range t.Partitions {
			topic.Partitions = append(topic.Partitions, wire.OffsetFetchResponsePartition{
				PartitionIndex: p.PartitionIndex, CommittedOffset: p.CommittedOffset, CommittedLeaderEpoch: p.CommittedLeaderEpoch,
				Metadata: p.Metadata, ErrorCode: p.ErrorCode})
		}
		response.Topics = append(response.Topics, topic)
	}
	return response
}
