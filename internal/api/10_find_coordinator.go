package api

import (
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

// findCoordinator answers FindCoordinator 0-6: the leader of the partition that holds a group or, from version 1 on, a
// transactional id. Version 4 asks for many keys at once. The first request creates the internal topic and waits for it.
func (a *API) findCoordinator(c Call, rq *wire.FindCoordinatorRequest) {
	keys := rq.CoordinatorKeys
	if c.version < 4 {
		keys = []string{rq.CoordinatorKey}
	}
	topic, err := coordinatorTopic(c, rq.KeyType)
	if err != nil || a.Metadata.Current().Topic(topic) != nil {
		c.Reply(a.coordinatorsOf(c, topic, keys, err))
		return
	}
	a.autoCreate([]string{topic}, func(failed map[string]error) {
		var err error
		if failed[topic] != nil {
			err = kafka.Errorf(kafka.CoordinatorNotAvailable, "%s cannot be created: %v", topic, failed[topic])
		}
		c.Reply(a.coordinatorsOf(c, topic, keys, err))
	})
}

// coordinatorTopic is the internal topic whose leaders are the coordinators of a type of keys.
func coordinatorTopic(c Call, keyType int8) (string, error) {
	switch {
	case keyType == groupKey:
		return kafka.OffsetsTopic, nil
	case keyType == transactionKey:
		return kafka.TransactionsTopic, nil
	case keyType == shareKey && c.version >= 6:
		return "", kafka.Errorf(kafka.InvalidRequest, "this broker does not serve share groups yet")
	}
	return "", kafka.Errorf(kafka.InvalidRequest, "%d is no type of coordinator that version %d knows", keyType, c.version)
}

func (a *API) coordinatorsOf(c Call, topic string, keys []string, failed error) *wire.FindCoordinatorResponse {
	response := new(wire.FindCoordinatorResponse)
	for _, key := range keys {
		coordinator := a.coordinatorOf(c, topic, key, failed)
		if c.version >= 4 {
			response.Coordinators = append(response.Coordinators, coordinator)
			continue
		}
		response.NodeID, response.Host, response.Port = coordinator.NodeID, coordinator.Host, coordinator.Port
		response.ErrorCode, response.ErrorMessage = coordinator.ErrorCode, coordinator.ErrorMessage
	}
	return response
}

func (a *API) coordinatorOf(c Call, topicName, key string, failed error) wire.FindCoordinatorResponseCoordinator {
	answer := wire.FindCoordinatorResponseCoordinator{Key: key, NodeID: -1, Port: -1}
	refuse := func(err error) wire.FindCoordinatorResponseCoordinator {
		answer.ErrorCode, answer.ErrorMessage = codeOf(err), kafka.MessageOf(err)
		return answer
	}
	if failed != nil {
		return refuse(failed)
	}
	image := a.Metadata.Current()
	topic := image.Topic(topicName)
	if topic == nil {
		return refuse(kafka.Errorf(kafka.CoordinatorNotAvailable, "%s is being created", topicName))
	}
	partition := topic.Partitions[kafka.CoordinatorPartition(key, len(topic.Partitions))]
	broker := image.Broker(partition.Leader)
	if broker == nil {
		return refuse(kafka.Errorf(kafka.CoordinatorNotAvailable, "the partition of %s that holds %s has no leader", topicName, key))
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
