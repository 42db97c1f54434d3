package realkafka

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// startLimit is what the nodes of a cluster have to start in, on a busy machine too.
const startLimit = 3 * time.Minute

// A Cluster is the nodes that one Start began.
type Cluster struct {
	Nodes []*Node
	// Addr is the first node's, host:port; Bootstrap has all of them.
	Addr string
	// ID is the cluster id they were formatted with.
	ID string
}

// Start formats and starts a cluster of nodes below dir, which must be empty or absent, and returns when every node answers
// requests and the first one knows all of them. props are broker properties, "key=value", in addition to what makes the cluster: identity, listeners, quorum,
// log.dirs, and replication factors that fit the number of nodes. The last value of a property wins; {node} in
// it stands for the node's id.
func Start(ctx context.Context, dir string, nodes int, props ...string) (*Cluster, error) {
	c, err := Format(ctx, dir, nodes, props...)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for _, n := range c.Nodes {
		if err := n.launch(); err != nil {
			c.Kill()
			return nil, err
		}
	}
	for _, n := range c.Nodes {
		if err := n.await(ctx); err != nil {
			c.Kill()
			return nil, err
		}
	}
	if err := waitBrokers(ctx, c.Addr, nodes); err != nil {
		c.Kill()
		return nil, err
	}
	return c, nil
}

// Format makes a cluster below dir as Start does, without starting it.
func Format(ctx context.Context, dir string, nodes int, props ...string) (*Cluster, error) {
	libs, err := Jars(ctx)
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	ports, err := freePorts(2 * nodes)
	if err != nil {
		return nil, err
	}
	var id [16]byte
	rand.Read(id[:])
	id[0] &= 0x7f // an id that begins with "-" would look like an option to the format tool
	c := &Cluster{ID: base64.RawURLEncoding.EncodeToString(id[:])}
	for i := range nodes {
		n := &Node{
			ID: i + 1, Addr: fmt.Sprintf("localhost:%d", ports[2*i]), libs: libs,
			Dir: filepath.Join(dir, fmt.Sprintf("node%d", i+1)), controllerAddr: fmt.Sprintf("localhost:%d", ports[2*i+1]),
		}
		c.Nodes = append(c.Nodes, n)
	}
	c.Addr = c.Nodes[0].Addr
	for _, n := range c.Nodes {
		if err := os.MkdirAll(n.Dir, 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(n.loggingPath(), logging, 0o644); err != nil {
			return nil, err
		}
		text := strings.ReplaceAll(strings.Join(append(c.properties(n), props...), "\n")+"\n", "{node}", fmt.Sprint(n.ID))
		if err := os.WriteFile(n.propertiesPath(), []byte(text), 0o644); err != nil {
			return nil, err
		}
		out, err := n.java(ctx, "kafka.tools.StorageTool", "format", "-t", c.ID, "-c", n.propertiesPath()).CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("format node %d of real Kafka: %w\n%s", n.ID, err, out)
		}
	}
	return c, nil
}

// Bootstrap returns the nodes' addresses, separated by commas.
func (c *Cluster) Bootstrap() string {
	var addrs []string
	for _, n := range c.Nodes {
		addrs = append(addrs, n.Addr)
	}
	return strings.Join(addrs, ",")
}

// Stop ends all nodes in order, as Kafka's stop script does; a node that takes longer than 30 seconds is killed and is an error.
func (c *Cluster) Stop() error {
	var errs []error
	for _, n := range c.Nodes {
		errs = append(errs, n.Stop())
	}
	return errors.Join(errs...)
}

// Kill ends all nodes at once (SIGKILL).
func (c *Cluster) Kill() {
	for _, n := range c.Nodes {
		n.Kill()
	}
}

func (c *Cluster) properties(n *Node) []string {
	var voters []string
	for _, other := range c.Nodes {
		voters = append(voters, fmt.Sprintf("%d@%s", other.ID, other.controllerAddr))
	}
	factor := min(len(c.Nodes), 3)
	return []string{
		"process.roles=broker,controller",
		fmt.Sprintf("node.id=%d", n.ID),
		"controller.quorum.voters=" + strings.Join(voters, ","),
		"listeners=PLAINTEXT://" + n.Addr + ",CONTROLLER://" + n.controllerAddr,
		"advertised.listeners=PLAINTEXT://" + n.Addr,
		"inter.broker.listener.name=PLAINTEXT",
		"controller.listener.names=CONTROLLER",
		"log.dirs=" + filepath.ToSlash(filepath.Join(n.Dir, "data")),
		fmt.Sprintf("offsets.topic.replication.factor=%d", factor),
		fmt.Sprintf("transaction.state.log.replication.factor=%d", factor),
		fmt.Sprintf("share.coordinator.state.topic.replication.factor=%d", factor),
		"transaction.state.log.min.isr=1",
		"share.coordinator.state.topic.min.isr=1",
	}
}
