package torture

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/test/harness"
	"github.com/ottla/ottla/test/torture/machines"
)

// What docs/OPERATIONS.md says of failures and of promises, shown on processes. Elsewhere: a log directory fails
// (internal/broker, TestADirectoryOfAClusterFails), nobody notices a rolling restart (test/conformance, TestRollingRestart), no
// acknowledged record is lost (TestCluster, test/sim).

// hours is a time-out that no test lives to see: what happens does not wait for it.
const hours = "36000000"

// impatient makes a client give a node up that does not answer.
var impatient = kgo.RequestTimeoutOverhead(time.Second)

// An operator looks at a cluster with one topic.
type operator struct {
	*harness.Cluster
	t     *testing.T
	admin *kadm.Client
	raw   *kgo.Client
	topic string
}

// newOperator starts three nodes and makes a topic with a partition for each of these lists of replicas (node numbers).
func newOperator(t *testing.T, replicas [][]int32, props ...string) *operator {
	t.Helper()
	return newOperatorOf(t, harness.StartCluster(t, 3, props...), replicas)
}

// newOperatorOf is newOperator for nodes that run.
func newOperatorOf(t *testing.T, nodes *harness.Cluster, replicas [][]int32) *operator {
	t.Helper()
	o := &operator{Cluster: nodes, t: t, topic: "watched"}
	o.raw = connect(t, o.Addrs(), append(quickRetries(), kgo.RetryTimeout(20*time.Second), impatient)...)
	o.admin = kadm.NewClient(o.raw)
	o.create(o.topic, replicas)
	o.settle()
	return o
}

// create makes a topic with these replicas, which are then where they were asked to be.
func (o *operator) create(topic string, replicas [][]int32) {
	o.t.Helper()
	if _, err := o.admin.CreateTopic(o.t.Context(), int32(len(replicas)), int16(len(replicas[0])), nil, topic); err != nil {
		o.t.Fatal(err)
	}
	var wanted kadm.AlterPartitionAssignmentsReq
	for p, nodes := range replicas {
		wanted.Assign(topic, int32(p), nodes)
	}
	if answer, err := o.admin.AlterPartitionAssignments(o.t.Context(), wanted); err != nil || answer.Error() != nil {
		o.t.Fatal(err, answer.Error())
	}
	o.until("replicas are where they shall be", func() error {
		for p, nodes := range replicas {
			if now := o.look(int32(p)); !slices.Equal(now.Replicas, nodes) || len(now.ISR) != len(nodes) {
				return fmt.Errorf("partition %d has replicas %v, in sync %v", p, now.Replicas, now.ISR)
			}
		}
		_, err := o.admin.ElectLeaders(o.t.Context(), kadm.ElectPreferredReplica, nil)
		return err
	})
}

func (o *operator) settle() {
	o.t.Helper()
	o.until("nothing is under-replicated", func() error {
		if missing := machines.Unsettled(o.t.Context(), o.raw, len(o.Nodes)); missing != "" {
			return errors.New(missing)
		}
		return nil
	})
}

// until polls.
func (o *operator) until(what string, check func() error) {
	o.t.Helper()
	for deadline := time.Now().Add(cycleLimit); ; time.Sleep(20 * time.Millisecond) {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			o.t.Fatalf("%s: %v", what, err)
		}
	}
}

// look is a partition of the topic as a node that answers sees it.
func (o *operator) look(partition int32) kadm.PartitionDetail {
	o.t.Helper()
	var found kadm.PartitionDetail
	o.until("metadata", func() error {
		topics, err := o.admin.ListTopics(o.t.Context(), o.topic)
		if err == nil {
			err = topics[o.topic].Err
		}
		found = topics[o.topic].Partitions[partition]
		return err
	})
	return found
}

// awaitLeader waits until one of these nodes leads a partition.
func (o *operator) awaitLeader(partition int32, nodes ...int32) {
	o.t.Helper()
	o.until(fmt.Sprintf("one of %v leads partition %d", nodes, partition), func() error {
		if now := o.look(partition); !slices.Contains(nodes, now.Leader) {
			return fmt.Errorf("leader %d, in sync %v of %v", now.Leader, now.ISR, now.Replicas)
		}
		return nil
	})
}

// write writes one record with acks=all, within a time.
func (o *operator) write(partition int32, value string, limit time.Duration) error {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(o.t.Context(), limit)
	defer cancel()
	client, err := kgo.NewClient(append(quickRetries(), kgo.SeedBrokers(o.Addrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DisableIdempotentWrite(),
		kgo.ProduceRequestTimeout(time.Second), impatient)...)
	if err != nil {
		return err
	}
	defer client.Close()
	return client.ProduceSync(ctx, &kgo.Record{Topic: o.topic, Partition: partition, Value: []byte(value)}).FirstErr()
}

func (o *operator) mustWrite(partition int32, value string) {
	o.t.Helper()
	if err := o.write(partition, value, cycleLimit); err != nil {
		o.t.Fatalf("%s to partition %d: %v", value, partition, err)
	}
}

// mustRead wants the first records of a partition to be these.
func (o *operator) mustRead(partition int32, values ...string) {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(o.t.Context(), cycleLimit)
	defer cancel()
	client := connect(o.t, o.Addrs(), append(quickRetries(), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{o.topic: {partition: kgo.NewOffset().AtStart()}}))...)
	defer client.Close()
	var read []string
	for len(read) < len(values) {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			o.t.Fatalf("partition %d: read %q, want %q; %v", partition, read, values, fetches.Err())
		}
		fetches.EachRecord(func(r *kgo.Record) { read = append(read, string(r.Value)) })
	}
	if got := read[:len(values)]; !slices.Equal(got, values) {
		o.t.Errorf("partition %d: read %q, want %q", partition, got, values)
	}
}

// everywhere is a topic with a replica on each node, led by node 1, 2, and 3.
var everywhere = [][]int32{{1, 2, 3}, {2, 3, 1}, {3, 1, 2}}

// "A node's process dies: its connections break, and a new one is refused: no time-out is waited for. The controller moves the
// leaders. If it was the active controller, the others elect one first." "A node comes back at once: a new process under the
// old number may register as soon as the connection of the one before is gone. It catches up as a follower."
func TestOperationsAProcessDies(t *testing.T) {
	t.Parallel()
	const silence = 30 * time.Second // of controllers; their heartbeats are more frequent in proportion
	o := newOperator(t, everywhere, "broker.session.timeout.ms="+hours, "replica.lag.time.max.ms="+hours, fmt.Sprintf("controller.quorum.fetch.timeout.ms=%d", silence.Milliseconds()))
	for n, b := range o.Nodes { // one of them is the active controller
		partition := int32(n)
		o.mustWrite(partition, "before")
		b.Kill9()
		died := time.Now()
		o.awaitLeader(partition, everywhere[n][1:]...)
		o.mustWrite(partition, "without")
		if took := time.Since(died); took > silence {
			t.Errorf("after the death of node %d its partitions are written again after %v: somebody has waited for a time-out", n+1, took)
		}
		b.Restart()
		o.settle()
		o.mustRead(partition, "before", "without")
	}
}

// "A node is silent: after broker.session.timeout.ms, controllers after controller.quorum.fetch.timeout.ms. The same."
func TestOperationsANodeIsSilent(t *testing.T) {
	t.Parallel()
	o := newOperator(t, everywhere)
	for n, b := range o.Nodes {
		partition := int32(n)
		o.mustWrite(partition, "before")
		b.Pause()
		silent := time.Now()
		o.awaitLeader(partition, everywhere[n][1:]...)
		o.mustWrite(partition, "without")
		// One session, and what a client needs: an election and then a session would be more, and so is any request to the silent
		// node that is waited for.
		took := time.Since(silent)
		t.Logf("node %d is silent: its partition is written again after %v", n+1, took)
		if took > 10*time.Second { // 3 s are promised; the rest is the patience of this client with the silent node, and a busy machine
			t.Errorf("a silent node stalls writes for %v", took)
		}
		b.Resume()
		o.settle()
		o.mustRead(partition, "before", "without")
	}
}

// "The minority of the controllers is lost: nothing else changes." "The majority of the controllers is lost: brokers serve
// what they lead; nothing that needs a decision works." And it works again with one of those that were lost.
func TestOperationsControllersAreLost(t *testing.T) {
	t.Parallel()
	o := newOperator(t, [][]int32{{1}, {1, 2, 3}})
	o.mustWrite(0, "before")
	o.mustWrite(1, "before")
	o.Nodes[2].Kill9()
	if _, err := o.admin.CreateTopic(t.Context(), 1, 2, nil, "with-two-controllers"); err != nil {
		t.Errorf("with two controllers of three: %v", err)
	}
	o.Nodes[1].Kill9()
	o.mustWrite(0, "alone")
	o.mustRead(0, "before", "alone")
	o.mustRead(1, "before")
	// Node 2 was in sync when the last decision was taken: nobody decides that it is not any more.
	if err := o.write(1, "not enough", 3*time.Second); err == nil {
		t.Error("acks=all is answered without the other replicas in sync")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if _, err := o.admin.CreateTopic(ctx, 1, 1, nil, "without-a-majority"); err == nil {
		t.Error("a topic is made without a majority of the controllers")
	}
	o.Nodes[1].Restart()
	o.mustWrite(1, "with two")
	if _, err := o.admin.CreateTopic(t.Context(), 1, 2, nil, "with-a-majority"); err != nil {
		t.Errorf("with two controllers again: %v", err)
	}
	o.Nodes[2].Restart()
	o.settle()
}

// "A replica that may lack what it acknowledged (its directory was lost) says so when it registers, and is then neither in
// sync nor eligible." The partition waits for the replica that has everything.
func TestOperationsADiskIsLost(t *testing.T) {
	t.Parallel()
	o := newOperator(t, [][]int32{{1, 2}, {1, 2, 3}})
	o.mustWrite(0, "acknowledged")
	o.mustWrite(1, "acknowledged")
	for _, b := range o.Nodes {
		b.Kill9()
	}
	o.Nodes[1].Wipe()
	o.Restart(o.Nodes[1], o.Nodes[2])
	// Node 3 may have left the other in-sync set, too: as it registered, nobody knew yet that node 1 was dead.
	for p := range int32(2) {
		if now := o.look(p); now.Leader == 2 {
			t.Errorf("a replica leads partition %d that has lost its disk", p)
		}
	}
	o.Nodes[0].Restart()
	o.awaitLeader(0, 1)
	for p := range int32(2) {
		o.mustRead(p, "acknowledged")
	}
	o.settle()
}

// "A replica leads only if it was in sync, or is known to have all that was committed. With unclean.leader.election.enable
// that is given up."
func TestOperationsUncleanElection(t *testing.T) {
	t.Parallel()
	o := newOperator(t, [][]int32{{1, 2}}, "min.insync.replicas=1")
	o.mustWrite(0, "both have it")
	o.Nodes[1].Kill9()
	o.awaitLeader(0, 1)
	o.mustWrite(0, "one has it")
	o.Nodes[0].Kill9()
	o.Nodes[1].Restart()
	o.until("node 2 is back", func() error {
		metadata, err := o.admin.Metadata(t.Context())
		if err == nil && !slices.Contains(metadata.Brokers.NodeIDs(), 2) {
			err = fmt.Errorf("brokers %v", metadata.Brokers.NodeIDs())
		}
		return err
	})
	o.awaitLeader(0, -1)
	answer, err := o.admin.ElectLeaders(t.Context(), kadm.ElectLiveReplica, kadm.TopicsSet{o.topic: {0: {}}})
	if err != nil || answer[o.topic][0].Err != nil {
		t.Fatal(err, answer)
	}
	o.awaitLeader(0, 2)
	o.mustRead(0, "both have it")
	o.mustWrite(0, "after")
	o.Nodes[0].Restart()
	o.settle()
	o.mustRead(0, "both have it", "after")
}

// "If the controllers do not answer for 3 s, it stops without that and says so in its log."
func TestOperationsTheLastOneStops(t *testing.T) {
	t.Parallel()
	o := newOperator(t, everywhere)
	o.Nodes[0].Kill9()
	o.Nodes[1].Kill9()
	o.Nodes[2].Stop()
	if log := o.Nodes[2].Log(); !strings.Contains(log, "the controller did not let this broker go in time") {
		t.Errorf("the log does not say that the node has gone without handing over:\n%s", log)
	}
	o.Restart(o.Nodes...)
	o.settle()
}

// "An administrator's change is answered when the node that was asked knows of it."
func TestOperationsChangesAreSeenWhereTheyWereMade(t *testing.T) {
	t.Parallel()
	o := newOperator(t, everywhere)
	for n := range 30 {
		one := o.raw.Broker(n%len(o.Nodes) + 1)
		create, look := kmsg.NewPtrCreateTopicsRequest(), kmsg.NewPtrMetadataRequest()
		topic := kmsg.NewCreateTopicsRequestTopic()
		topic.Topic, topic.NumPartitions, topic.ReplicationFactor = fmt.Sprintf("seen-%d", n), 1, 3
		create.Topics, create.TimeoutMillis = append(create.Topics, topic), 30_000
		look.Topics = []kmsg.MetadataRequestTopic{{Topic: &topic.Topic}}
		created, err := create.RequestWith(t.Context(), one)
		if err == nil {
			err = kerr.ErrorForCode(created.Topics[0].ErrorCode)
		}
		if err != nil {
			t.Fatal(err)
		}
		seen, err := look.RequestWith(t.Context(), one)
		if err == nil {
			err = kerr.ErrorForCode(seen.Topics[0].ErrorCode)
		}
		if err != nil {
			t.Errorf("node %d does not know %s: %v", n%len(o.Nodes)+1, topic.Topic, err)
		}
	}
}
