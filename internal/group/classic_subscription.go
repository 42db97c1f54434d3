package group

import (
	"slices"

	"github.com/ottla/ottla/internal/wire"
)

// subscription is which topics the members of a generation consume, if the coordinator can tell.
type subscription struct {
	known  bool
	topics map[string]bool
}

// subscribe works the subscription out. It is known for consumers only, whose metadata begins with the version of the
// subscription; version 0 is the beginning of every later one.
func (g *classicGroup) subscribe() subscription {
	topics := map[string]bool{}
	if g.protocolType != consumerProtocol {
		return subscription{}
	}
	for _, m := range g.members {
		subscribed, ok := subscribedTopics(m.metadata(g.protocol))
		if !ok {
			return subscription{}
		}
		for _, topic := range subscribed {
			topics[topic] = true
		}
	}
	return subscription{known: true, topics: topics}
}

// subscribedTopics are the topics in a consumer's metadata; false if they cannot be told.
func subscribedTopics(metadata []byte) (topics []string, ok bool) {
	if len(metadata) < 2 {
		return nil, false
	}
	var s wire.ConsumerProtocolSubscription
	if err := s.Decode(wire.NewReader(metadata[2:]), 0); err != nil {
		return nil, false
	}
	return s.Topics, true
}

// rejoining is the kind of cause that a member's further join is. What a consumer's assignor says besides its topics is not
// a subscription.
func (g *classicGroup) rejoining(m *classicMember, rq *Join) CauseKind {
	if g.protocolType != consumerProtocol {
		return MemberRejoined
	}
	for _, p := range rq.Protocols {
		before, known := subscribedTopics(m.metadata(p.Name))
		after, tells := subscribedTopics(p.Metadata)
		if known && tells && !slices.Equal(slices.Sorted(slices.Values(before)), slices.Sorted(slices.Values(after))) {
			return SubscriptionChanged
		}
	}
	return MemberRejoined
}

// consumes reports whether the group consumes a topic. Of consumers whose subscriptions are not known every topic is
// assumed; of other kinds of groups none.
func (g *classicGroup) consumes(topic string) bool {
	if g.subscription.known {
		return g.subscription.topics[topic]
	}
	return g.protocolType == consumerProtocol
}
