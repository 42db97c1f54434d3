package harness

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// ClusterID is the cluster's id of every Cluster.
const ClusterID = "dG9ydHVyZS1jbHVzdGVyLQ"

// A Cluster is brokers that form one; each is a voter of the metadata quorum, too.
type Cluster struct {
	Nodes []*Broker // node n has the number n+1

	t testing.TB
}

// An Endpoint is a listener: others reach it at Front, it listens at Behind. Where nothing is between, both are the same.
type Endpoint struct{ Front, Behind string }

// A Place is where a node of a cluster listens, and in what it runs.
type Place struct {
	Clients, Brokers, Controllers Endpoint
	Dir                           string   // log.dirs; "" for a temporary one
	HTTP                          string   // http.address; "" for none
	Within                        []string // a command that runs the command behind it; nil for none
}

// NewPlace returns free ports, without anything between.
func NewPlace(t testing.TB) Place {
	t.Helper()
	direct := func() Endpoint {
		addr := FreeAddr(t)
		return Endpoint{addr, addr}
	}
	return Place{Clients: direct(), Brokers: direct(), Controllers: direct()}
}

// StartCluster starts so many brokers, and waits until each answers. Topics have as many replicas as there are nodes, at most
// three, of which two must be in sync; props are as in Start, with {node} for the node's id.
func StartCluster(t testing.TB, nodes int, props ...string) *Cluster {
	t.Helper()
	var places []Place
	for range nodes {
		places = append(places, NewPlace(t))
	}
	return StartClusterAt(t, places, props...)
}

// StartClusterAt is StartCluster with a node at each of these places.
func StartClusterAt(t testing.TB, places []Place, props ...string) *Cluster {
	t.Helper()
	var voters []string
	for i, p := range places {
		voters = append(voters, fmt.Sprintf("%d@%s", i+1, p.Controllers.Front))
	}
	c := &Cluster{t: t}
	for i, p := range places {
		settings := append(p.listeners(i+1), "controller.quorum.voters="+strings.Join(voters, ","))
		settings = append(settings, replication(len(places))...)
		c.Nodes = append(c.Nodes, p.prepare(t, i+1, append(settings, props...)))
	}
	c.Restart(c.Nodes...)
	return c
}

// replication are the properties of StartCluster about replicas.
func replication(nodes int) []string {
	replicas := min(nodes, 3)
	return []string{
		fmt.Sprintf("default.replication.factor=%d", replicas), fmt.Sprintf("offsets.topic.replication.factor=%d", replicas),
		fmt.Sprintf("transaction.state.log.replication.factor=%d", replicas), fmt.Sprintf("min.insync.replicas=%d", min(replicas, 2)),
	}
}

// StartSeparate is StartCluster with three nodes that are brokers only, and three more, from number 4 on, that are controllers only.
func StartSeparate(t testing.TB, props ...string) (brokers, controllers *Cluster) {
	t.Helper()
	brokers, controllers = &Cluster{t: t}, &Cluster{t: t}
	var voters []string
	var places []Place
	for node := range 6 {
		places = append(places, NewPlace(t))
		if node >= 3 {
			voters = append(voters, fmt.Sprintf("%d@%s", node+1, places[node].Controllers.Front))
		}
	}
	for i, p := range places {
		settings := append(replication(3), "controller.quorum.voters="+strings.Join(voters, ","))
		if i < 3 {
			settings = append(append(p.listeners(i+1), settings...), "process.roles=broker",
				fmt.Sprintf("listeners=PLAINTEXT://%s,INTERNAL://%s", p.Clients.Behind, p.Brokers.Behind))
			brokers.Nodes = append(brokers.Nodes, p.prepare(t, i+1, append(settings, props...)))
			continue
		}
		p.Clients.Front = p.Controllers.Front // where it answers
		settings = append(settings, fmt.Sprintf("node.id=%d", i+1), "process.roles=controller", "controller.listener.names=CONTROLLER",
			"listeners=CONTROLLER://"+p.Controllers.Behind)
		controllers.Nodes = append(controllers.Nodes, p.prepare(t, i+1, append(settings, props...)))
	}
	brokers.Restart(append(brokers.Nodes[:3:3], controllers.Nodes...)...)
	return brokers, controllers
}

// StartMember starts a node with this number that is a broker and a controller of a dynamic quorum (KIP-853), and waits until it answers:
// the first one of the quorum, or, with controller.quorum.bootstrap.servers among props, one that finds the others there.
func StartMember(t testing.TB, node int, at Place, props ...string) *Broker {
	t.Helper()
	b := at.prepare(t, node, append(at.listeners(node), props...))
	b.launch()
	return b
}

// prepare is a node at a place, up to the process itself.
func (p Place) prepare(t testing.TB, node int, props []string) *Broker {
	t.Helper()
	var settings []string
	if p.Dir != "" {
		settings = append(settings, "log.dirs="+p.Dir)
	}
	if p.HTTP != "" {
		settings = append(settings, "http.address="+p.HTTP)
	}
	for _, prop := range props {
		settings = append(settings, strings.ReplaceAll(prop, "{node}", fmt.Sprint(node)))
	}
	b := prepare(t, settings...)
	b.Addr, b.within, b.env = p.Clients.Front, p.Within, []string{"CLUSTER_ID=" + ClusterID}
	return b
}

// listeners are the properties of a node that is a broker and a controller.
func (p Place) listeners(node int) []string {
	return []string{
		fmt.Sprintf("node.id=%d", node), "process.roles=broker,controller", "controller.listener.names=CONTROLLER",
		fmt.Sprintf("listeners=PLAINTEXT://%s,INTERNAL://%s,CONTROLLER://%s", p.Clients.Behind, p.Brokers.Behind, p.Controllers.Behind),
		fmt.Sprintf("advertised.listeners=PLAINTEXT://%s,INTERNAL://%s", p.Clients.Front, p.Brokers.Front),
		"listener.security.protocol.map=PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT", "inter.broker.listener.name=INTERNAL",
	}
}

// Addrs are where clients reach the nodes.
func (c *Cluster) Addrs() []string {
	var all []string
	for _, b := range c.Nodes {
		all = append(all, b.Addr)
	}
	return all
}

// Restart starts nodes that do not run, all at the same time, and waits until they answer.
func (c *Cluster) Restart(nodes ...*Broker) {
	c.t.Helper()
	errs := make([]error, len(nodes))
	var starting sync.WaitGroup
	for i, b := range nodes {
		starting.Go(func() { errs[i] = b.begin() })
	}
	starting.Wait()
	if err := errors.Join(errs...); err != nil {
		c.t.Fatal(err)
	}
}

// Stop ends all nodes with SIGTERM, one after the other, and fails the test unless each exits in time with code 0.
func (c *Cluster) Stop() {
	c.t.Helper()
	for _, b := range c.Nodes {
		b.Stop()
	}
}
