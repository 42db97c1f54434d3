package api

import (
	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/wire"
)

// Key types of FindCoordinator.
const (
	groupKey       = 0
	transactionKey = 1
	shareKey       = 2
)

// findCoordinator answers FindCoordinator 0-6: the leader of the partition that holds a group. Version 4 asks for many
// keys at once. The first request creates __consumer_offsets and waits for it.
func (a *API) findCoordinator(c Call, rq *wire.FindCoordinatorRequest) {
	keys := rq.CoordinatorKeys
	if c.version < 4 {
		keys = []string{rq.CoordinatorKey}
	}
	if rq.KeyType != groupKey {
		c.Reply(a.coordinatorsOf(c, rq.KeyType, keys, nil))
		return
	}
	if a.Metadata.Current().Topic(kafka.OffsetsTopic) != nil {
		c.Reply(a.coordinatorsOf(c, rq.KeyType, keys, nil))
		return
	}
	a.autoCreate([]string{kafka.OffsetsTopic}, func(failed map[string]error) {
		c.Reply(a.coordinatorsOf(c, rq.KeyType, keys, failed[kafka.OffsetsTopic]))
	})
}

func (a *API) coordinatorsOf(c Call, keyType int8, keys []string, failed error) *wire.FindCoordinatorResponse {
	response := new(wire.FindCoordinatorResponse)
	for _, key := range keys {
		coordinator := a.coordinatorOf(c, keyType, key, failed)
		if c.version >= 4 {
			response.Coordinators = append(response.Coordinators, coordinator)
			continue
		}
		response.NodeID, response.Host, response.Port = coordinator.NodeID, coordinator.Host, coordinator.Port
		response.ErrorCode, response.ErrorMessage = coordinator.ErrorCode, coordinator.ErrorMessage
	}
	return response
}

func (a *API) coordinatorOf(c Call, keyType int8, key string, failed error) wire.FindCoordinatorResponseCoordinator {
	answer := wire.FindCoordinatorResponseCoordinator{Key: key, NodeID: -1, Port: -1}
	refuse := func(err error) wire.FindCoordinatorResponseCoordinator {
		answer.ErrorCode, answer.ErrorMessage = codeOf(err), kafka.MessageOf(err)
		return answer
	}
	switch {
	case keyType == transactionKey:
		return refuse(errNoTransactions)
	case keyType == shareKey && c.version >= 6:
		return refuse(kafka.Errorf(kafka.InvalidRequest, "this broker does not serve share groups yet"))
	case keyType != groupKey:
		return refuse(kafka.Errorf(kafka.InvalidRequest, "%d is no type of coordinator that version %d knows", keyType, c.version))
	case failed != nil:
		return refuse(kafka.Errorf(kafka.CoordinatorNotAvailable, "%s cannot be created: %v", kafka.OffsetsTopic, failed))
	}
	image := a.Metadata.Current()
	topic := image.Topic(kafka.OffsetsTopic)
	if topic == nil {
		return refuse(kafka.Errorf(kafka.CoordinatorNotAvailable, "%s is being created", kafka.OffsetsTopic))
	}
	partition := topic.Partitions[group.PartitionOf(key, len(topic.Partitions))]
	broker := image.Broker(partition.Leader)
	if broker == nil {
		return refuse(kafka.Errorf(kafka.CoordinatorNotAvailable, "the partition of %s that holds %s has no leader", kafka.OffsetsTopic, key))
	}
	return a.reachable(c, broker, answer)
}

// reachable fills in where the client reaches the coordinator.
func (a *API) reachable(c Call, broker *metadata.Broker, answer wire.FindCoordinatorResponseCoordinator) wire.FindCoordinatorResponseCoordinator {
	endpoint, ok := broker.Endpoint(c.Session().ListenerName)
	if !ok {
		answer.ErrorCode = int16(kafka.CoordinatorNotAvailable)
		return answer
	}
	message := ""
	if c.version < 4 {
		message = kafka.None.String() // as Kafka has it in these versions
	}
	answer.NodeID, answer.Host, answer.Port, answer.ErrorMessage = broker.ID, endpoint.Host, int32(endpoint.Port), &message
	return answer
}
