package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
	"github.com/ottla/ottla/test/realkafka"
)

// What the work on a cluster consists of.
const (
	clusterNodes      = 3
	clusterPartitions = 6
	clusterMinISR     = "2"
)

// A Node is one process of a cluster under test.
type Node interface {
	// Again starts it where it was stopped or killed, and returns when it answers requests.
	Again(ctx context.Context) error
	// Stop ends it as an operator does, Kill as a crash does.
	Stop() error
	Kill()
	PID() int
	Addr() string
}

// A clusterRun is three nodes, each broker and controller, and what is measured of them.
type clusterRun struct {
	Options
	name    string
	dir     string
	nodes   []Node // node id i+1 is at i
	figures *clusterFigures
	topic   *topic
	leaders *leaderMap
}

// runCluster does the same work on three nodes of Kafka and of Ottla, one after the other, round after round.
func runCluster(ctx context.Context, o Options) error {
	dir, err := os.MkdirTemp(o.Dir, "ottla-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	figures := newClusterFigures(o)
	for round := range o.Rounds {
		for _, name := range []string{"kafka", "ottla"} {
			if name == "kafka" && o.OttlaOnly || name == "ottla" && o.KafkaOnly {
				continue
			}
			at := filepath.Join(dir, fmt.Sprintf("%s-%d", name, round))
			c := &clusterRun{Options: o, name: name, dir: at, figures: figures}
			log.Printf("round %d of %d: %s", round+1, o.Rounds, name)
			if err := c.run(ctx, at); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if err := os.RemoveAll(at); err != nil {
				return err
			}
			syncDisks()
		}
	}
	figures.print(os.Stdout)
	if o.JSON != "" {
		return figures.writeJSON(o.JSON)
	}
	return nil
}

func (c *clusterRun) run(ctx context.Context, dir string) (err error) {
	defer func() {
		for _, n := range c.nodes {
			n.Kill()
		}
	}()
	if err := c.start(ctx, dir); err != nil {
		return err
	}
	if c.Only.MatchString("throughput") || c.Only.MatchString("latency") {
		if err := c.warmUp(ctx); err != nil {
			return fmt.Errorf("warm-up: %w", err)
		}
	}
	for _, part := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"throughput", c.throughput}, {"latency", c.latency}, {"memory", c.memory}, {"failover", c.failover},
	} {
		if !c.Only.MatchString(part.name) {
			continue
		}
		if err := part.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

// start launches all nodes at once, and makes the topic of the failovers. The time counts until every partition of it has all
// its replicas in sync.
func (c *clusterRun) start(ctx context.Context, dir string) error {
	var err error
	if c.name == "kafka" {
		err = c.prepareKafka(ctx, dir)
	} else {
		err = c.prepareOttla(dir)
	}
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := c.launch(ctx); err != nil {
		return err
	}
	c.leaders = newLeaderMap(c.addrs())
	if c.topic, err = c.create(ctx, "failover"); err != nil {
		return err
	}
	c.figures.note("start until a topic is in sync, s", c.name, time.Since(begin).Seconds())
	return nil
}

func (c *clusterRun) addrs() []string {
	var all []string
	for _, n := range c.nodes {
		all = append(all, n.Addr())
	}
	return all
}

func (c *clusterRun) pids() []int {
	var all []int
	for _, n := range c.nodes {
		all = append(all, n.PID())
	}
	return all
}

// kafkaNode is a node of real Kafka, with its default settings.
type kafkaNode struct{ *realkafka.Node }

func (n kafkaNode) Again(ctx context.Context) error { return n.Node.Start(ctx) }
func (n kafkaNode) PID() int                        { return n.Node.PID }
func (n kafkaNode) Addr() string                    { return n.Node.Addr }

func (c *clusterRun) prepareKafka(ctx context.Context, dir string) error {
	cluster, err := realkafka.Format(ctx, dir, clusterNodes, properties...)
	if err != nil {
		return err
	}
	for _, n := range cluster.Nodes {
		c.nodes = append(c.nodes, kafkaNode{n})
	}
	return nil
}

func (c *clusterRun) prepareOttla(dir string) error {
	id := kafka.NewUUID()
	var clients, controllers, voters []string
	for i := range clusterNodes {
		for _, list := range []*[]string{&clients, &controllers} {
			addr, err := freeAddr()
			if err != nil {
				return err
			}
			*list = append(*list, addr)
		}
		voters = append(voters, fmt.Sprintf("%d@%s", i+1, controllers[i]))
	}
	for i := range clusterNodes {
		http, err := freeAddr()
		if err != nil {
			return err
		}
		b := &Ottla{Binary: c.Binary, dir: filepath.Join(dir, fmt.Sprintf("node%d", i+1)), addr: clients[i], http: http}
		b.environment = []string{"CLUSTER_ID=" + id.String()}
		b.Properties = []string{
			fmt.Sprintf("node.id=%d", i+1), "process.roles=broker,controller", "controller.listener.names=CONTROLLER",
			"listeners=PLAINTEXT://" + clients[i] + ",CONTROLLER://" + controllers[i],
			"controller.quorum.voters=" + strings.Join(voters, ","),
		}
		if err := os.MkdirAll(b.dir, 0o755); err != nil {
			return err
		}
		c.nodes = append(c.nodes, b)
	}
	return nil
}

// launch starts all nodes at the same time.
func (c *clusterRun) launch(ctx context.Context) error {
	errs := make([]error, len(c.nodes))
	var wait sync.WaitGroup
	for i, n := range c.nodes {
		wait.Go(func() { errs[i] = n.Again(ctx) })
	}
	wait.Wait()
	return errors.Join(errs...)
}

// create makes a topic with replicas on all nodes, and returns when they are in sync.
func (c *clusterRun) create(ctx context.Context, name string) (*topic, error) {
	conn, err := dial(ctx, c.nodes[0].Addr())
	if err != nil {
		return nil, err
	}
	t := &topic{name: name, partitions: clusterPartitions, conn: conn}
	deadline := time.Now().Add(topicLimit)
	for {
		refused, err := t.request(clusterNodes, map[string]string{"min.insync.replicas": clusterMinISR})
		if err != nil {
			return nil, err
		}
		if refused == nil {
			break
		}
		if time.Now().After(deadline) { // not all brokers are there yet
			return nil, refused
		}
		if err := pass(ctx, 5*time.Millisecond); err != nil {
			return nil, err
		}
	}
	if err := c.awaitInSync(ctx, t); err != nil {
		return nil, err
	}
	return t, c.awaitServing(ctx, t)
}

// awaitServing returns when the leaders know that they lead.
func (c *clusterRun) awaitServing(ctx context.Context, t *topic) error {
	leaders, err := c.byPartition(t)
	if err != nil {
		return err
	}
	for p, leader := range leaders {
		conn, err := dial(ctx, leader.Addr())
		if err != nil {
			return err
		}
		err = awaitServing(ctx, conn, t.name, []int32{int32(p)})
		conn.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// awaitInSync returns when all partitions of a topic have their leader and all replicas in sync, in the eyes of all nodes.
func (c *clusterRun) awaitInSync(ctx context.Context, t *topic) error {
	deadline := time.Now().Add(2 * time.Minute)
	for {
		if c.leaders.refresh(t.name) == len(c.nodes) && c.leaders.inSync(t.name, clusterNodes) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("topic %s is not in sync after two minutes", t.name)
		}
		if err := pass(ctx, 2*time.Millisecond); err != nil {
			return err
		}
	}
}

// memory is what all nodes have in RAM after the load; pages that they share count once.
func (c *clusterRun) memory(context.Context) error {
	var sum int64
	for _, pid := range c.pids() {
		bytes, err := proportionalBytes(pid)
		if err != nil {
			return err
		}
		sum += bytes
	}
	c.figures.note("memory of the nodes after the load, MB", c.name, float64(sum)/1e6)
	return nil
}

// byPartition returns the nodes that lead the topic's partitions.
func (c *clusterRun) byPartition(t *topic) ([]Node, error) {
	nodes := make([]Node, t.partitions)
	for p := range t.partitions {
		id := c.leaders.leader(t.name, p)
		if id < 1 || int(id) > len(c.nodes) {
			return nil, fmt.Errorf("partition %d has the leader %d", p, id)
		}
		nodes[p] = c.nodes[id-1]
	}
	return nodes, nil
}

// prefer has the preferred replicas lead again, so that every node leads as many partitions as another.
func (c *clusterRun) prefer(ctx context.Context) error {
	rq := wire.ElectLeadersRequest{TopicPartitions: []wire.ElectLeadersRequestTopicPartitions{{Topic: c.topic.name}}, TimeoutMs: 10000}
	for p := range c.topic.partitions {
		rq.TopicPartitions[0].Partitions = append(rq.TopicPartitions[0].Partitions, p)
	}
	deadline := time.Now().Add(time.Minute)
	for {
		var rs wire.ElectLeadersResponse
		conn, err := dial(ctx, c.nodes[0].Addr())
		if err == nil {
			err = conn.ask(2, &rq, &rs)
			conn.Close()
		}
		if err == nil && rs.ErrorCode == 0 {
			c.leaders.refresh(c.topic.name)
			if counts := c.leaders.led(c.topic.name); len(counts) == clusterNodes && slices.Min(counts) == slices.Max(counts) {
				return nil
			}
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the preferred leaders were not elected: %v, error code %d", err, rs.ErrorCode)
		}
		if err := pass(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// activeController returns the id of the node that leads the metadata quorum.
func (c *clusterRun) activeController(ctx context.Context) (int32, error) {
	const metadata = "__cluster_metadata"
	rq := wire.DescribeQuorumRequest{Topics: []wire.DescribeQuorumRequestTopicData{{TopicName: metadata, Partitions: []wire.DescribeQuorumRequestPartitionData{{}}}}}
	conn, err := dial(ctx, c.nodes[0].Addr())
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	var rs wire.DescribeQuorumResponse
	if err := conn.ask(1, &rq, &rs); err != nil {
		return 0, err
	}
	if len(rs.Topics) != 1 || len(rs.Topics[0].Partitions) != 1 || rs.Topics[0].Partitions[0].ErrorCode != 0 {
		return 0, fmt.Errorf("DescribeQuorum was answered with %+v", rs)
	}
	return rs.Topics[0].Partitions[0].LeaderID, nil
}
