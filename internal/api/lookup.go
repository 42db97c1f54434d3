package api

import (
	"github.com/ottla/ottla/internal/kafka"
)

// topicName resolves the topic of a request that names it by name or, in newer versions, by id: UNKNOWN_TOPIC_ID.
func (a *API) topicName(name string, id kafka.UUID, byID bool) (string, error) {
	if !byID {
		return name, nil
	}
	if t := a.Metadata.Current().TopicByID(id); t != nil {
		return t.Name, nil
	}
	return "", kafka.Errorf(kafka.UnknownTopicID, "no topic has the id %s", id)
}

// nodeEndpoint is where a client reaches a node on the listener it uses.
type nodeEndpoint struct {
	node int32
	host string
	port int32
	rack *string
}

// leaderOf says who leads a partition as far as this broker knows, and how to reach it (KIP-951); -1 and nil if it is
// not known.
func (a *API) leaderOf(c Call, name kafka.TopicPartition) (leader, epoch int32, at *nodeEndpoint) {
	image := a.Metadata.Current()
	p := image.Partition(name)
	if p == nil {
		return -1, -1, nil
	}
	b := image.Broker(p.Leader)
	if b == nil {
		return p.Leader, p.LeaderEpoch, nil
	}
	endpoint, ok := b.Endpoint(c.Session().ListenerName)
	if !ok {
		return p.Leader, p.LeaderEpoch, nil
	}
	return p.Leader, p.LeaderEpoch, &nodeEndpoint{b.ID, endpoint.Host, int32(endpoint.Port), b.Rack}
}
