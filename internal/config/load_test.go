package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// environ reads one NAME=value a line.
func environ(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

func texts(listeners []Listener) string {
	var all []string
	for _, l := range listeners {
		all = append(all, l.String()+"/"+string(l.Protocol))
	}
	return strings.Join(all, " ")
}

func notices(all []Notice) string {
	var lines []string
	for _, n := range all {
		lines = append(lines, n.String())
	}
	return strings.Join(lines, "\n")
}

func TestZeroConfiguration(t *testing.T) {
	b := zero(t)
	if got := texts(b.Listeners); got != "PLAINTEXT://localhost:9092/PLAINTEXT" {
		t.Error(got)
	}
	if got := texts(b.AdvertisedListeners); got != "PLAINTEXT://localhost:9092/PLAINTEXT" {
		t.Error(got)
	}
	if b.Int(NodeID) != 1 || b.Int(BrokerID) != 1 || !b.Lone() || len(b.ControllerListeners) != 0 || b.InterBrokerListener != "PLAINTEXT" {
		t.Error(b.Int(NodeID), b.Int(BrokerID), b.Lone(), b.ControllerListeners, b.InterBrokerListener)
	}
	if got := strings.Join(b.LogDirs(), " ") + " " + b.MetadataDir(); got != "./data ./data" {
		t.Error(got)
	}
	for _, k := range []BrokerInt{OffsetsTopicReplicationFactor, TransactionStateLogReplicationFactor, TransactionStateLogMinISR,
		ShareCoordinatorStateTopicReplicationFactor, ShareCoordinatorStateTopicMinISR} {
		if b.Int(k) != 1 {
			t.Errorf("%s is %d on a lone node", k.Name, b.Int(k))
		}
	}
	if b.Text(HTTPAddress) != "localhost:9644" {
		t.Error(b.Text(HTTPAddress))
	}
}

func TestLoadsComposeWithZooKeeper(t *testing.T) { // confluentinc/cp-kafka 7.5.0 beside cp-zookeeper
	b, said, err := Load(Sources{Environ: environ(`
		PATH=/usr/bin
		KAFKA_BROKER_ID=1
		KAFKA_ZOOKEEPER_CONNECT=zookeeper:2181
		KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://kafka:29092,PLAINTEXT_HOST://localhost:9092
		KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT
		KAFKA_INTER_BROKER_LISTENER_NAME=PLAINTEXT
		KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR=1
		KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR=1
		KAFKA_TRANSACTION_STATE_LOG_MIN_ISR=1
		KAFKA_HEAP_OPTS=-Xmx1g
		KAFKA_JMX_PORT=9999`)})
	if err != nil {
		t.Fatal(err)
	}
	if got := texts(b.Listeners); got != "PLAINTEXT://0.0.0.0:29092/PLAINTEXT PLAINTEXT_HOST://0.0.0.0:9092/PLAINTEXT" {
		t.Error(got)
	}
	if got := texts(b.AdvertisedListeners); got != "PLAINTEXT://kafka:29092/PLAINTEXT PLAINTEXT_HOST://localhost:9092/PLAINTEXT" {
		t.Error(got)
	}
	if got := notices(said); got != "zookeeper.connect: ZooKeeper is not needed; the broker keeps the cluster's metadata itself" {
		t.Error(got)
	}
	if !b.Lone() || b.Int(NodeID) != 1 {
		t.Error(b.Lone(), b.Int(NodeID))
	}
}

func TestLoadsComposeWithKRaft(t *testing.T) {
	for name, env := range map[string]string{
		"apache/kafka": `
			KAFKA_NODE_ID=1
			KAFKA_PROCESS_ROLES=broker,controller
			KAFKA_LISTENERS=PLAINTEXT_HOST://:9092,CONTROLLER://:29093,PLAINTEXT://:19092
			KAFKA_ADVERTISED_LISTENERS=PLAINTEXT_HOST://localhost:9092,PLAINTEXT://broker:19092
			KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER
			KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT
			KAFKA_INTER_BROKER_LISTENER_NAME=PLAINTEXT
			KAFKA_CONTROLLER_QUORUM_VOTERS=1@broker:29093
			KAFKA_LOG_DIRS=/var/lib/kafka/data
			KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS=0
			CLUSTER_ID=4L6g3nShT-eMCtK--X86sw`,
		"cp-kafka": `
			CLUSTER_ID=MkU3OEVBNTcwNTJENDM2Qk
			KAFKA_NODE_ID=1
			KAFKA_PROCESS_ROLES=broker,controller
			KAFKA_LISTENERS=PLAINTEXT://broker:29092,CONTROLLER://broker:29093,PLAINTEXT_HOST://0.0.0.0:9092
			KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://broker:29092,PLAINTEXT_HOST://localhost:9092
			KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT
			KAFKA_CONTROLLER_QUORUM_VOTERS=1@broker:29093
			KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER
			KAFKA_INTER_BROKER_LISTENER_NAME=PLAINTEXT
			KAFKA_CONFLUENT_SUPPORT_METRICS_ENABLE=false`,
		"bitnami": `
			KAFKA_CFG_NODE_ID=1
			KAFKA_CFG_PROCESS_ROLES=controller,broker
			KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093
			KAFKA_CFG_ADVERTISED_LISTENERS=PLAINTEXT://localhost:9092
			KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
			KAFKA_CFG_CONTROLLER_QUORUM_VOTERS=1@kafka:9093
			KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER
			KAFKA_KRAFT_CLUSTER_ID=abcdefghijklmnopqrstuv`,
	} {
		b, _, err := Load(Sources{Environ: environ(env)})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !b.Lone() || len(b.ControllerListeners) != 1 || b.ControllerListeners[0].Name != "CONTROLLER" || len(b.ClusterID) != 22 ||
			slices.ContainsFunc(b.AdvertisedListeners, func(l Listener) bool { return l.Name == "CONTROLLER" }) {
			t.Errorf("%s: %v %v %v %q", name, b.Lone(), b.ControllerListeners, b.AdvertisedListeners, b.ClusterID)
		}
	}
}

func TestLaterSourcesWin(t *testing.T) {
	file := filepath.Join(t.TempDir(), "server.properties")
	write(t, file, "num.partitions=2\nlog.retention.hours=5\nlog.dirs=a\nlog.dirs=b,c\n")
	b, _, err := Load(Sources{File: file, Environ: []string{"KAFKA_NUM_PARTITIONS=3", "KAFKA_LOG_RETENTION_HOURS=6"}, Sets: []string{"num.partitions=4"}})
	if err != nil {
		t.Fatal(err)
	}
	if b.Int(NumPartitions) != 4 || b.Int(LogRetentionHours) != 6 || strings.Join(b.LogDirs(), " ") != "b c" {
		t.Error(b.Int(NumPartitions), b.Int(LogRetentionHours), b.LogDirs())
	}
	if b.Source(NumPartitions) != StaticBrokerConfig || b.Source(FetchMaxBytes) != DefaultConfig {
		t.Error(b.Source(NumPartitions), b.Source(FetchMaxBytes))
	}
}

func TestInternalTopicsKeepWhatUsersSet(t *testing.T) {
	b, _, err := Load(Sources{Sets: []string{"offsets.topic.replication.factor=3"}})
	if err != nil || b.Int(OffsetsTopicReplicationFactor) != 3 || b.Int(TransactionStateLogReplicationFactor) != 1 {
		t.Error(b.Int(OffsetsTopicReplicationFactor), b.Int(TransactionStateLogReplicationFactor), err)
	}
}

func TestNotices(t *testing.T) {
	_, said, err := Load(Sources{Sets: []string{
		"num.partition=3", "quite.another.thing=1", "num.io.threads=16", "num.network.threads=3", "controller.socket.timeout.ms=1000",
		"zookeeper.connect=z:1", "zookeeper.session.timeout.ms=5", "advertised.host.name=x", "ssl.keystore.password=secret",
		"super.users=User:a", "leader.replication.throttled.rate=1", "listener.name.plaintext.ssl.keystore.password=secret",
		"advertised.listeners=PLAINTEXT://kafka.example.com:9092", "bad\nname=1",
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.TrimSpace(`
advertised.host.name has no effect: Kafka 3.0 removed it; set advertised.listeners=PLAINTEXT://<host>:<port>
bad?name is not a known property and has no effect
controller.socket.timeout.ms=1000 is accepted and has no effect in this version: it comes with several brokers
leader.replication.throttled.rate has no effect here: it can only be set through kafka-configs
listener.name.plaintext.ssl.keystore.password is accepted and has no effect in this version: it comes with TLS
num.io.threads=16 is accepted and has no effect here: requests are handled by the goroutine of their connection
num.partition is not a known property and has no effect; did you mean num.partitions?
quite.another.thing is not a known property and has no effect
ssl.keystore.password is accepted and has no effect in this version: it comes with TLS
zookeeper.connect: ZooKeeper is not needed; the broker keeps the cluster's metadata itself
advertised.listeners says PLAINTEXT://kafka.example.com:9092, but listeners is not set and the broker listens on localhost only; set listeners=PLAINTEXT://:9092 to be reached from other machines`)
	if diff := cmp.Diff(want, notices(said)); diff != "" {
		t.Error(diff)
	}
}

func TestLoadRefuses(t *testing.T) {
	f := func(want string, sets ...string) {
		t.Helper()
		_, _, err := Load(Sources{Sets: sets})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %s", sets, err, want)
		}
	}
	f("Invalid value abc for configuration num.partitions: Not a number of type INT", "num.partitions=abc")
	f("Invalid value 0 for configuration num.partitions: Value must be at least 1", "num.partitions=0")
	f("Value must be at least 1\nInvalid value x for", "num.io.threads=0", "num.partitions=x") // all at once
	f("--set nonsense: expected key=value", "nonsense")
	f("Expected value to be either true or false", "delete.topic.enable=yes")
	f("authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer cannot be honoured", "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer")
	f("remote.log.storage.system.enable=true cannot be honoured", "remote.log.storage.system.enable=true")
	f("listener SASL_PLAINTEXT uses SASL_PLAINTEXT: this version serves PLAINTEXT only", "listeners=SASL_PLAINTEXT://:9092")
	f("listener EXTERNAL uses SSL", "listeners=PLAINTEXT://:9092,EXTERNAL://:9093", "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,EXTERNAL:SSL")
	f("If using process.roles, either controller.quorum.bootstrap.servers must contain", "process.roles=broker")
	f("must be included in the set of voters controller.quorum.voters=Set(2)", "controller.quorum.voters=2@a:1")
	f("You must set `node.id` to the same value as `broker.id`.", "node.id=1", "broker.id=2")
	f("log.retention.ms must be unlimited (-1) or, greater than or equal to 1", "log.retention.hours=0")
	f("queued.max.request.bytes must be larger or equal to socket.request.max.bytes", "queued.max.request.bytes=5")
	f("max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.", "max.connections.per.ip=0")
	f("max.connections.per.ip.overrides contains invalid addresses : a/b", "max.connections.per.ip.overrides=a/b:5")
	f("connection.failed.authentication.delay.ms=100 should always be less than connections.max.idle.ms=50", "connections.max.idle.ms=50")
	f("conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)", "log.cleaner.min.compaction.lag.ms=10", "log.cleaner.max.compaction.lag.ms=5")
	f("group.consumer.max.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms", "group.consumer.max.session.timeout.ms=1")
	f("group.share.max.share.sessions must be greater than or equal to group.share.max.size", "group.share.max.share.sessions=1")
	f("Disabling the 'classic' protocol is not supported.", "group.coordinator.rebalance.protocols=consumer")
	f("Unable to parse", "listeners=PLAINTEXT:9092")
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestConfigProviders(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "secrets.properties"), "partitions=7\n")
	write(t, filepath.Join(dir, "rack"), "r1")
	b, _, err := Load(Sources{
		Environ: []string{"HOURS=9"},
		Sets: []string{
			"config.providers=env, file,dir",
			"config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider",
			"config.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider",
			"config.providers.dir.class=org.apache.kafka.common.config.provider.DirectoryConfigProvider",
			"log.retention.hours=${env:HOURS}",
			"num.partitions=${file:" + filepath.Join(dir, "secrets.properties") + ":partitions}",
			"broker.rack=${dir:" + dir + ":rack}-${env:NO_SUCH}-${other:x}-${dir:" + dir + ":../x}",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if b.Int(LogRetentionHours) != 9 || b.Int(NumPartitions) != 7 || b.Text(BrokerRack) != "r1-${env:NO_SUCH}-${other:x}-${dir:"+dir+":../x}" {
		t.Error(b.Int(LogRetentionHours), b.Int(NumPartitions), b.Text(BrokerRack))
	}
}

func TestConfigProvidersRefuse(t *testing.T) {
	f := func(want string, sets ...string) {
		t.Helper()
		_, _, err := Load(Sources{Sets: append(sets, "config.providers=p"), Environ: []string{"A=1"}})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %s", sets, err, want)
		}
	}
	f("set config.providers.p.class to its class")
	f("Java classes cannot be loaded", "config.providers.p.class=com.example.Vault")
	f("could not read properties from file", "config.providers.p.class=FileConfigProvider", "broker.rack=${p:/no/such/file:k}")
	f("path is not supported", "config.providers.p.class=EnvVarConfigProvider", "broker.rack=${p:x:A}")
	f("", "config.providers.p.class=FileConfigProvider", "config.providers.p.param.allowed.paths=/allowed", "broker.rack=${p:/no/such/file:k}")
	b, _, err := Load(Sources{Sets: []string{"config.providers=p", "config.providers.p.class=EnvVarConfigProvider",
		"config.providers.p.param.allowlist.pattern=B.*", "broker.rack=${p:A}${p:B1}"}, Environ: []string{"A=1", "B1=2"}})
	if err != nil || b.Text(BrokerRack) != "${p:A}2" {
		t.Error("a variable outside of the allow list was read", err)
	}
}

func TestNodesOfACluster(t *testing.T) {
	voters := "controller.quorum.voters=1@a:9093,2@b:9093,3@c:9093"
	for name, sets := range map[string][]string{
		"both":       {"node.id=2", "listeners=PLAINTEXT://:9092,CONTROLLER://:9093", "controller.listener.names=CONTROLLER"},
		"controller": {"node.id=3", "process.roles=controller", "listeners=CONTROLLER://:9093", "controller.listener.names=CONTROLLER"},
		"broker":     {"node.id=4", "process.roles=broker", "listeners=PLAINTEXT://:9092", "controller.listener.names=CONTROLLER"},
	} {
		b, _, err := Load(Sources{Sets: append(sets, voters)})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if b.Lone() || len(b.Voters) != 3 || b.Voters[1].Host != "b" || (len(b.ControllerListeners) == 1) == (name == "broker") {
			t.Errorf("%s: lone %v, voters %v, controller listeners %v", name, b.Lone(), b.Voters, b.ControllerListeners)
		}
	}
}
