//go:build unix

package torture

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/test/harness"
)

// Controllers that are no brokers (process.roles): the active one dies, brokers die, and both are restarted one after the other.
// Clients go on, and lose nothing.
func TestOperationsSeparateControllers(t *testing.T) {
	t.Parallel()
	brokers, controllers := harness.StartSeparate(t)
	o := newOperatorOf(t, brokers, everywhere)
	written := []string{"before"}
	write := func(value string) {
		o.mustWrite(0, value)
		written = append(written, value)
	}
	o.mustWrite(0, "before")
	create := func(topic string) {
		t.Helper()
		o.until("creating "+topic, func() error {
			_, err := o.admin.CreateTopic(t.Context(), 1, 3, nil, topic)
			return err
		})
	}
	active := o.activeController()
	if active < 4 || active > 6 {
		t.Fatalf("node %d leads the metadata quorum of nodes 4 to 6", active)
	}
	lost := controllers.Nodes[active-4]
	lost.Kill9()
	write("while nobody leads the controllers")
	create("by-the-next-controller")
	if next := o.activeController(); next == active {
		t.Errorf("node %d is dead, and the active controller", next)
	}
	lost.Restart()

	brokers.Nodes[0].Kill9()
	o.awaitLeader(0, everywhere[0][1:]...)
	write("without node 1")
	brokers.Nodes[0].Restart()
	o.settle()

	for i, n := range append(controllers.Nodes[:3:3], brokers.Nodes...) {
		n.Stop()
		if i < 3 {
			create(fmt.Sprint("without-controller-", i+4))
		}
		write(fmt.Sprint("without ", i))
		n.Restart()
		o.settle()
	}
	o.mustRead(0, written...)
}

// activeController is the leader of the metadata quorum, as a broker knows it.
func (o *operator) activeController() (node int32) {
	o.t.Helper()
	rq := kmsg.NewPtrDescribeQuorumRequest()
	topic, partition := kmsg.NewDescribeQuorumRequestTopic(), kmsg.NewDescribeQuorumRequestTopicPartition()
	topic.Topic, topic.Partitions = "__cluster_metadata", append(topic.Partitions, partition)
	rq.Topics = append(rq.Topics, topic)
	o.until("the metadata quorum has a leader", func() error {
		answer, err := rq.RequestWith(o.t.Context(), o.raw)
		if err != nil {
			return err
		}
		found := answer.Topics[0].Partitions[0]
		node = found.LeaderID
		if err := kerr.ErrorForCode(found.ErrorCode); err != nil || node < 0 {
			return fmt.Errorf("leader %d, %w", node, err)
		}
		return nil
	})
	return node
}
