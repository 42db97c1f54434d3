package controller

import (
	"strings"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// maxNewPartitions is the most partitions that one request may create
// (ReplicationControlManager.MAX_PARTITIONS_PER_BATCH).
const maxNewPartitions = 10_000

// CreateTopics creates topics, each with all its partitions and configurations, or says why not. Topics that
// cannot be created do not keep the others back. Results are in the order of the request, names that occur
// twice at the end.
func (c *Controller) CreateTopics(now time.Time, rq *wire.CreateTopicsRequest, reply Reply[*wire.CreateTopicsResponse]) statemachine.Output {
	if err := c.ready(); err != nil {
		return refused(err, reply)
	}
	wanted, response := distinctTopics(rq)
	if err := c.tooManyPartitions(wanted); err != nil {
		return decided(nil, allFailed(rq, err), reply)
	}
	var records []wire.Message
	results := make([]wire.CreateTopicsResponseCreatableTopicResult, 0, len(rq.Topics))
	for _, t := range wanted {
		result, created, err := c.createTopic(t)
		if err != nil {
			results = append(results, failedTopic(t.Name, err))
			continue
		}
		results = append(results, result)
		records = append(records, created...)
		if len(records) > maxRecords {
			return decided(nil, allFailed(rq, errTooMany), reply)
		}
	}
	response.Topics = append(results, response.Topics...)
	if rq.ValidateOnly {
		records = nil
	}
	return decided(records, response, reply)
}

// distinctTopics returns the topics to create, and a response with the refusals of those whose name occurs more
// than once or is the metadata log's.
func distinctTopics(rq *wire.CreateTopicsRequest) (wanted []*wire.CreateTopicsRequestCreatableTopic, response *wire.CreateTopicsResponse) {
	response = new(wire.CreateTopicsResponse)
	occurs := make(map[string]int, len(rq.Topics))
	for i := range rq.Topics {
		occurs[rq.Topics[i].Name]++
	}
	for i := range rq.Topics {
		t := &rq.Topics[i]
		switch n := occurs[t.Name]; {
		case n > 1:
			occurs[t.Name] = -1 // one result for all of them
			response.Topics = append(response.Topics, failedTopic(t.Name, errDuplicateName))
		case n < 0:
		case t.Name == kafka.MetadataTopic:
			err := kafka.Errorf(kafka.InvalidRequest, "Creation of internal topic %s is prohibited.", t.Name)
			response.Topics = append(response.Topics, failedTopic(t.Name, err))
		default:
			wanted = append(wanted, t)
		}
	}
	return wanted, response
}

var errDuplicateName = &kafka.Error{Code: kafka.InvalidRequest, Message: "Duplicate topic name."}

func failedTopic(name string, err error) wire.CreateTopicsResponseCreatableTopicResult {
	return wire.CreateTopicsResponseCreatableTopicResult{
		Name: name, ErrorCode: code(err), ErrorMessage: text(err), NumPartitions: -1, ReplicationFactor: -1,
		Configs: []wire.CreateTopicsResponseCreatableTopicConfigs{},
	}
}

// allFailed answers a request that fails as a whole: each of its topics with the same error.
func allFailed(rq *wire.CreateTopicsRequest, err error) *wire.CreateTopicsResponse {
	response := new(wire.CreateTopicsResponse)
	for i := range rq.Topics {
		response.Topics = append(response.Topics, failedTopic(rq.Topics[i].Name, err))
	}
	return response
}

func (c *Controller) tooManyPartitions(topics []*wire.CreateTopicsRequestCreatableTopic) error {
	total := 0
	for _, t := range topics {
		switch {
		case len(t.Assignments) > 0:
			total += len(t.Assignments)
		case t.NumPartitions == -1:
			total += c.options.Config.Int(config.NumPartitions)
		case t.NumPartitions > 0:
			total += int(t.NumPartitions)
		}
	}
	if total > maxNewPartitions {
		return kafka.Errorf(kafka.PolicyViolation, "Excessively large number of partitions per request.")
	}
	return nil
}

// createTopic decides on one topic: its result and records, or why not.
func (c *Controller) createTopic(t *wire.CreateTopicsRequestCreatableTopic) (result wire.CreateTopicsResponseCreatableTopicResult, records []wire.Message, err error) {
	if err := c.checkNewName(t.Name); err != nil {
		return result, nil, err
	}
	overrides, err := creationConfigs(t)
	if err != nil {
		return result, nil, err
	}
	resource := metadata.ConfigResource{Type: metadata.ConfigTopic, Name: t.Name}
	changes := config.Replace(config.TopicResource, nil, overrides)
	if len(changes) > 0 {
		if err := c.broker().CheckChanges(config.TopicResource, t.Name, nil, changes, c.elrEnabled()); err != nil {
			return result, nil, err
		}
	}
	partitions, err := c.newPartitions(t)
	if err != nil {
		return result, nil, err
	}
	id := c.options.NewID()
	records = append(records, &wire.TopicRecord{Name: t.Name, TopicID: id})
	// Configurations come before the partitions: whoever replays the log knows a partition's from its first moment.
	set := configRecords(resource, changes)
	records = append(records, set...)
	records = append(records, c.clearELR(set)...)
	for i, p := range partitions {
		records = append(records, p.Record(id, int32(i)))
	}
	result = wire.CreateTopicsResponseCreatableTopicResult{
		Name: t.Name, TopicID: id, NumPartitions: int32(len(partitions)), ReplicationFactor: int16(len(partitions[0].Replicas)),
	}
	for _, e := range c.effective(overrides) {
		result.Configs = append(result.Configs, wire.CreateTopicsResponseCreatableTopicConfigs{
			Name: e.Name, Value: e.Value, ReadOnly: e.ReadOnly, ConfigSource: int8(e.Source), IsSensitive: e.Sensitive,
		})
	}
	return result, records, nil
}

// checkNewName returns why no topic can be created under the name.
func (c *Controller) checkNewName(name string) error {
	// Existence goes first: an existing name with a '.' or '_' also collides with itself.
	if c.Image().Topic(name) != nil {
		return kafka.Errorf(kafka.TopicAlreadyExists, "Topic '%s' already exists.", name)
	}
	if other, found := c.folded.colliding(name); found {
		return kafka.Errorf(kafka.InvalidTopicException, "Topic '%s' collides with existing topic: %s", name, other)
	}
	if name == "." || name == ".." {
		return kafka.Errorf(kafka.InvalidTopicException, "Topic name is invalid: '%s' is not allowed", name)
	}
	return kafka.CheckTopicName(name)
}

// creationConfigs returns the overrides that a new topic asks for; of two with the same name the last counts.
func creationConfigs(t *wire.CreateTopicsRequestCreatableTopic) (map[string]string, error) {
	overrides := make(map[string]string, len(t.Configs))
	var null []string
	for _, config := range t.Configs {
		if config.Value == nil {
			null = append(null, config.Name)
			continue
		}
		overrides[config.Name] = *config.Value
	}
	if len(null) > 0 {
		return nil, kafka.Errorf(kafka.InvalidConfig, "Null value not supported for topic configs: %s", strings.Join(null, ","))
	}
	return overrides, nil
}

// newPartitions decides where the partitions of a new topic live.
func (c *Controller) newPartitions(t *wire.CreateTopicsRequestCreatableTopic) ([]*metadata.Partition, error) {
	if len(t.Assignments) > 0 {
		return c.assignedPartitions(t)
	}
	replicationFactor, count := t.ReplicationFactor, t.NumPartitions
	switch {
	case replicationFactor < -1 || replicationFactor == 0:
		return nil, kafka.Errorf(kafka.InvalidReplicationFactor, "Replication factor must be larger than 0, or -1 to use the default value.")
	case count < -1 || count == 0:
		return nil, kafka.Errorf(kafka.InvalidPartitions, "Number of partitions was set to an invalid non-positive value.")
	}
	if replicationFactor == -1 {
		replicationFactor = int16(c.options.Config.Int(config.DefaultReplicationFactor))
	}
	if count == -1 {
		count = int32(c.options.Config.Int(config.NumPartitions))
	}
	placed, reason := c.place(int(count), replicationFactor)
	if reason != "" {
		return nil, unplaceable(replicationFactor, reason)
	}
	return c.startPartitions(placed, replicationFactor)
}

func unplaceable(replicationFactor int16, reason string) error {
	return kafka.Errorf(kafka.InvalidReplicationFactor, "Unable to replicate the partition %d time(s): %s", replicationFactor, reason)
}

// startPartitions makes partitions of placed replicas.
func (c *Controller) startPartitions(placed [][]int32, replicationFactor int16) ([]*metadata.Partition, error) {
	partitions := make([]*metadata.Partition, len(placed))
	for i, replicas := range placed {
		isr := c.activeOf(replicas)
		if len(isr) == 0 {
			return nil, unplaceable(replicationFactor, "All brokers are currently fenced or in controlled shutdown.")
		}
		partitions[i] = c.newPartition(replicas, isr)
	}
	return partitions, nil
}

// assignedPartitions takes the replicas that the request names.
func (c *Controller) assignedPartitions(t *wire.CreateTopicsRequestCreatableTopic) ([]*metadata.Partition, error) {
	switch {
	case t.ReplicationFactor != -1:
		return nil, kafka.Errorf(kafka.InvalidRequest, "A manual partition assignment was specified, but replication factor was not set to -1.")
	case t.NumPartitions != -1:
		return nil, kafka.Errorf(kafka.InvalidRequest, "A manual partition assignment was specified, but numPartitions was not set to -1.")
	}
	byIndex := make(map[int32]*metadata.Partition, len(t.Assignments))
	expected := 0
	for _, a := range t.Assignments {
		if byIndex[a.PartitionIndex] != nil {
			return nil, kafka.Errorf(kafka.InvalidReplicaAssignment, "Found multiple manual partition assignments for partition %d", a.PartitionIndex)
		}
		p, err := c.assignedPartition(a.PartitionIndex, a.BrokerIDs, expected)
		if err != nil {
			return nil, err
		}
		expected = len(a.BrokerIDs)
		byIndex[a.PartitionIndex] = p
	}
	partitions := make([]*metadata.Partition, len(byIndex))
	for i := range partitions {
		if partitions[i] = byIndex[int32(i)]; partitions[i] == nil {
			return nil, kafka.Errorf(kafka.InvalidReplicaAssignment, "partitions should be a consecutive 0-based integer sequence")
		}
	}
	return partitions, nil
}

func (c *Controller) assignedPartition(index int32, replicas []int32, expected int) (*metadata.Partition, error) {
	if err := c.checkAssignment(replicas, expected); err != nil {
		return nil, err
	}
	isr := c.activeOf(replicas)
	if len(isr) == 0 {
		return nil, kafka.Errorf(kafka.InvalidReplicaAssignment, "All brokers specified in the manual partition assignment for partition %d are fenced or in controlled shutdown.", index)
	}
	return c.newPartition(append([]int32(nil), replicas...), isr), nil
}
