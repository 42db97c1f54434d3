package broker

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/test/harness"
)

// nodes is a cluster in one process, on loopback ports.
type nodes struct {
	t         testing.TB
	clusterID string
	voters    string
	bootstrap string // controller.quorum.bootstrap.servers in place of voters; "" for static voters
	all       []*testNode
	dial      func(from int32) func(ctx context.Context, network, address string) (net.Conn, error) // nil: the real network
}

// testNode is one node: its disk, the address of its controller, and the broker while it runs.
type testNode struct {
	*Broker
	id         int32
	disk       vfs.FS
	sets       []string
	controller string // host:port of its controller listener, "" if it is none
}

// newNodes describes n nodes that are brokers and controllers. Nothing runs yet.
func newNodes(t testing.TB, n int, sets ...string) *nodes {
	t.Helper()
	c := &nodes{t: t, clusterID: kafka.NewUUID().String()}
	var voters []string
	for i := range n {
		node := &testNode{id: int32(i + 1), disk: vfs.NewMemory(), sets: sets, controller: freeAddress(t)}
		voters = append(voters, fmt.Sprintf("%d@%s", node.id, node.controller))
		c.all = append(c.all, node)
	}
	c.voters = strings.Join(voters, ",")
	t.Cleanup(func() { c.stopAll() })
	return c
}

// freeAddress is an address that nobody listens on, nor is given to anybody's own end of a connection.
func freeAddress(t testing.TB) string { return harness.FreeAddr(t) }

// start starts a node and waits until it serves.
func (c *nodes) start(n *testNode) error {
	listeners := "PLAINTEXT://localhost:0"
	sets := []string{fmt.Sprint("node.id=", n.id), "controller.listener.names=CONTROLLER", "http.address=off"}
	if c.bootstrap == "" {
		sets = append(sets, "controller.quorum.voters="+c.voters)
	} else {
		sets = append(sets, "controller.quorum.bootstrap.servers="+c.bootstrap)
	}
	if n.controller != "" {
		listeners += ",CONTROLLER://" + n.controller
	} else {
		sets = append(sets, "process.roles=broker")
	}
	o := options(c.t, n.disk, append(append(sets, "listeners="+listeners), n.sets...)...)
	o.Config.ClusterID = c.clusterID
	if c.dial != nil {
		o.Dial = c.dial(n.id)
	}
	b, err := Start(c.t.Context(), o)
	if err == nil {
		n.Broker = b
	}
	return err
}

// startAll starts all nodes at the same time: none is ready without a majority.
func (c *nodes) startAll() {
	c.t.Helper()
	var starts sync.WaitGroup
	for _, n := range c.all {
		starts.Go(func() {
			if err := c.start(n); err != nil {
				c.t.Errorf("node %d: %v", n.id, err)
			}
		})
	}
	starts.Wait()
	if c.t.Failed() {
		c.t.FailNow()
	}
}

func (c *nodes) stop(n *testNode) {
	if n.Broker != nil {
		stop(c.t, n.Broker)
		n.Broker = nil
	}
}

// stopAll stops the nodes one after the other, brokers that were added before the controllers: those wait for an answer of a
// controller to be let go.
func (c *nodes) stopAll() {
	for _, n := range slices.Backward(c.all) {
		c.stop(n)
	}
}

// active is the node that is the active controller, by its own account.
func (c *nodes) active() *testNode {
	c.t.Helper()
	var found *testNode
	untilRight(c.t, "an active controller", func() error {
		for _, n := range c.all {
			if n.Broker != nil {
				if _, err := n.Broker.controller.engine(); err == nil {
					found = n
					return nil
				}
			}
		}
		return fmt.Errorf("none of %d nodes is", len(c.all))
	})
	return found
}

// other is a running node that is not n.
func (c *nodes) other(n *testNode) *testNode {
	for _, o := range c.all {
		if o != n && o.Broker != nil {
			return o
		}
	}
	c.t.Fatal("there is no other node")
	return nil
}

// untilRight waits until check finds nothing wrong.
func untilRight(t testing.TB, what string, check func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
