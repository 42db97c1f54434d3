package torture

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/test/harness"
)

// "Grow the quorum" and "Replace a controller" of docs/OPERATIONS.md while somebody writes: from one node to three, by
// controller.quorum.auto.join.enable and by add-controller, then the first node with all its data is lost, and another takes its number.
func TestOperationsGrowAndReplace(t *testing.T) {
	var places []harness.Place
	var seeds, controllers []string
	for range 3 {
		p := harness.NewPlace(t)
		places, seeds, controllers = append(places, p), append(seeds, p.Clients.Front), append(controllers, p.Controllers.Front)
	}
	bootstrap := "controller.quorum.bootstrap.servers=" + strings.Join(controllers, ",")
	const autoJoin = "controller.quorum.auto.join.enable=true"

	first := harness.StartMember(t, 1, places[0])
	o := &operator{Cluster: &harness.Cluster{Nodes: []*harness.Broker{first}}, t: t, topic: "watched"}
	o.raw = connect(t, seeds, append(quickRetries(), kgo.RetryTimeout(20*time.Second), impatient)...)
	o.admin = kadm.NewClient(o.raw)
	o.create(o.topic, [][]int32{{1}})
	lost := o.awaitVoters(1)[1]
	w := o.writeOn(seeds)
	w.awaitMore(20)

	second := harness.StartMember(t, 2, places[1], bootstrap, autoJoin)
	o.awaitVoters(1, 2)
	third := harness.StartMember(t, 3, places[2], bootstrap)
	o.addController(third, 3, places[2], bootstrap)
	o.awaitVoters(1, 2, 3)
	o.replicate(1, 2, 3)
	w.awaitMore(20)

	first.Kill9()
	w.awaitMore(20)
	again := harness.StartMember(t, 1, places[0], bootstrap, autoJoin) // its directory is another
	o.until("the new disk of node 1 has a vote in place of the lost one", func() error {
		voters, err := o.voters()
		if err == nil && (len(voters) != 3 || voters[1] == lost) {
			err = fmt.Errorf("voters %x, lost is %x", voters, lost)
		}
		return err
	})
	o.replicate(1, 2, 3)

	second.Kill9() // two of the three that are left are those that came later
	w.awaitMore(20)
	second.Restart()
	o.replicate(1, 2, 3)
	o.mustRead(0, w.end()...)
	for _, b := range []*harness.Broker{again, second, third} {
		b.Stop()
	}
}

// "Three nodes survive the loss of one, five of two": the active controller and another one, at the same time.
func TestOperationsFiveLoseTwo(t *testing.T) {
	o := newOperatorOf(t, harness.StartCluster(t, 5), [][]int32{{1, 2, 3, 4, 5}, {2, 3, 4, 5, 1}, {3, 4, 5, 1, 2}, {4, 5, 1, 2, 3}, {5, 1, 2, 3, 4}})
	for p := range int32(5) {
		o.mustWrite(p, "before")
	}
	active := o.active()
	gone := []int{active - 1, active % 5}
	for _, n := range gone {
		o.Nodes[n].Kill9()
	}
	for p := range int32(5) {
		o.mustWrite(p, "meanwhile")
	}
	for _, n := range gone {
		o.Nodes[n].Restart()
	}
	o.settle()
	for p := range int32(5) {
		o.mustRead(p, "before", "meanwhile")
	}
}

// quorum is what the active controller says of the quorum.
func (o *operator) quorum() (*kmsg.DescribeQuorumResponseTopicPartition, error) {
	rq := kmsg.NewPtrDescribeQuorumRequest()
	topic, partition := kmsg.NewDescribeQuorumRequestTopic(), kmsg.NewDescribeQuorumRequestTopicPartition()
	topic.Topic, topic.Partitions = "__cluster_metadata", append(topic.Partitions, partition)
	rq.Topics = append(rq.Topics, topic)
	ctx, cancel := context.WithTimeout(o.t.Context(), 5*time.Second)
	defer cancel()
	answer, err := rq.RequestWith(ctx, o.raw)
	if err != nil {
		return nil, err
	}
	if answer.ErrorCode != 0 || len(answer.Topics) != 1 || len(answer.Topics[0].Partitions) != 1 || answer.Topics[0].Partitions[0].ErrorCode != 0 {
		return nil, fmt.Errorf("DescribeQuorum is answered with %+v", answer)
	}
	return &answer.Topics[0].Partitions[0], nil
}

// active is the number of the active controller.
func (o *operator) active() (node int) {
	o.t.Helper()
	o.until("there is an active controller", func() error {
		quorum, err := o.quorum()
		if err == nil {
			node = int(quorum.LeaderID)
		}
		return err
	})
	return node
}

// voters are the directory ids of the controllers with a vote.
func (o *operator) voters() (map[int32][16]byte, error) {
	quorum, err := o.quorum()
	if err != nil {
		return nil, err
	}
	voters := make(map[int32][16]byte)
	for _, v := range quorum.CurrentVoters {
		voters[v.ReplicaID] = v.ReplicaDirectoryID
	}
	return voters, nil
}

// awaitVoters waits until just these nodes have a vote.
func (o *operator) awaitVoters(nodes ...int32) (voters map[int32][16]byte) {
	o.t.Helper()
	o.until(fmt.Sprintf("%v are the voters", nodes), func() (err error) {
		if voters, err = o.voters(); err != nil {
			return err
		}
		for _, node := range nodes {
			if _, is := voters[node]; !is || len(voters) != len(nodes) {
				return fmt.Errorf("voters are %x", voters)
			}
		}
		return nil
	})
	return voters
}

// addController does on a node what OPERATIONS.md says: kafka-metadata-quorum add-controller with its configuration.
func (o *operator) addController(b *harness.Broker, node int, at harness.Place, bootstrap string) {
	o.t.Helper()
	binary, err := harness.BuiltBinary()
	if err != nil {
		o.t.Fatal(err)
	}
	properties := filepath.Join(o.t.TempDir(), "server.properties")
	text := fmt.Sprintf("node.id=%d\nprocess.roles=broker,controller\nlog.dirs=%s\ncontroller.listener.names=CONTROLLER\nlisteners=PLAINTEXT://%s,CONTROLLER://%s\n%s\n",
		node, b.Dir, at.Clients.Behind, at.Controllers.Behind, bootstrap)
	if err := os.WriteFile(properties, []byte(text), 0o600); err != nil {
		o.t.Fatal(err)
	}
	o.until("add-controller", func() error {
		out, err := exec.Command(binary, "kafka-metadata-quorum", "--bootstrap-server", o.Addrs()[0], "--command-config", properties, "add-controller").CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
}

// replicate moves the partition to these nodes, and waits until all are in sync.
func (o *operator) replicate(nodes ...int32) {
	o.t.Helper()
	var wanted kadm.AlterPartitionAssignmentsReq
	wanted.Assign(o.topic, 0, nodes)
	o.until("the partition moves", func() error {
		answer, err := o.admin.AlterPartitionAssignments(o.t.Context(), wanted)
		return errors.Join(err, answer.Error())
	})
	o.until(fmt.Sprintf("%v are in sync", nodes), func() error {
		if now := o.look(0); len(now.ISR) != len(nodes) || len(now.Replicas) != len(nodes) {
			return fmt.Errorf("in sync are %v of %v", now.ISR, now.Replicas)
		}
		return nil
	})
}

// A steadyWriter writes numbers, one after the other, with acks=all.
type steadyWriter struct {
	o     *operator
	acked atomic.Int64
	stop  context.CancelFunc
	ended chan error
}

func (o *operator) writeOn(seeds []string) *steadyWriter {
	o.t.Helper()
	ctx, cancel := context.WithCancel(o.t.Context())
	w := &steadyWriter{o: o, stop: cancel, ended: make(chan error, 1)}
	client := connect(o.t, seeds, append(quickRetries(), impatient)...)
	go func() {
		for n := 0; ctx.Err() == nil; n++ {
			// Without ctx: what is begun is acknowledged, however long that takes.
			if err := client.ProduceSync(context.WithoutCancel(ctx), &kgo.Record{Topic: o.topic, Value: []byte(strconv.Itoa(n))}).FirstErr(); err != nil {
				w.ended <- fmt.Errorf("record %d: %w", n, err)
				return
			}
			w.acked.Add(1)
		}
		w.ended <- nil
	}()
	return w
}

// awaitMore waits until so many more records are acknowledged.
func (w *steadyWriter) awaitMore(n int64) {
	w.o.t.Helper()
	goal := w.acked.Load() + n
	w.o.until("records are acknowledged", func() error {
		if now := w.acked.Load(); now < goal {
			return fmt.Errorf("%d are, %d should be", now, goal)
		}
		return nil
	})
}

// end stops writing and returns what was acknowledged.
func (w *steadyWriter) end() (values []string) {
	w.o.t.Helper()
	w.stop()
	select {
	case err := <-w.ended:
		if err != nil {
			w.o.t.Fatal(err)
		}
	case <-time.After(cycleLimit):
		w.o.t.Fatal("the last record is not acknowledged")
	}
	for n := range w.acked.Load() {
		values = append(values, strconv.FormatInt(n, 10))
	}
	return values
}
