package metadata

import (
	"maps"

	"github.com/ottla/ottla/internal/kafka"

	"github.com/ottla/ottla/internal/wire"
)

// Changes says what differs between two Images. All lists are in the order of their keys.
type Changes struct {
	TopicsCreated []*Topic          // as they are now
	TopicsDeleted []*Topic          // as they were
	Partitions    []PartitionChange // of topics that are there now, the created ones included
	Brokers       []BrokerChange
	Configs       []ConfigResource // set, changed or removed
	Features      bool             // a finalized level
	ProducerIDs   bool
	Controllers   bool
	Quotas        []QuotaChange
	ACLs          bool
	Scram         []ScramUser // set or removed
	Tokens        bool
}

// PartitionChange is one partition before and after.
type PartitionChange struct {
	Topic  *Topic // as it is now
	ID     int32
	Before *Partition // nil if the partition is new
	After  *Partition // never nil
}

// BrokerChange is one broker before and after; one of the two may be nil.
type BrokerChange struct {
	ID            int32
	Before, After *Broker
}

// QuotaChange is one quota before and after; one of the two may be nil.
type QuotaChange struct{ Before, After *Quota }

// Diff returns what differs between two images of one cluster. Its cost grows with what differs, not with
// what there is, as long as next came from prev by Change.
func Diff(prev, next *Image) *Changes {
	c := new(Changes)
	difference(prev.topicsByID, next.topicsByID, identical, c.topic)
	difference(prev.brokers, next.brokers, identical, func(id int32, before, after **Broker) {
		c.Brokers = append(c.Brokers, BrokerChange{id, value(before), value(after)})
	})
	difference(prev.configs, next.configs, maps.Equal, func(r ConfigResource, _, _ *map[string]string) {
		c.Configs = append(c.Configs, r)
	})
	difference(prev.features, next.features, func(a, b int16) bool { return a == b }, func(string, *int16, *int16) {
		c.Features = true
	})
	difference(prev.quotas, next.quotas, identical, func(_ string, before, after **Quota) {
		c.Quotas = append(c.Quotas, QuotaChange{value(before), value(after)})
	})
	difference(prev.scram, next.scram, identical, func(u ScramUser, _, _ **wire.UserScramCredentialRecord) {
		c.Scram = append(c.Scram, u)
	})
	c.ProducerIDs = prev.producerIDs != next.producerIDs
	c.Controllers = prev.controllers != next.controllers
	c.ACLs = prev.acls != next.acls
	c.Tokens = prev.tokens != next.tokens
	return c
}

func identical[T any](a, b *T) bool { return a == b }

func value[T any](p **T) *T {
	if p == nil {
		return nil
	}
	return *p
}

func (c *Changes) topic(_ kafka.UUID, before, after **Topic) {
	prev, next := value(before), value(after)
	switch {
	case next == nil:
		c.TopicsDeleted = append(c.TopicsDeleted, prev)
		return
	case prev == nil:
		c.TopicsCreated = append(c.TopicsCreated, next)
	}
	for i, p := range next.Partitions {
		if old := prev.Partition(int32(i)); old != p {
			c.Partitions = append(c.Partitions, PartitionChange{next, int32(i), old, p})
		}
	}
}
