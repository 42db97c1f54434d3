package broker

import (
	"fmt"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/metrics"
)

// The numbers that an operator of several nodes watches tell that a node is away, and that it is back.
func TestMetricsTellThatANodeIsAway(t *testing.T) {
	c := newNodes(t, 3, "auto.leader.rebalance.enable=false")
	c.startAll()
	stays := c.active()
	minISR := "2"
	if _, err := kadm.NewClient(connect(t, stays.Broker)).CreateTopic(t.Context(), 6, 3, map[string]*string{"min.insync.replicas": &minISR}, "t"); err != nil {
		t.Fatal(err)
	}
	away := c.other(stays)
	shown := func(what string, want map[string]int) {
		t.Helper()
		untilRight(t, what, func() error {
			sum := map[string]int{}
			for _, n := range c.all {
				if n.Broker == nil {
					continue
				}
				for name := range want {
					value, err := n.scrape(name)
					if err != nil {
						return err
					}
					sum[name] += value
				}
			}
			if got := fmt.Sprint(sum); got != fmt.Sprint(want) {
				return fmt.Errorf("%s, want %v", got, want)
			}
			return nil
		})
	}
	const server, controller = "kafka_server_replicamanager_", "kafka_controller_kafkacontroller_"
	shown("all nodes are there", map[string]int{
		"kafka_server_raft_metrics_number_of_voters": 9, server + "reassigningpartitions": 0,
		server + "underreplicatedpartitions": 0, server + "atminisrpartitioncount": 0, controller + "activecontrollercount": 1,
		controller + "preferredreplicaimbalancecount": 0, server + "leadercount": 6, controller + "activebrokercount": 9,
	})
	led := 0
	for _, p := range stays.store.Current().Topic("t").Partitions {
		if p.PreferredLeader() == away.id {
			led++
		}
	}
	lag := func(leader int32) string { // of one of the replicas that node 1, 2 or 3 fetches
		for i, p := range stays.store.Current().Topic("t").Partitions {
			if p.Leader == leader {
				return fmt.Sprintf(`kafka_server_fetcherlagmetrics_consumerlag{clientId="ReplicaFetcherThread-0-%d",partition="%d",topic="t"}`, leader, i)
			}
		}
		t.Fatalf("node %d leads nothing", leader)
		return ""
	}
	before := lag(away.id)
	if n, err := stays.scrape(before); err != nil || n != 0 {
		t.Errorf("%s is %d, %v", before, n, err)
	}
	c.stop(away)
	shown("a node is away", map[string]int{ // what is a picture of the cluster is counted by both that stay
		server + "underreplicatedpartitions": 6, server + "atminisrpartitioncount": 6, server + "underminisrpartitioncount": 0,
		controller + "activecontrollercount": 1, controller + "preferredreplicaimbalancecount": 2 * led, controller + "offlinepartitionscount": 0,
		controller + "activebrokercount": 4, controller + "fencedbrokercount": 2,
		"kafka_controller_controllerstats_uncleanleaderelections_total": 0,
	})
	if n, err := stays.scrape(before); err == nil {
		t.Errorf("%s is still shown, as %d", before, n)
	}
	if err := c.start(away); err != nil {
		t.Fatal(err)
	}
	shown("it is back", map[string]int{
		server + "underreplicatedpartitions": 0, controller + "preferredreplicaimbalancecount": 3 * led, controller + "fencedbrokercount": 0,
	})
}

// A node that is a controller and no broker shows the numbers of the cluster, too: it may be the active controller.
func TestAControllerAloneShowsTheCluster(t *testing.T) {
	c := newNodes(t, 2)
	alone := c.all[1]
	alone.sets = []string{"process.roles=controller", "listeners=CONTROLLER://" + alone.controller}
	c.startAll()
	untilRight(t, "the controller knows of the broker", func() error {
		if n, err := alone.scrape("kafka_controller_kafkacontroller_activebrokercount"); err != nil || n != 1 {
			return fmt.Errorf("%d brokers, %v", n, err)
		}
		return nil
	})
	untilRight(t, "it knows the quorum", func() error {
		for name, want := range map[string]int{"kafka_server_raft_metrics_number_of_voters": 2, "kafka_server_raft_metrics_current_leader": int(c.active().id),
			"kafka_controller_kafkacontroller_lastappliedrecordlagms": 0, "kafka_controller_kafkacontroller_lastappliedrecordoffset": int(c.active().store.Current().Offset())} {
			if got, err := alone.scrape(name); err != nil || got != want {
				return fmt.Errorf("%s is %d, want %d, %v", name, got, want, err)
			}
		}
		return nil
	})
	if _, err := alone.scrape("kafka_controller_kafkacontroller_activecontrollercount"); err != nil {
		t.Error(err)
	}
	if _, err := alone.scrape("kafka_server_broker_metadata_metrics_last_applied_record_offset"); err == nil {
		t.Error("a controller that is no broker shows a broker's metadata")
	}
}

// An election is counted by what the leader may lack.
func TestElectionsAreCounted(t *testing.T) {
	b := &Broker{metrics: metrics.NewRegistry(), store: metadata.NewStore(metadata.Empty("c"))}
	c := b.countElections()
	led := func(leader, epoch int32, r metadata.LeaderRecovery, elr ...int32) *metadata.Partition {
		return &metadata.Partition{Leader: leader, LeaderEpoch: epoch, LeaderRecovery: r, ELR: elr}
	}
	for _, x := range []struct {
		what             string
		before, after    *metadata.Partition
		unclean, fromELR uint64
	}{
		{"created, or loaded from a snapshot", nil, led(1, 5, metadata.Recovering), 0, 0},
		{"clean", led(1, 5, metadata.Recovered, 3), led(2, 6, metadata.Recovered), 0, 0},
		{"without a leader", led(1, 5, metadata.Recovered), led(metadata.NoLeader, 6, metadata.Recovered, 1), 0, 0},
		{"out of the ELR", led(metadata.NoLeader, 6, metadata.Recovered, 1), led(1, 7, metadata.Recovered), 0, 1},
		{"unclean", led(metadata.NoLeader, 6, metadata.Recovered), led(3, 7, metadata.Recovering), 1, 0},
		{"recovered", led(3, 7, metadata.Recovering), led(3, 7, metadata.Recovered), 0, 0},
	} {
		unclean, fromELR := c.unclean.Value(), c.fromELR.Value()
		c.follow(nil, nil, &metadata.Changes{Partitions: []metadata.PartitionChange{{Before: x.before, After: x.after}}})
		if unclean, fromELR = c.unclean.Value()-unclean, c.fromELR.Value()-fromELR; unclean != x.unclean || fromELR != x.fromELR {
			t.Errorf("%s: counted as %d unclean, %d out of the ELR", x.what, unclean, fromELR)
		}
	}
}

// scrape reads one number from what the node shows under /metrics.
func (n *testNode) scrape(name string) (int, error) {
	w := httptest.NewRecorder()
	n.metrics.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			return strconv.Atoi(strings.TrimSpace(value))
		}
	}
	return 0, fmt.Errorf("node %d shows no %s", n.id, name)
}
