package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

const (
	maxDevNodes = 9
	// devClientPort and devControllerPort are where the ports of the nodes begin, if they are free.
	devClientPort     = 9092
	devControllerPort = 9192
	// devReadyTimeout is how long a cluster may take to start, and devStopTimeout a node to stop.
	devReadyTimeout = 2 * time.Minute
	devStopTimeout  = stopTimeout + 15*time.Second
)

// dev is the command: it runs a local cluster of several `ottla serve` processes, for people to try.
func dev(args []string, stdout, stderr io.Writer) int {
	c, err := parseDev(args)
	if err != nil {
		fmt.Fprintln(stderr, "ottla dev:", err)
		return 1
	}
	if err := c.prepare(); err != nil {
		fmt.Fprintln(stderr, "ottla dev:", err)
		return 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := c.run(ctx, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "ottla dev:", err)
		return 1
	}
	return 0
}

// devCluster is a local cluster.
type devCluster struct {
	binary    string
	folder    string
	clusterID string
	sets      []string // settings for every node
	nodes     []*devNode
}

// devNode is one of its processes.
type devNode struct {
	id                       int
	client, controller, http string // host:port
	folder                   string
	command                  *exec.Cmd
	ready                    chan struct{} // closed when it serves
	ended                    chan error    // gets how the process ended
}

// parseDev reads the options of dev.
func parseDev(args []string) (*devCluster, error) {
	c := &devCluster{folder: "ottla-dev"}
	nodes := 3
	for len(args) > 0 {
		name, value, inline := strings.Cut(args[0], "=")
		args = args[1:]
		if name != "--nodes" && name != "--dir" && name != "--set" {
			return nil, fmt.Errorf("unknown option %s: there are --nodes N, --dir FOLDER and --set KEY=VALUE", name)
		}
		if !inline {
			if len(args) == 0 {
				return nil, fmt.Errorf("%s needs a value", name)
			}
			value, args = args[0], args[1:]
		}
		switch name {
		case "--nodes":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 || n > maxDevNodes {
				return nil, fmt.Errorf("--nodes %s: it takes 1 to %d nodes, and an odd number survives the loss of the smaller half", value, maxDevNodes)
			}
			nodes = n
		case "--dir":
			c.folder = value
		case "--set":
			c.sets = append(c.sets, value)
		}
	}
	for i := range nodes {
		c.nodes = append(c.nodes, &devNode{id: i + 1, ready: make(chan struct{}), ended: make(chan error, 1)})
	}
	return c, nil
}

// prepare finds ports and makes the folder with the cluster's id.
func (c *devCluster) prepare() error {
	var err error
	if c.binary, err = os.Executable(); err != nil {
		return err
	}
	if c.folder, err = filepath.Abs(c.folder); err != nil {
		return err
	}
	if err := os.MkdirAll(c.folder, 0o755); err != nil {
		return err
	}
	name := filepath.Join(c.folder, "cluster.id")
	id, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		id = []byte(kafka.NewUUID().String() + "\n")
		err = os.WriteFile(name, id, 0o644)
	}
	if err != nil {
		return err
	}
	c.clusterID = strings.TrimSpace(string(id))
	return c.takePorts()
}

// takePorts chooses free ports: those that people expect, if they are free. They are held until all are chosen, so that they
// differ.
func (c *devCluster) takePorts() error {
	var held []net.Listener
	defer func() {
		for _, l := range held {
			l.Close()
		}
	}()
	take := func(port int) (string, error) {
		l, err := net.Listen("tcp", net.JoinHostPort("localhost", strconv.Itoa(port)))
		if err != nil && port != 0 {
			l, err = net.Listen("tcp", "localhost:0")
		}
		if err != nil {
			return "", err
		}
		held = append(held, l)
		return net.JoinHostPort("localhost", strconv.Itoa(l.Addr().(*net.TCPAddr).Port)), nil
	}
	for i, n := range c.nodes {
		n.folder = filepath.Join(c.folder, "node-"+strconv.Itoa(n.id))
		for _, port := range []struct {
			at    *string
			first int
		}{{&n.client, devClientPort + i}, {&n.controller, devControllerPort + i}, {&n.http, 0}} {
			var err error
			if *port.at, err = take(port.first); err != nil {
				return err
			}
		}
	}
	return nil
}

// arguments are those of a node's process.
func (c *devCluster) arguments(n *devNode) []string {
	var voters []string
	for _, other := range c.nodes {
		voters = append(voters, fmt.Sprintf("%d@%s", other.id, other.controller))
	}
	args := []string{"serve"}
	for _, set := range append([]string{
		"node.id=" + strconv.Itoa(n.id), "process.roles=broker,controller",
		"listeners=PLAINTEXT://" + n.client + ",CONTROLLER://" + n.controller, "controller.listener.names=CONTROLLER",
		"controller.quorum.voters=" + strings.Join(voters, ","), "http.address=" + n.http, "log.dirs=" + n.folder,
		"default.replication.factor=" + strconv.Itoa(min(3, len(c.nodes))), "offsets.topic.replication.factor=" + strconv.Itoa(min(3, len(c.nodes))),
		"transaction.state.log.replication.factor=" + strconv.Itoa(min(3, len(c.nodes))),
		"transaction.state.log.min.isr=" + strconv.Itoa(min(2, len(c.nodes))), "min.insync.replicas=" + strconv.Itoa(min(2, len(c.nodes))),
	}, c.sets...) {
		args = append(args, "--set", set)
	}
	return args
}

// run starts the nodes, tells where they are, and stops them when ctx ends. Nodes that end before are told of; the others go on.
func (c *devCluster) run(ctx context.Context, stdout, stderr io.Writer) error {
	defer c.stop(stderr)
	for _, n := range c.nodes {
		if err := c.start(n, stderr); err != nil {
			return err
		}
	}
	patience := time.NewTimer(devReadyTimeout)
	defer patience.Stop()
	for _, n := range c.nodes {
		select {
		case <-n.ready:
		case err := <-n.ended:
			n.ended <- err
			return fmt.Errorf("node %d did not start: %v", n.id, err)
		case <-patience.C:
			return fmt.Errorf("node %d is not ready after %v", n.id, devReadyTimeout)
		case <-ctx.Done():
			return nil
		}
	}
	c.greet(stdout)
	return c.watch(ctx, stdout)
}

// watch tells of nodes that end, until ctx or the last of them does.
func (c *devCluster) watch(ctx context.Context, stdout io.Writer) error {
	ends := make(chan *devNode)
	done := make(chan struct{})
	defer close(done)
	for _, n := range c.nodes {
		go func() {
			err := <-n.ended
			n.ended <- err
			select {
			case ends <- n:
			case <-done:
			}
		}()
	}
	for alive := len(c.nodes); alive > 0; alive-- {
		select {
		case <-ctx.Done():
			return nil
		case n := <-ends:
			fmt.Fprintf(stdout, "\nNode %d (pid %d) has ended: %v. To start it again, in another terminal:\n  %s\n",
				n.id, n.command.Process.Pid, n.command.ProcessState, c.commandLine(n))
		}
	}
	return errors.New("all nodes have ended")
}

// start starts a node's process, whose lines go to stderr with its number.
func (c *devCluster) start(n *devNode, stderr io.Writer) error {
	n.command = exec.Command(c.binary, c.arguments(n)...)
	n.command.Env = append(os.Environ(), "CLUSTER_ID="+c.clusterID)
	n.command.SysProcAttr = ownGroup() // an interrupt at the terminal is for this process, which stops the nodes one by one
	out, in := io.Pipe()
	n.command.Stdout, n.command.Stderr = in, in
	if err := n.command.Start(); err != nil {
		return err
	}
	var ready sync.Once
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			switch line := lines.Text(); {
			case line == "Kafka Server started":
				ready.Do(func() { close(n.ready) })
			case strings.HasPrefix(line, "{"), strings.HasPrefix(line, "time="), strings.HasPrefix(line, "ottla"): // not the greeting
				fmt.Fprintf(stderr, "node %d | %s\n", n.id, line)
			}
		}
		io.Copy(io.Discard, out)
	}()
	go func() {
		err := n.command.Wait()
		in.Close()
		n.ended <- err
	}()
	return nil
}

// stop stops the nodes one after the other, so that each hands over to those that are left.
func (c *devCluster) stop(stderr io.Writer) {
	for _, n := range c.nodes {
		if n.command == nil || n.command.Process == nil {
			continue
		}
		if err := n.command.Process.Signal(syscall.SIGTERM); err != nil {
			n.command.Process.Kill()
		}
		select {
		case <-n.ended:
		case <-time.After(devStopTimeout):
			fmt.Fprintf(stderr, "ottla dev: node %d did not stop within %v and is killed\n", n.id, devStopTimeout)
			n.command.Process.Kill()
		}
	}
}

// commandLine is what starts a node in a shell.
func (c *devCluster) commandLine(n *devNode) string {
	return "CLUSTER_ID=" + c.clusterID + " " + c.binary + " " + strings.Join(c.arguments(n), " ")
}

// greet says where everything is, and what to try.
func (c *devCluster) greet(w io.Writer) {
	fmt.Fprintf(w, "Cluster %s of %d nodes, data in %s\n\n  node     pid  Kafka           controller      HTTP\n", c.clusterID, len(c.nodes), c.folder)
	var bootstrap []string
	for _, n := range c.nodes {
		fmt.Fprintf(w, "  %4d %7d  %-15s %-15s http://%s\n", n.id, n.command.Process.Pid, n.client, n.controller, n.http)
		bootstrap = append(bootstrap, n.client)
	}
	fmt.Fprintf(w, `
Try, in another terminal:
  %[1]s kafka-topics --bootstrap-server %[2]s --create --topic greetings --partitions 6 --replication-factor %[3]d
  echo hello | %[1]s kafka-console-producer --bootstrap-server %[2]s --topic greetings
  %[1]s kafka-console-consumer --bootstrap-server %[2]s --topic greetings --from-beginning --max-messages 1
  %[1]s kafka-topics --bootstrap-server %[2]s --describe --topic greetings
  kill -9 %[4]d    (and describe again)

`, callableAs(os.Args[0], os.Environ()), strings.Join(bootstrap, ","), min(3, len(c.nodes)), c.nodes[0].command.Process.Pid)
}
