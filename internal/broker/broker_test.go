package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/vfs"
)

func TestServesAndComesBack(t *testing.T) {
	disk := vfs.NewMemory()
	b := start(t, disk)
	cluster := b.ClusterID()
	createTopic(t, b, "t", 2)
	producer := connect(t, b, kgo.DefaultProduceTopic("t"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for i := range 10 {
		if err := producer.ProduceSync(t.Context(), &kgo.Record{Partition: int32(i % 2), Value: []byte(fmt.Sprint(i))}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(consume(t, b, "t", 10)); got != 10 {
		t.Errorf("%d records", got)
	}
	stop(t, b)

	b = start(t, disk)
	if b.ClusterID() != cluster {
		t.Errorf("cluster %s, was %s", b.ClusterID(), cluster)
	}
	if clean, _ := b.dirs[0].WasClean(); !clean {
		t.Error("the stop was not clean")
	}
	if got := len(consume(t, b, "t", 10)); got != 10 {
		t.Errorf("%d records after a restart", got)
	}
	stop(t, b)
}

func TestHTTP(t *testing.T) {
	b := start(t, vfs.NewMemory())
	createTopic(t, b, "t", 2)
	if err := connect(t, b).ProduceSync(t.Context(), &kgo.Record{Topic: "t", Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	consume(t, b, "t", 1)
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, body := get(t, b, path); status != 200 {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	_, metrics := get(t, b, "/metrics")
	for _, line := range []string{
		"kafka_server_replicamanager_underreplicatedpartitions 0",
		"kafka_controller_kafkacontroller_activecontrollercount 1",
		"kafka_controller_kafkacontroller_offlinepartitionscount 0",
		"kafka_server_replicamanager_underminisrpartitioncount 0",
		"kafka_log_logmanager_offlinelogdirectorycount 0",
		"kafka_server_replicamanager_partitioncount 2",
		"kafka_server_replicamanager_leadercount 2",
		"kafka_controller_kafkacontroller_activebrokercount 1",
		"kafka_server_kafkaserver_brokerstate 3",
		`kafka_server_brokertopicmetrics_messagesin_total{topic="t"} 1`,
		`kafka_server_delayedoperationpurgatory_purgatorysize{delayedOperation="Produce"} 0`,
	} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("/metrics lacks %q", line)
		}
	}
	for _, part := range []string{
		`kafka_network_requestmetrics_requests_total{request="Produce",version="`,
		`kafka_network_requestmetrics_requests_total{request="FetchConsumer",version="`,
		`kafka_network_requestmetrics_totaltimems{quantile="0.99",request="Produce"}`,
		`kafka_network_requestmetrics_requestbytes_count{request="Metadata"}`,
		`kafka_server_brokertopicmetrics_bytesin_total{topic="t"}`,
		`kafka_server_brokertopicmetrics_bytesout_total{topic="t"}`,
		`kafka_server_fetchsessioncache_numincrementalfetchsessions `,
	} {
		if !strings.Contains(metrics, part) {
			t.Errorf("/metrics lacks %q", part)
		}
	}
	// A topic that is gone has no numbers.
	if _, err := kadm.NewClient(connect(t, b)).DeleteTopics(t.Context(), "t"); err != nil {
		t.Fatal(err)
	}
	if _, metrics := get(t, b, "/metrics"); strings.Contains(metrics, `{topic="t"}`) {
		t.Error("the numbers of a deleted topic stay")
	}
	b.ready.Store(false)
	if status, body := get(t, b, "/readyz"); status != 503 || !strings.Contains(body, "starting or stopping") {
		t.Errorf("/readyz: %d %s", status, body)
	}
	stop(t, b)
}

// Nobody who waits keeps a broker from stopping: fetches, members of a group that is being rebalanced, idle connections.
func TestStopIsFast(t *testing.T) {
	disk := vfs.NewMemory()
	b := start(t, disk)
	createTopic(t, b, "t", 2)
	for _, group := range []string{"", "g", "g"} {
		more := []kgo.Opt{kgo.ConsumeTopics("t"), kgo.FetchMaxWait(time.Minute), kgo.FetchMinBytes(1 << 20)}
		if group != "" {
			more = append(more, kgo.ConsumerGroup(group))
		}
		c := connect(t, b, more...)
		go c.PollFetches(t.Context())
	}
	eventually(t, "fetches wait", func() bool {
		_, metrics := get(t, b, "/metrics")
		return !strings.Contains(metrics, `purgatorysize{delayedOperation="Fetch"} 0`+"\n")
	})
	// A member joins and the others do not answer in time.
	stop(t, b)
	b = start(t, disk)
	if clean, _ := b.dirs[0].WasClean(); !clean {
		t.Error("the stop was not clean")
	}
	stop(t, b)
	stop(t, b) // once more does no harm
}

// What keeps a broker from starting is said in words that help, and leaves nothing behind.
func TestStartIsRefused(t *testing.T) {
	disk := vfs.NewMemory()
	b := start(t, disk)
	refused := func(what string, o Options, texts ...string) {
		t.Helper()
		other, err := Start(t.Context(), o)
		if err == nil {
			stop(t, other)
			t.Fatalf("%s: started", what)
		}
		for _, text := range texts {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %q does not say %q", what, err, text)
			}
		}
	}
	refused("directory in use", options(t, disk), "/data", "another broker", "log.dirs")
	if got := connect(t, b).Ping(t.Context()); got != nil {
		t.Error("the first broker:", got)
	}
	port := fmt.Sprint(b.Listeners()[0].Port)
	fresh := vfs.NewMemory()
	refused("port taken", options(t, fresh, "listeners=PLAINTEXT://localhost:"+port), ":"+port, "listeners")
	_, httpPort, _ := net.SplitHostPort(b.HTTPAddress())
	refused("HTTP port taken", options(t, fresh, "http.address=localhost:"+httpPort), "http.address", "off")
	stop(t, b)

	refused("another node's directory", options(t, disk, "node.id=7", "controller.quorum.voters=7@localhost:9093"), "/data", "1", "7")
	o := options(t, disk)
	o.Config.ClusterID = "AAAAAAAAAAAAAAAAAAAAAQ"
	refused("another cluster's directory", o, "/data", "AAAAAAAAAAAAAAAAAAAAAQ")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if other, err := Start(ctx, options(t, vfs.NewMemory())); !errors.Is(err, context.Canceled) {
		stop(t, other)
		t.Errorf("a start that was called off: %v", err)
	}
	// None of that holds a lock or a port.
	stop(t, start(t, disk))
	eventually(t, "the port is free again", func() bool { // another program may have it for a moment
		other, err := Start(t.Context(), options(t, fresh, "listeners=PLAINTEXT://localhost:"+port))
		if err == nil {
			stop(t, other)
		}
		return err == nil
	})
}

// Two brokers with default settings on one machine: the second takes another HTTP port.
func TestDefaultHTTPPortMayBeTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "localhost:9644")
	if err == nil {
		defer taken.Close()
	}
	o := options(t, vfs.NewMemory())
	c, _, err := config.Load(config.Sources{Sets: []string{"listeners=PLAINTEXT://localhost:0", "log.dirs=/data"}})
	if err != nil {
		t.Fatal(err)
	}
	o.Config = c
	b, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, b)
	if status, _ := get(t, b, "/healthz"); status != 200 {
		t.Error(status)
	}
	off := start(t, vfs.NewMemory(), "http.address=off")
	if off.HTTPAddress() != "" {
		t.Error("http.address=off has", off.HTTPAddress())
	}
	stop(t, off)
}

// Dynamic settings: of all brokers, of this one, of a topic; the narrower wins, and what is unset falls back.
func TestDynamicSettings(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMemory()
	b := start(t, disk)
	createTopic(t, b, "t", 1)
	createTopic(t, b, "own", 1)
	value := func(s string) *string { return &s }
	big := strings.Repeat("x", 5000)
	try := func(b *Broker, topic string) error {
		c := connect(t, b, kgo.ProducerBatchCompression(kgo.NoCompression()))
		return c.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte(big)}).FirstErr()
	}
	alter := func(resource string, brokers []int32, topics []string, to *string) {
		t.Helper()
		admin := kadm.NewClient(connect(t, b))
		change := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: resource, Value: to}}
		if to == nil {
			change[0].Op = kadm.DeleteConfig
		}
		var answers kadm.AlterConfigsResponses
		var err error
		if topics != nil {
			answers, err = admin.AlterTopicConfigs(t.Context(), change, topics...)
		} else {
			answers, err = admin.AlterBrokerConfigs(t.Context(), change, brokers...)
		}
		if err != nil || answers[0].Err != nil {
			t.Fatal(err, answers)
		}
	}
	want := func(what string, err, is error) {
		t.Helper()
		if !errors.Is(err, is) {
			t.Errorf("%s: %v, want %v", what, err, is)
		}
	}
	want("default", try(b, "t"), nil)
	alter("message.max.bytes", nil, nil, value("1000"))
	want("all brokers 1000", try(b, "t"), kerr.MessageTooLarge)
	alter("max.message.bytes", nil, []string{"own"}, value("10000"))
	want("topic 10000", try(b, "own"), nil)
	alter("message.max.bytes", []int32{1}, nil, value("20000"))
	want("this broker 20000", try(b, "t"), nil)
	alter("message.max.bytes", []int32{1}, nil, nil)
	want("this broker unset", try(b, "t"), kerr.MessageTooLarge)
	stop(t, b)

	b = start(t, disk)
	want("after a restart", try(b, "t"), kerr.MessageTooLarge)
	want("topic after a restart", try(b, "own"), nil)
	alter("message.max.bytes", nil, nil, nil)
	want("unset", try(b, "t"), nil)
	stop(t, b)
}

func TestManyPartitions(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMemory()
	b := start(t, disk, "max.request.partition.size.limit=100000")
	timed := func(what string, f func()) {
		t.Helper()
		began := time.Now()
		f()
		took := time.Since(began)
		t.Logf("%s: %v", what, took)
		if took > time.Minute { // what grows with the square of the partitions takes longer; a busy machine does not
			t.Errorf("%s took %v", what, took)
		}
	}
	const topics, partitions = 5, 1000
	timed("create 5 topics x 1,000 partitions", func() {
		for i := range topics {
			createTopic(t, b, fmt.Sprint("t", i), partitions)
		}
	})
	timed("stop", func() { stop(t, b) })
	timed("start", func() { b = start(t, disk) })
	if _, metrics := get(t, b, "/metrics"); !strings.Contains(metrics, "kafka_server_replicamanager_leadercount 5000\n") {
		t.Error("not every partition is led")
	}
	timed("delete", func() {
		if _, err := kadm.NewClient(connect(t, b)).DeleteTopics(t.Context(), "t0", "t1", "t2", "t3", "t4"); err != nil {
			t.Fatal(err)
		}
	})
	stop(t, b)
}

// The metadata log's directory fails: the broker says so and gives up; nothing that was acknowledged is lost.
func TestDiskFails(t *testing.T) {
	disk := vfs.NewMemory()
	faulty := vfs.Faulty(disk)
	b := start(t, faulty)
	createTopic(t, b, "t", 1)
	c := connect(t, b, kgo.RecordRetries(0), kgo.RequestRetries(0))
	if err := c.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	faulty.Add(vfs.Rule{Op: vfs.OpSync, Err: errors.New("bad sector")})
	if err := c.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Value: []byte("y")}).FirstErr(); err == nil {
		t.Error("acknowledged without a sync")
	}
	select {
	case err := <-b.Failed():
		if !strings.Contains(err.Error(), "bad sector") {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("the broker goes on without its disk")
	}
	if status, body := get(t, b, "/readyz"); status != 503 || !strings.Contains(body, "bad sector") {
		t.Errorf("/readyz: %d %s", status, body)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := b.Stop(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("the stop: %v, %v", err, ctx.Err())
	}
	faulty.Heal()
	b = start(t, disk)
	if records := consume(t, b, "t", 1); string(records[0].Value) != "x" {
		t.Errorf("%s", records[0].Value)
	}
	stop(t, b)
}

// eventually polls.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}
