package tools

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// A partitionMove is between which brokers a partition's records go.
type partitionMove struct{ sources, destinations []int32 }

// moves works out the moves of active reassignments, and of those proposed.
func moves(active map[kafka.TopicPartition]kmsg.ListPartitionReassignmentsResponseTopicPartition, proposed, current map[kafka.TopicPartition][]int32) map[kafka.TopicPartition]partitionMove {
	without := func(list, gone []int32) []int32 {
		return slices.DeleteFunc(slices.Clone(list), func(id int32) bool { return slices.Contains(gone, id) })
	}
	all := map[kafka.TopicPartition]partitionMove{}
	for tp, r := range active {
		all[tp] = partitionMove{without(r.Replicas, r.AddingReplicas), r.AddingReplicas}
	}
	for tp, replicas := range proposed {
		sources := current[tp]
		if m, moving := all[tp]; moving {
			sources = m.sources
		}
		all[tp] = partitionMove{sources, without(replicas, sources)}
	}
	return all
}

// throttleMoves limits the rates of moves; a rate below 0 is none.
func (t *reassignTool) throttleMoves(all map[kafka.TopicPartition]partitionMove, dirs map[replicaOf]string, rate, dirRate int64) error {
	if rate < 0 && dirRate < 0 {
		return nil
	}
	t.println("Warning: You must run --verify periodically, until the reassignment completes, to ensure the throttle is removed.")
	if rate >= 0 {
		if err := t.throttleReplicas(all); err != nil {
			return err
		}
		var brokers []int32
		for _, m := range all {
			brokers = append(append(brokers, m.sources...), m.destinations...)
		}
		value := strconv.FormatInt(rate, 10)
		if err := t.changeBrokers(brokers, []configChange{
			{name: "leader.replication.throttled.rate", value: value}, {name: "follower.replication.throttled.rate", value: value},
		}); err != nil {
			return err
		}
		t.println("The inter-broker throttle limit was set to " + value + " B/s")
	}
	if dirRate >= 0 {
		var brokers []int32
		for r := range dirs {
			brokers = append(brokers, r.broker)
		}
		value := strconv.FormatInt(dirRate, 10)
		if err := t.changeBrokers(brokers, []configChange{{name: "replica.alter.log.dirs.io.max.bytes.per.second", value: value}}); err != nil {
			return err
		}
		t.println("The replica-alter-dir throttle limit was set to " + value + " B/s")
	}
	return nil
}

// throttleReplicas names the replicas that are throttled in the configs of their topics.
func (t *reassignTool) throttleReplicas(all map[kafka.TopicPartition]partitionMove) error {
	leaders, followers := map[string][]string{}, map[string][]string{}
	for tp, m := range all {
		for _, id := range m.sources {
			leaders[tp.Topic] = append(leaders[tp.Topic], fmt.Sprintf("%d:%d", tp.Partition, id))
		}
		for _, id := range m.destinations {
			followers[tp.Topic] = append(followers[tp.Topic], fmt.Sprintf("%d:%d", tp.Partition, id))
		}
	}
	list := func(of []string) string { return strings.Join(slices.Compact(slices.Sorted(slices.Values(of))), ",") }
	for topic := range byTopic(sortedPartitions(all)) {
		if err := t.alterConfigs(kmsg.ConfigResourceTypeTopic, topic, []configChange{
			{name: "leader.replication.throttled.replicas", value: list(leaders[topic])},
			{name: "follower.replication.throttled.replicas", value: list(followers[topic])},
		}); err != nil {
			return inFuture(err)
		}
	}
	return nil
}

func (t *reassignTool) changeBrokers(ids []int32, changes []configChange) error {
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if err := t.alterConfigs(kmsg.ConfigResourceTypeBroker, strconv.Itoa(int(id)), changes); err != nil {
			return inFuture(err)
		}
	}
	return nil
}

// clearThrottles removes all throttles of the plan's topics, and of all brokers: any of them may have been a source.
func (t *reassignTool) clearThrottles(plan []plannedPartition) error {
	brokers, err := t.liveBrokers()
	if err != nil {
		return inFuture(err)
	}
	var topics []string
	for _, p := range plan {
		brokers = append(brokers, p.replicas...)
		topics = append(topics, p.partition.Topic)
	}
	slices.Sort(brokers)
	brokers = inJavaOrder(slices.Compact(brokers), javaIntHash, javaMapSize)
	t.printf("Clearing broker-level throttles on broker%s %s\n", plural(len(brokers)), joinIDs(brokers))
	if err := t.changeBrokers(brokers, []configChange{
		{name: "leader.replication.throttled.rate", delete: true}, {name: "follower.replication.throttled.rate", delete: true},
		{name: "replica.alter.log.dirs.io.max.bytes.per.second", delete: true},
	}); err != nil {
		return err
	}
	slices.Sort(topics)
	topics = inJavaMapOrder(slices.Compact(topics), func(name string) string { return name })
	t.printf("Clearing topic-level throttles on topic%s %s\n", plural(len(topics)), strings.Join(topics, ","))
	for _, topic := range topics {
		if err := t.alterConfigs(kmsg.ConfigResourceTypeTopic, topic, []configChange{
			{name: "leader.replication.throttled.replicas", delete: true}, {name: "follower.replication.throttled.replicas", delete: true},
		}); err != nil {
			return inFuture(err)
		}
	}
	return nil
}
