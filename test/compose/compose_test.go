package compose

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const clientLimit = time.Minute

// isBroker matches the images that a compose file for Kafka has; ours stands for any of them.
var isBroker = regexp.MustCompile(`(^|/)(cp-kafka|apache/kafka|bitnami/kafka):`)

func TestComposeFilesOfKafkaImages(t *testing.T) {
	type file struct {
		name      string
		node      int32
		cluster   string   // "" when the file sets none
		endpoints []string // of advertised listeners, without ports
		zookeeper bool
	}
	f := func(want file) {
		t.Run(want.name, func(t *testing.T) {
			t.Parallel()
			p := start(t, brokerOf(t, want.name))
			endpoints := advertised(t, p.environ)
			var hosts []string
			for _, e := range endpoints {
				hosts = append(hosts, e.host)
				use(t, p, e, want.node, want.cluster)
			}
			if got := strings.Join(hosts, " "); got != strings.Join(want.endpoints, " ") {
				t.Errorf("advertised are %q, want %q", got, want.endpoints)
			}
			lines := strings.Count(p.log.String(), "ZooKeeper is not needed")
			if want.zookeeper && lines != 1 || !want.zookeeper && lines != 0 {
				t.Errorf("%d lines say that ZooKeeper is not needed; wanted one: %v", lines, want.zookeeper)
			}
			for end := time.Now().Add(clientLimit); !strings.Contains(p.log.String(), "Transitioning from RECOVERY to RUNNING"); time.Sleep(5 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("no line that says, in the words of Kafka's image, that the broker runs")
				}
			}
		})
	}
	f(file{name: "cp-zookeeper-7.5.0.yaml", node: 1, endpoints: []string{"broker", "localhost"}, zookeeper: true})
	f(file{name: "cp-zookeeper-7.5.0-list.yaml", node: 7, endpoints: []string{"kafka"}, zookeeper: true})
	f(file{name: "cp-kafka-kraft-7.5.0.yaml", node: 1, cluster: "MkU3OEVBNTcwNTJENDM2Qk", endpoints: []string{"broker", "localhost"}})
	f(file{name: "apache-kafka-4.yaml", node: 1, cluster: "4L6g3nShT-eMCtK--X86sw", endpoints: []string{"localhost", "kafka"}})
	f(file{name: "bitnami-kafka-3.6.yaml", node: 0, cluster: "abcdefghijklmnopqrstuv", endpoints: []string{"kafka", "localhost"}})
}

// brokerOf returns the service of a file in testdata that runs Kafka.
func brokerOf(t *testing.T, name string) service {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	services, err := readServices(string(text))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, s := range services {
		if isBroker.MatchString(s.image) {
			return s
		}
	}
	t.Fatalf("%s: no service with an image of Kafka", name)
	return service{}
}

type endpoint struct{ name, host, port string }

// advertised reads the endpoints that the environment promises to clients.
func advertised(t *testing.T, environ []string) (endpoints []endpoint) {
	t.Helper()
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if name != "KAFKA_ADVERTISED_LISTENERS" && name != "KAFKA_CFG_ADVERTISED_LISTENERS" {
			continue
		}
		for entry := range strings.SplitSeq(value, ",") {
			listener, address, _ := strings.Cut(entry, "://")
			host, port, err := net.SplitHostPort(address)
			if err != nil {
				t.Fatal(err)
			}
			endpoints = append(endpoints, endpoint{listener, host, port})
		}
	}
	return endpoints
}

// use is a client of one listener: it is told this listener's address, and produces and consumes in a group through it.
func use(t *testing.T, p *process, e endpoint, node int32, cluster string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), clientLimit)
	defer cancel()
	go func() { // a broker that has ended ends the wait for it
		select {
		case <-p.exited:
			cancel()
		case <-ctx.Done():
		}
	}()
	topic := "orders-" + strings.ToLower(e.name)
	client, err := kgo.NewClient(kgo.SeedBrokers("localhost:"+e.port), kgo.Dialer(dialLocal), kgo.ConsumeTopics(topic), kgo.ConsumerGroup("g-"+topic))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	seen, err := awaitMetadata(ctx, admin)
	if err != nil {
		t.Fatalf("%s: %v", e.name, err)
	}
	if cluster != "" && seen.Cluster != cluster {
		t.Errorf("cluster %s, want %s", seen.Cluster, cluster)
	}
	var told []string
	for _, b := range seen.Brokers {
		told = append(told, fmt.Sprintf("%d@%s:%d", b.NodeID, b.Host, b.Port))
	}
	if want := fmt.Sprintf("[%d@%s:%s]", node, e.host, e.port); fmt.Sprint(told) != want {
		t.Errorf("%s tells clients of %v, want %s", e.name, told, want)
	}
	if _, err := admin.CreateTopic(ctx, 1, -1, nil, topic); err != nil {
		t.Fatalf("%s: create %s: %v", e.name, topic, err)
	}
	if err := client.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("hello")}).FirstErr(); err != nil {
		t.Fatalf("%s: produce: %v", e.name, err)
	}
	fetched := client.PollFetches(ctx)
	if err := fetched.Err(); err != nil {
		t.Fatalf("%s: consume: %v", e.name, err)
	}
	if records := fetched.Records(); len(records) != 1 || string(records[0].Value) != "hello" {
		t.Errorf("%s: consumed %v", e.name, records)
	}
	if err := client.CommitUncommittedOffsets(ctx); err != nil {
		t.Errorf("%s: commit: %v", e.name, err)
	}
}

// awaitMetadata asks until the broker has started to listen.
func awaitMetadata(ctx context.Context, admin *kadm.Client) (kadm.Metadata, error) {
	for {
		m, err := admin.BrokerMetadata(ctx)
		if err == nil && len(m.Brokers) > 0 || ctx.Err() != nil {
			return m, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// dialLocal resolves every name as this machine, where other containers' names have no address.
func dialLocal(ctx context.Context, network, address string) (net.Conn, error) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort("localhost", port))
}
