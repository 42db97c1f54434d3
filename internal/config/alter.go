package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
)

// ResourceType is the kind of resource that a request or a ConfigRecord is about, with Kafka's numbers.
type ResourceType int8

const (
	TopicResource         ResourceType = 2
	BrokerResource        ResourceType = 4
	BrokerLoggerResource  ResourceType = 8
	ClientMetricsResource ResourceType = 16
	GroupResource         ResourceType = 32
)

// OpType is what IncrementalAlterConfigs does to a setting, with Kafka's numbers (KIP-339).
type OpType int8

const (
	Set      OpType = 0
	Delete   OpType = 1
	Append   OpType = 2
	Subtract OpType = 3
)

// String returns Kafka's name of the operation.
func (o OpType) String() string {
	if o < 0 || o > Subtract {
		return "UNKNOWN"
	}
	return [...]string{"SET", "DELETE", "APPEND", "SUBTRACT"}[o]
}

// Op changes one setting of a resource. Value is nil for Delete.
type Op struct {
	Name  string
	Type  OpType
	Value *string
}

// Change is what an operation comes to: the setting's new text, or nil when it goes away.
type Change struct {
	Name  string
	Value *string
}

// maxValueBytes is the longest text that a record may hold.
const maxValueBytes = 1<<15 - 1

// CheckOps checks the operations on one resource before they are looked at: every name once, and a value for all but
// Delete. Errors are INVALID_REQUEST with Kafka's texts.
func CheckOps(ops []Op) error {
	seen := make(map[string]bool, len(ops))
	var null []string
	for _, op := range ops {
		if seen[op.Name] {
			return kafka.Errorf(kafka.InvalidRequest, "Error due to duplicate config keys")
		}
		seen[op.Name] = true
		if op.Type < Set || op.Type > Subtract {
			return kafka.Errorf(kafka.InvalidRequest, "Unknown operations type %d", op.Type)
		}
		if op.Value == nil && op.Type != Delete {
			null = append(null, op.Name)
		}
	}
	if len(null) > 0 {
		return kafka.Errorf(kafka.InvalidRequest, "Null value not supported for : %s", strings.Join(null, ", "))
	}
	return nil
}

// Apply computes what operations, which CheckOps has passed, make of a resource's settings. Changes that change
// nothing are left out, but for brokers, which reload files when a setting is set again. Errors are INVALID_CONFIG
// with Kafka's texts (ConfigurationControlManager.incrementalAlterConfigs).
func Apply(kind ResourceType, current map[string]string, ops []Op) ([]Change, error) {
	var changes []Change
	for _, op := range ops {
		before, set := current[op.Name]
		after := op.Value
		switch op.Type {
		case Delete:
			after = nil
		case Append, Subtract:
			r, err := listRow(kind, op)
			if err != nil {
				return nil, err
			}
			if !set {
				before = r.Default
			}
			text := changeList(before, op)
			after = &text
		}
		same := after == nil && !set || after != nil && set && *after == current[op.Name]
		if !same || kind == BrokerResource {
			changes = append(changes, Change{op.Name, after})
		}
	}
	return changes, nil
}

// listRow returns the row of a list that elements may be added to or taken from. Of subscriptions and groups none is.
func listRow(kind ResourceType, op Op) (*Row, error) {
	r := rowOf(kind, op.Name)
	isList := r != nil && r.Type == List && (kind == TopicResource || kind == BrokerResource)
	switch {
	case isList:
		return r, nil
	case kind != BrokerResource:
		return nil, kafka.Errorf(kafka.InvalidConfig, "Can't %s to key %s because its type is not LIST.", op.Type, op.Name)
	case r == nil:
		return nil, kafka.Errorf(kafka.InvalidConfig, "Unknown config name: %s", op.Name)
	}
	return nil, kafka.Errorf(kafka.InvalidConfig, "Config value %s is not allowed for config key: %s", strings.ToLower(op.Type.String()), op.Name)
}

// changeList appends elements that are not there yet, or removes elements.
func changeList(text string, op Op) string {
	parts := slices.DeleteFunc(strings.Split(text, ","), func(s string) bool { return s == "" })
	for part := range strings.SplitSeq(*op.Value, ",") {
		at := slices.Index(parts, part)
		switch {
		case op.Type == Append && at < 0:
			parts = append(parts, part)
		case op.Type == Subtract && at >= 0:
			parts = slices.Delete(parts, at, at+1)
		}
	}
	return strings.Join(parts, ",")
}

// Replace computes the changes that make a resource's settings equal to all, for the old AlterConfigs request.
func Replace(kind ResourceType, current, all map[string]string) []Change {
	var changes []Change
	for _, name := range sortedKeys(all) {
		text := all[name]
		if before, set := current[name]; !set || before != text || kind == BrokerResource {
			changes = append(changes, Change{name, &text})
		}
	}
	for _, name := range sortedKeys(current) {
		if _, kept := all[name]; !kept {
			changes = append(changes, Change{name, nil})
		}
	}
	return changes
}

// Changed returns the settings after the changes.
func Changed(current map[string]string, changes []Change) map[string]string {
	after := maps.Clone(current)
	if after == nil {
		after = make(map[string]string)
	}
	for _, c := range changes {
		if c.Value == nil {
			delete(after, c.Name)
		} else {
			after[c.Name] = *c.Value
		}
	}
	return after
}

// CheckChanges is the controller's check of changes to a resource, before it writes them: the resource's name, the
// settings as they would be, and what eligible leader replicas (elr) require: min.insync.replicas always has a value
// for the cluster and none for single brokers. Errors have Kafka's codes and texts (ConfigurationControlManager).
func (b *Broker) CheckChanges(kind ResourceType, name string, current map[string]string, changes []Change, elr bool) error {
	for _, c := range changes {
		if kind == BrokerResource && c.Name == MinInsyncReplicas.Name && elr {
			if name != "" {
				return kafka.Errorf(kafka.InvalidConfig, "Broker-level min.insync.replicas cannot be altered while ELR is enabled.")
			}
			if c.Value == nil {
				return kafka.Errorf(kafka.InvalidConfig, "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.")
			}
		}
		if c.Value != nil && len(*c.Value) > maxValueBytes {
			return kafka.Errorf(kafka.InvalidConfig, "The configuration value cannot be added because it exceeds the maximum value size of %d bytes.", maxValueBytes)
		}
	}
	after := Changed(current, changes)
	switch kind {
	case TopicResource:
		if name == "" {
			return kafka.Errorf(kafka.InvalidRequest, "Default topic resources are not allowed.")
		}
		if err := kafka.CheckTopicName(name); err != nil {
			return err
		}
		return b.CheckTopic(after)
	case BrokerResource:
		return checkBrokerName(name)
	case ClientMetricsResource:
		return CheckClientMetrics(name, after)
	case GroupResource:
		if name == "" {
			return kafka.Errorf(kafka.InvalidRequest, "Default group resources are not allowed.")
		}
		return b.CheckGroup(after)
	}
	return kafka.Errorf(kafka.InvalidRequest, "Unknown resource type %d", kind)
}

func rowOf(kind ResourceType, name string) *Row {
	switch kind {
	case TopicResource:
		return topicTable.byName[name]
	case BrokerResource:
		return brokerTable.byName[name]
	case ClientMetricsResource:
		return clientMetricsTable.byName[name]
	case GroupResource:
		return groupTable.byName[name]
	}
	return nil
}

// Sensitive reports whether a stored setting must not be shown, which is also so when its name is unknown.
func Sensitive(kind ResourceType, name string) bool {
	r := rowOf(kind, name)
	if r == nil && kind == BrokerResource {
		r = brokerRow(name)
	}
	return r == nil || r.Sensitive()
}
