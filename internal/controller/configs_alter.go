package controller

import (
	"strconv"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// IncrementalAlterConfigs changes single properties of resources (KIP-339): a resource's changes are all made or
// none. asked is the configuration of the broker that the client sent the request to, which alone can tell whether
// it takes a change of its own; nil if that broker has checked it. Log levels are not metadata: the caller has
// taken BROKER_LOGGER resources out.
func (c *Controller) IncrementalAlterConfigs(now time.Time, asked *config.Broker, rq *wire.IncrementalAlterConfigsRequest, reply Reply[*wire.IncrementalAlterConfigsResponse]) statemachine.Output {
	if err := c.ready(); err != nil {
		return refused(err, reply)
	}
	alterations := make([]alteration, len(rq.Resources))
	for i, r := range rq.Resources {
		alterations[i] = alteration{kind: config.ResourceType(r.ResourceType), name: r.ResourceName}
		for _, a := range r.Configs {
			alterations[i].ops = append(alterations[i].ops, config.Op{Name: a.Name, Type: config.OpType(a.ConfigOperation), Value: a.Value})
		}
	}
	records, errs := c.alterConfigs(asked, alterations)
	if len(records) > maxRecords {
		return refused(errTooMany, reply)
	}
	response := new(wire.IncrementalAlterConfigsResponse)
	for i, r := range rq.Resources {
		response.Responses = append(response.Responses, wire.IncrementalAlterConfigsResponseAlterConfigsResourceResponse{
			ErrorCode: code(errs[i]), ErrorMessage: text(errs[i]), ResourceType: r.ResourceType, ResourceName: r.ResourceName,
		})
	}
	if rq.ValidateOnly {
		records = nil
	}
	return decided(records, response, reply)
}

// AlterConfigs replaces the configuration of resources: what the request does not name is removed (the legacy
// request of KIP-133). asked is as for IncrementalAlterConfigs.
func (c *Controller) AlterConfigs(now time.Time, asked *config.Broker, rq *wire.AlterConfigsRequest, reply Reply[*wire.AlterConfigsResponse]) statemachine.Output {
	if err := c.ready(); err != nil {
		return refused(err, reply)
	}
	alterations := make([]alteration, len(rq.Resources))
	for i, r := range rq.Resources {
		alterations[i] = alteration{kind: config.ResourceType(r.ResourceType), name: r.ResourceName, replace: true}
		for _, a := range r.Configs {
			alterations[i].ops = append(alterations[i].ops, config.Op{Name: a.Name, Type: config.Set, Value: a.Value})
		}
	}
	records, errs := c.alterConfigs(asked, alterations)
	if len(records) > maxRecords {
		return refused(errTooMany, reply)
	}
	response := new(wire.AlterConfigsResponse)
	for i, r := range rq.Resources {
		response.Responses = append(response.Responses, wire.AlterConfigsResponseAlterConfigsResourceResponse{
			ErrorCode: code(errs[i]), ErrorMessage: text(errs[i]), ResourceType: r.ResourceType, ResourceName: r.ResourceName,
		})
	}
	if rq.ValidateOnly {
		records = nil
	}
	return decided(records, response, reply)
}

// alteration is what a request wants of one resource.
type alteration struct {
	kind    config.ResourceType
	name    string
	ops     []config.Op
	replace bool // remove what no op names
}

func (a *alteration) resource() metadata.ConfigResource {
	return metadata.ConfigResource{Type: metadata.ConfigType(a.kind), Name: a.name}
}

// alterConfigs decides on all resources of a request; errs has one entry each.
func (c *Controller) alterConfigs(asked *config.Broker, alterations []alteration) (records []wire.Message, errs []error) {
	occurs := map[metadata.ConfigResource]int{}
	for i := range alterations {
		occurs[alterations[i].resource()]++
	}
	errs = make([]error, len(alterations))
	for i := range alterations {
		a := &alterations[i]
		if occurs[a.resource()] > 1 {
			errs[i] = kafka.Errorf(kafka.InvalidRequest, "Each resource must appear at most once.")
			continue
		}
		var altered []wire.Message
		if altered, errs[i] = c.alterConfig(asked, a); errs[i] == nil {
			records = append(records, altered...)
		}
	}
	return append(records, c.clearELR(records)...), errs
}

func (c *Controller) alterConfig(asked *config.Broker, a *alteration) ([]wire.Message, error) {
	if err := config.CheckOps(a.ops); err != nil {
		return nil, err
	}
	before := c.Image().Config(a.resource())
	changes, err := a.changes(before)
	if err != nil {
		return nil, err
	}
	if a.kind == config.BrokerResource && asked != nil {
		if err := asked.CheckDynamic(a.name, config.Changed(before, changes)); err != nil {
			return nil, err
		}
	}
	if err := c.broker().CheckChanges(a.kind, a.name, before, changes, c.elrEnabled()); err != nil {
		return nil, err
	}
	return configRecords(a.resource(), changes), c.checkExists(a.resource())
}

// changes works out what the operations make of the resource's configuration.
func (a *alteration) changes(before map[string]string) ([]config.Change, error) {
	if a.replace {
		all := make(map[string]string, len(a.ops))
		for _, op := range a.ops {
			all[op.Name] = *op.Value
		}
		return config.Replace(a.kind, before, all), nil
	}
	if a.kind == config.BrokerResource {
		if err := checkBrokerLists(a.ops); err != nil {
			return nil, err
		}
	}
	return config.Apply(a.kind, before, a.ops)
}

// checkBrokerLists refuses APPEND and SUBTRACT for broker properties that are no lists, with the texts of Kafka's
// ConfigAdminManager.
func checkBrokerLists(ops []config.Op) error {
	for _, op := range ops {
		verb := "append"
		switch op.Type {
		case config.Append:
		case config.Subtract:
			verb = "subtract"
		default:
			continue
		}
		var row *config.Row
		for r := range config.BrokerRows() {
			if r.Name == op.Name {
				row = r
				break
			}
		}
		if row == nil {
			return kafka.Errorf(kafka.InvalidConfig, "Unknown config name: %s", op.Name)
		}
		if row.Type != config.List {
			return kafka.Errorf(kafka.InvalidConfig, "Config value %s is not allowed for config key: %s", verb, op.Name)
		}
	}
	return nil
}

func configRecords(resource metadata.ConfigResource, changes []config.Change) []wire.Message {
	records := make([]wire.Message, len(changes))
	for i, change := range changes {
		records[i] = &wire.ConfigRecord{
			ResourceType: int8(resource.Type), ResourceName: resource.Name, Name: change.Name, Value: change.Value,
		}
	}
	return records
}

func (c *Controller) checkExists(resource metadata.ConfigResource) error {
	switch {
	case resource.Type == metadata.ConfigTopic && c.Image().Topic(resource.Name) == nil:
		return kafka.Errorf(kafka.UnknownTopicOrPartition, "The topic '%s' does not exist.", resource.Name)
	case resource.Type == metadata.ConfigBroker && resource.Name != "":
		id, err := strconv.ParseInt(resource.Name, 10, 32)
		if err != nil || c.Image().Broker(int32(id)) == nil && int(id) != c.options.Config.Int(config.NodeID) {
			return kafka.Errorf(kafka.BrokerIDNotRegistered, "No node with id %s found.", resource.Name)
		}
	}
	return nil
}

// clearELR follows a change of min.insync.replicas: who was eligible under the old number may not be now.
func (c *Controller) clearELR(records []wire.Message) []wire.Message {
	if !c.elrEnabled() {
		return nil
	}
	var clear []wire.Message
	for _, m := range records {
		if r, ok := m.(*wire.ConfigRecord); ok && r.Name == minInsyncReplicas {
			record := new(wire.ClearElrRecord)
			if metadata.ConfigType(r.ResourceType) == metadata.ConfigTopic {
				record.TopicName = r.ResourceName
			}
			clear = append(clear, record)
		}
	}
	return clear
}
