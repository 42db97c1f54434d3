package api

import (
	"slices"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/wire"
)

// metadata answers Metadata 0-13: brokers and topics as clients of the request's listener reach them. An empty list of
// topics means all in version 0; later, null means all. Version 4 lets a client forbid auto-creation, 5 adds offline
// replicas, 7 leader epochs, 8 authorized operations, 10 topic ids in the answer, 12 in the request.
func (a *API) metadata(c Call, rq *wire.MetadataRequest) {
	if c.version < 12 && slices.ContainsFunc(rq.Topics, func(t wire.MetadataRequestTopic) bool { return t.Name == nil || !t.TopicID.IsZero() }) {
		c.Reply(refuseMetadata(rq)) // topic ids and null names are for versions from 12
		return
	}
	m := metadataAnswer{
		api: a, request: rq, version: c.version, listener: c.Session().ListenerName,
		all: rq.Topics == nil || (c.version == 0 && len(rq.Topics) == 0),
	}
	if rq.IncludeClusterAuthorizedOperations {
		m.clusterOperations = a.authorizedOperations(c.Session(), clusterResource)
	} else {
		m.clusterOperations = operationsNotAsked
	}
	m.topicOperations = operationsNotAsked
	if rq.IncludeTopicAuthorizedOperations {
		m.topicOperations = a.authorizedOperations(c.Session(), topicResource)
	}
	missing := m.toCreate()
	if len(missing) == 0 {
		c.Reply(m.answer(nil))
		return
	}
	a.autoCreate(missing, func(failed map[string]error) { c.Reply(m.answer(failed)) })
}

// refuseMetadata answers a request that its version does not allow: INVALID_REQUEST for every topic, and no brokers.
func refuseMetadata(rq *wire.MetadataRequest) *wire.MetadataResponse {
	response := new(wire.MetadataResponse)
	response.Reset()
	for _, t := range rq.Topics {
		name := ""
		if t.Name != nil {
			name = *t.Name
		}
		response.Topics = append(response.Topics, wire.MetadataResponseTopic{
			Name: &name, TopicID: t.TopicID, ErrorCode: int16(kafka.InvalidRequest), TopicAuthorizedOperations: operationsNotAsked,
		})
	}
	return response
}

// metadataAnswer is what is needed to answer one Metadata request, now or after topics were created.
type metadataAnswer struct {
	api                                *API
	request                            *wire.MetadataRequest
	version                            int16
	listener                           string
	all                                bool
	clusterOperations, topicOperations int32
}

// byID reports whether the request names topics by id: names in it are then ignored, as in Kafka.
func (m *metadataAnswer) byID() bool {
	return slices.ContainsFunc(m.request.Topics, func(t wire.MetadataRequestTopic) bool { return !t.TopicID.IsZero() })
}

// toCreate lists the topics that are asked for, do not exist and may be created by asking
// (auto.create.topics.enable).
func (m *metadataAnswer) toCreate() []string {
	if m.all || !m.request.AllowAutoTopicCreation || m.byID() || !m.api.Config().Bool(config.AutoCreateTopicsEnable) {
		return nil
	}
	image := m.api.Metadata.Current()
	var missing []string
	seen := map[string]bool{}
	for _, t := range m.request.Topics {
		if t.Name != nil && image.Topic(*t.Name) == nil && !seen[*t.Name] && kafka.CheckTopicName(*t.Name) == nil {
			seen[*t.Name] = true
			missing = append(missing, *t.Name)
		}
	}
	return missing
}

// answer makes the response from the current image; failed says why topics could not be created.
func (m *metadataAnswer) answer(failed map[string]error) *wire.MetadataResponse {
	image := m.api.Metadata.Current()
	response := new(wire.MetadataResponse)
	response.Reset()
	response.ControllerID = -1
	for b := range image.Brokers() {
		endpoint, ok := b.Endpoint(m.listener)
		if b.Fenced || !ok {
			continue
		}
		response.Brokers = append(response.Brokers, wire.MetadataResponseBroker{
			NodeID: b.ID, Host: endpoint.Host, Port: int32(endpoint.Port), Rack: b.Rack,
		})
		if response.ControllerID < 0 || b.ID == m.api.Node {
			response.ControllerID = b.ID // any broker will do: it passes requests on to the controller
		}
	}
	clusterID := image.ClusterID()
	response.ClusterID = &clusterID
	if m.version >= 8 && m.version <= 10 {
		response.ClusterAuthorizedOperations = m.clusterOperations
	}
	response.Topics = m.topics(image, failed)
	return response
}

func (m *metadataAnswer) topics(image *metadata.Image, failed map[string]error) []wire.MetadataResponseTopic {
	var topics []wire.MetadataResponseTopic
	if m.all {
		topics = make([]wire.MetadataResponseTopic, 0, image.TopicCount())
		for t := range image.Topics() {
			topics = append(topics, m.topic(image, t))
		}
		return topics
	}
	byID := m.byID()
	seenNames, seenIDs := map[string]bool{}, map[kafka.UUID]bool{}
	for _, wanted := range m.request.Topics {
		switch {
		case byID && !wanted.TopicID.IsZero() && !seenIDs[wanted.TopicID]:
			seenIDs[wanted.TopicID] = true
			if t := image.TopicByID(wanted.TopicID); t != nil {
				topics = append(topics, m.topic(image, t))
			} else {
				topics = append(topics, m.failure(nil, wanted.TopicID, kafka.UnknownTopicID))
			}
		case !byID && wanted.Name == nil:
			topics = append(topics, m.failure(nil, kafka.ZeroUUID, kafka.InvalidRequest))
		case !byID && !seenNames[*wanted.Name]:
			seenNames[*wanted.Name] = true
			if t := image.Topic(*wanted.Name); t != nil {
				topics = append(topics, m.topic(image, t))
			} else {
				topics = append(topics, m.failure(wanted.Name, kafka.ZeroUUID, missingTopic(*wanted.Name, failed)))
			}
		}
	}
	return topics
}

// missingTopic says why a topic is not there.
func missingTopic(name string, failed map[string]error) error {
	if err := kafka.CheckTopicName(name); err != nil {
		return err
	}
	if err := failed[name]; err != nil {
		return err
	}
	return kafka.UnknownTopicOrPartition
}

func (m *metadataAnswer) failure(name *string, id kafka.UUID, err error) wire.MetadataResponseTopic {
	return wire.MetadataResponseTopic{
		ErrorCode: codeOf(err), Name: name, TopicID: id, TopicAuthorizedOperations: m.topicOperations,
		IsInternal: name != nil && kafka.IsInternalTopic(*name),
	}
}

func (m *metadataAnswer) topic(image *metadata.Image, t *metadata.Topic) wire.MetadataResponseTopic {
	topic := wire.MetadataResponseTopic{
		Name: &t.Name, TopicID: t.ID, IsInternal: kafka.IsInternalTopic(t.Name), TopicAuthorizedOperations: m.topicOperations,
		Partitions: make([]wire.MetadataResponsePartition, len(t.Partitions)),
	}
	for i, p := range t.Partitions {
		topic.Partitions[i] = m.partition(image, int32(i), p)
	}
	return topic
}

func (m *metadataAnswer) partition(image *metadata.Image, id int32, p *metadata.Partition) wire.MetadataResponsePartition {
	answer := wire.MetadataResponsePartition{
		PartitionIndex: id, LeaderID: p.Leader, LeaderEpoch: p.LeaderEpoch, ReplicaNodes: p.Replicas, IsrNodes: p.ISR,
	}
	reachable := func(id int32) bool {
		b := image.Broker(id)
		if b == nil || b.Fenced {
			return false
		}
		_, ok := b.Endpoint(m.listener)
		return ok
	}
	for _, r := range p.Replicas {
		if dir, _ := p.Directory(r); !reachable(r) || !image.Broker(r).HasOnlineDir(dir) {
			answer.OfflineReplicas = append(answer.OfflineReplicas, r)
		}
	}
	switch {
	case !reachable(p.Leader):
		answer.LeaderID = metadata.NoLeader
		answer.ErrorCode = int16(kafka.LeaderNotAvailable)
		if image.Broker(p.Leader) != nil && m.version >= 6 {
			answer.ErrorCode = int16(kafka.ListenerNotFound)
		}
	case m.version == 0 && len(answer.OfflineReplicas) > 0:
		// Version 0 lists only reachable replicas and says that some are missing.
		answer.ErrorCode = int16(kafka.ReplicaNotAvailable)
	}
	if m.version == 0 {
		answer.ReplicaNodes = slices.DeleteFunc(slices.Clone(p.Replicas), func(id int32) bool { return !reachable(id) })
		answer.IsrNodes = slices.DeleteFunc(slices.Clone(p.ISR), func(id int32) bool { return !reachable(id) })
	}
	return answer
}
