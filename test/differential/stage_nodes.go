package differential

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/wire"
)

// nodes are the brokers of a cluster, which a scenario asks one by one, stops and starts. Node n has the number n-1.
type nodes struct {
	addrs             []string
	stop, kill, start func(n int) error
}

// onNode is "at N", from where on node N is asked, and "stop N", "kill N" and "start N", which wait until that is done; what the
// others make of it the scenario waits for.
func (r *run) onNode(verb, text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || r.nodes == nil || n < 1 || n > len(r.nodes.addrs) {
		return fmt.Errorf("no node %q", text)
	}
	if verb == "at" {
		r.addr = r.nodes.addrs[n-1]
		return nil
	}
	for name, c := range r.conns {
		if strings.HasPrefix(name, r.nodes.addrs[n-1]+" ") {
			c.Close()
			delete(r.conns, name)
		}
	}
	return map[string]func(int) error{"stop": r.nodes.stop, "kill": r.nodes.kill, "start": r.nodes.start}[verb](n)
}

// placed creates a topic with its replicas where the scenario wants them, "placed NAME 1,2,3 2,3,1 [config=value ...]", a word for
// each partition, and waits until all nodes know that all replicas are in sync, and the first of each leads.
func (r *run) placed(words []string) error {
	wanted := wire.CreateTopicsRequestCreatableTopic{Name: words[0], NumPartitions: -1, ReplicationFactor: -1}
	for _, w := range words[1:] {
		if key, value, is := strings.Cut(w, "="); is {
			wanted.Configs = append(wanted.Configs, wire.CreateTopicsRequestCreatableTopicConfig{Name: key, Value: &value})
			continue
		}
		replicas, err := numbers(w)
		if err != nil {
			return err
		}
		wanted.Assignments = append(wanted.Assignments, wire.CreateTopicsRequestCreatableReplicaAssignment{
			PartitionIndex: int32(len(wanted.Assignments)), BrokerIDs: replicas,
		})
	}
	if err := r.create(wanted); err != nil {
		return err
	}
	return r.awaitPlaces(wanted)
}

func numbers(list string) (all []int32, err error) {
	for word := range strings.SplitSeq(list, ",") {
		n, err := strconv.ParseInt(word, 10, 32)
		if err != nil {
			return nil, err
		}
		all = append(all, int32(n))
	}
	return all, nil
}

// awaitPlaces waits until every node has the topic, and every leader is one.
func (r *run) awaitPlaces(wanted wire.CreateTopicsRequestCreatableTopic) error {
	before := r.addr
	defer func() { r.addr = before }()
	for _, r.addr = range r.nodes.addrs {
		err := r.until(12, &wire.MetadataRequest{Topics: []wire.MetadataRequestTopic{{Name: &wanted.Name}}}, func(m wire.Message) bool {
			topic := m.(*wire.MetadataResponse).Topics[0]
			return topic.ErrorCode == 0 && len(topic.Partitions) == len(wanted.Assignments) && !slices.ContainsFunc(topic.Partitions, func(p wire.MetadataResponsePartition) bool {
				replicas := wanted.Assignments[p.PartitionIndex].BrokerIDs
				return p.LeaderID != replicas[0] || len(p.IsrNodes) != len(replicas)
			})
		})
		if err != nil {
			return err
		}
	}
	for _, a := range wanted.Assignments {
		r.addr = r.nodes.addrs[a.BrokerIDs[0]-1]
		asked := &wire.ListOffsetsRequest{ReplicaID: -1, Topics: []wire.ListOffsetsRequestListOffsetsTopic{{
			Name: wanted.Name, Partitions: []wire.ListOffsetsRequestListOffsetsPartition{{PartitionIndex: a.PartitionIndex, CurrentLeaderEpoch: -1, Timestamp: -1}},
		}}}
		err := r.until(5, asked, func(m wire.Message) bool {
			return m.(*wire.ListOffsetsResponse).Topics[0].Partitions[0].ErrorCode == 0
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// startLimit is what a node has to start in again.
const startLimit = 3 * time.Minute
