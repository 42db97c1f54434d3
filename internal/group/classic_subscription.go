package group

import "github.com/ottla/ottla/internal/wire"

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
		metadata := m.metadata(g.protocol)
		if len(metadata) < 2 {
			return subscription{}
		}
		var s wire.ConsumerProtocolSubscription
		if err := s.Decode(wire.NewReader(metadata[2:]), 0); err != nil {
			return subscription{}
		}
		for _, topic := range s.Topics {
			topics[topic] = true
		}
	}
	return subscription{known: true, topics: topics}
}

// consumes reports whether the group consumes a topic. Of consumers whose subscriptions are not known every topic is
// assumed; of other kinds of groups none.
func (g *classicGroup) consumes(topic string) bool {
	if g.subscription.known {
		return g.subscription.topics[topic]
	}
	return g.protocolType == consumerProtocol
}
