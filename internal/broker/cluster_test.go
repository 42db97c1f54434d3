package broker

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// Three nodes form a cluster: each knows all, and a request to any of them is decided by the active controller and seen at
// once where it was asked.
func TestThreeNodesFormACluster(t *testing.T) {
	c := newNodes(t, 3)
	c.startAll()
	for _, n := range c.all {
		untilRight(t, fmt.Sprintf("node %d knows three brokers", n.id), func() error {
			active := 0
			for b := range n.store.Current().Brokers() {
				if b.Active() {
					active++
				}
			}
			if active != 3 {
				return fmt.Errorf("it knows %d", active)
			}
			return nil
		})
	}
	for _, n := range c.all {
		name := fmt.Sprint("topic-", n.id)
		if err := createThrough(t, n, name); err != nil {
			t.Fatalf("create through node %d: %v", n.id, err)
		}
		if n.store.Current().Topic(name) == nil {
			t.Errorf("node %d answered that %s exists and does not know it", n.id, name)
		}
		if err := createThrough(t, n, name); !errors.Is(err, kerr.TopicAlreadyExists) {
			t.Errorf("create again through node %d: %v", n.id, err)
		}
		id, err := newProducerID(t, n.Broker)
		if err != nil || id < 0 {
			t.Errorf("producer id through node %d: %d, %v", n.id, id, err)
		}
	}
}

// createThrough asks one particular node for a topic; clients choose one themselves.
func createThrough(t *testing.T, n *testNode, name string) error {
	t.Helper()
	rq := kmsg.NewPtrCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, 3, 3
	rq.Topics = append(rq.Topics, topic)
	response, err := rq.RequestWith(t.Context(), connect(t, n.Broker).Broker(int(n.id)))
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(response.Topics[0].ErrorCode)
}

func newProducerID(t *testing.T, b *Broker) (int64, error) {
	t.Helper()
	type answer struct {
		id  int64
		err error
	}
	answers := make(chan answer, 1)
	b.api.NewProducerID(func(id int64, err error) { answers <- answer{id, err} })
	a := <-answers
	return a.id, a.err
}

// A node that stops hands over what it leads before it goes, and is taken back at once when it returns.
func TestANodeThatStopsHandsOver(t *testing.T) {
	c := newNodes(t, 3)
	c.startAll()
	leaver := c.active() // the hardest case: it is the controller, too
	stays := c.other(leaver)
	admin := kadm.NewClient(connect(t, stays.Broker))
	if _, err := admin.CreateTopic(t.Context(), 6, 3, nil, "t"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	c.stop(leaver)
	if took := time.Since(began); took > leavingPatience {
		t.Errorf("the stop took %v", took)
	}
	untilRight(t, "the node that stopped is fenced", func() error {
		if known := stays.store.Current().Broker(leaver.id); !known.Fenced {
			return fmt.Errorf("%+v", known)
		}
		return nil
	})
	for id, p := range stays.store.Current().Topic("t").Partitions {
		if p.Leader == leaver.id || p.Leader < 0 || p.InSync(leaver.id) {
			t.Errorf("partition %d after node %d has stopped: leader %d, in sync %v", id, leaver.id, p.Leader, p.ISR)
		}
	}
	if _, err := admin.CreateTopic(t.Context(), 1, 2, nil, "u"); err != nil {
		t.Errorf("with two of three nodes: %v", err)
	}
	if err := c.start(leaver); err != nil {
		t.Fatal("restart:", err)
	}
	if leaver.store.Current().Topic("u") == nil {
		t.Error("the node that came back acts on an image without what was created meanwhile")
	}
}

// A node that is not the whole cluster must not make up a cluster id of its own.
func TestANodeOfSeveralNeedsTheClustersID(t *testing.T) {
	c := newNodes(t, 3)
	c.clusterID = ""
	if err := c.start(c.all[0]); err == nil {
		t.Fatal("it started")
	}
	c.clusterID = kafka.NewUUID().String()
	c.startAll()
	c.stopAll()
	c.clusterID = ""
	c.startAll() // formatted by now
}
