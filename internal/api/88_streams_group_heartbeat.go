package api

import (
	"slices"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// Streams groups, as group.coordinator.rebalance.protocols names them, and the feature that they need.
const (
	streamsProtocol = "streams"
	streamsVersion  = "streams.version"
)

// streamsGroupHeartbeat answers StreamsGroupHeartbeat 0 (KIP-1071): threads of Kafka Streams applications join, leave, tell
// which tasks they own, and learn which they are to have. Internal topics that are missing are created meanwhile; the member
// is told that they are missing, and why if they could not be created, until they are there.
func (a *API) streamsGroupHeartbeat(c Call, rq *wire.StreamsGroupHeartbeatRequest) {
	refuse := func(err error) {
		c.Reply(&wire.StreamsGroupHeartbeatResponse{ErrorCode: codeOf(err), ErrorMessage: textOf(err)})
	}
	if err := a.serves(streamsProtocol, streamsVersion); err != nil {
		refuse(err)
		return
	}
	if err := checkTopologyTopics(rq.Topology); err != nil {
		refuse(err)
		return
	}
	if err := group.CheckStreamsHeartbeat(rq); err != nil {
		refuse(err)
		return
	}
	heartbeat := group.StreamsHeartbeat{StreamsGroupHeartbeatRequest: rq, Client: clientOf(c)}
	a.askGroup(rq.GroupID, func(g *group.Coordinator, now time.Time) statemachine.Output {
		return g.StreamsHeartbeat(now, heartbeat, withinCommitTimeout(a, func(answer group.StreamsAnswer, err error) {
			if err != nil {
				refuse(err)
				return
			}
			if len(answer.Missing) > 0 {
				a.createInternals(now, answer)
			}
			c.Reply(answer.StreamsGroupHeartbeatResponse)
		}))
	}, refuse)
}

// checkTopologyTopics refuses names in a topology that no topic of an application can have.
func checkTopologyTopics(t *wire.StreamsGroupHeartbeatRequestTopology) error {
	if t == nil {
		return nil
	}
	var names []string
	for i := range t.Subtopologies {
		s := &t.Subtopologies[i]
		names = append(append(names, s.SourceTopics...), s.RepartitionSinkTopics...)
		for j := range s.RepartitionSourceTopics {
			names = append(names, s.RepartitionSourceTopics[j].Name)
		}
		for j := range s.StateChangelogTopics {
			names = append(names, s.StateChangelogTopics[j].Name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	keep := func(bad func(name string) bool) string {
		return strings.Join(slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !bad(name) }), ",")
	}
	if prohibited := keep(kafka.IsInternalTopic); prohibited != "" {
		return kafka.Errorf(kafka.StreamsInvalidTopology, "Use of Kafka internal topics %s in a Kafka Streams topology is prohibited.", prohibited)
	}
	if invalid := keep(func(name string) bool { return kafka.CheckTopicName(name) != nil }); invalid != "" || slices.Contains(names, "") {
		return kafka.Errorf(kafka.StreamsInvalidTopology, "Topic names %s are not valid topic names.", invalid)
	}
	return nil
}
