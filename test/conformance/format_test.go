package conformance

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/test/harness"
	"github.com/ottla/ottla/test/realkafka"
)

// A folder that Ottla's kafka-storage has formatted, with a first voter, features of an older release and a user, is where real
// Kafka starts; and Ottla goes on there when Kafka has stopped.
func TestFolderThatOttlaFormats(t *testing.T) {
	t.Parallel()
	n, id := formattedByKafka(t)
	data := filepath.Join(n.Dir, "data")
	if err := os.RemoveAll(data); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(n.Dir, "server.properties")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var dynamic []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if voters, found := strings.CutPrefix(line, "controller.quorum.voters=1@"); found {
			line = "controller.quorum.bootstrap.servers=" + voters
		}
		dynamic = append(dynamic, line)
	}
	if err := os.WriteFile(file, []byte(strings.Join(dynamic, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(harness.Binary(t), "kafka-storage", "format", "-c", file, "-t", id, "--standalone", "--release-version", "4.1",
		"--feature", "group.version=0", "--add-scram", "SCRAM-SHA-512=[name=alice,password=secret]").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	meta, _, err := commitlog.ReadMeta(vfs.Disk(), data)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("cluster %s, voter 1 in %s, metadata.version 27, group.version 0", id, meta.DirectoryID)

	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	if err := n.Start(ctx); err != nil {
		t.Fatal(err)
	}
	tg := target{addr: n.Addr}
	if got := lookAtQuorum(t, tg); got != want {
		t.Errorf("Kafka says %s, want %s", got, want)
	}
	if answer, err := kadm.NewClient(kafkaClient(t, tg)).DescribeUserSCRAMs(ctx, "alice"); err != nil || len(answer["alice"].CredInfos) != 1 {
		t.Errorf("Kafka knows of alice: %+v, %v", answer, err)
	}
	if err := n.Stop(); err != nil {
		t.Fatal(err)
	}
	ottla := harness.Start(t, append(settingsOf(dynamic), "log.dirs="+data)...)
	if got := lookAtQuorum(t, target{addr: ottla.Addr}); got != want {
		t.Errorf("Ottla says %s, want %s", got, want)
	}
}

// Ottla starts in a folder that real Kafka's tool has formatted and nobody has used.
func TestFolderThatKafkaFormats(t *testing.T) {
	t.Parallel()
	n, id := formattedByKafka(t)
	text, err := os.ReadFile(filepath.Join(n.Dir, "server.properties"))
	if err != nil {
		t.Fatal(err)
	}
	ottla := harness.Start(t, append(settingsOf(strings.Split(string(text), "\n")), "log.dirs="+filepath.Join(n.Dir, "data"))...)
	got := lookAtQuorum(t, target{addr: ottla.Addr})
	if !strings.HasPrefix(got, "cluster "+id+", voter 1 in ") || !strings.HasSuffix(got, "metadata.version 30, group.version 1") {
		t.Errorf("Ottla says %s", got)
	}
}

func formattedByKafka(t *testing.T) (n *realkafka.Node, clusterID string) {
	t.Helper()
	if err := realkafka.Missing(); err != nil {
		if os.Getenv("OTTLA_TEST_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	cluster, err := realkafka.Format(t.Context(), t.TempDir(), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Kill)
	return cluster.Nodes[0], cluster.ID
}

// settingsOf are the lines of a properties file that a node is started with.
func settingsOf(lines []string) (settings []string) {
	for _, line := range lines {
		if strings.Contains(line, "=") && !strings.HasPrefix(line, "#") {
			settings = append(settings, strings.TrimSpace(line))
		}
	}
	return settings
}

// lookAtQuorum says whose cluster it is, and what it was formatted with.
func lookAtQuorum(t *testing.T, tg target) string {
	t.Helper()
	client := kafkaClient(t, tg)
	metadata, err := kadm.NewClient(client).BrokerMetadata(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rq := kmsg.NewPtrDescribeQuorumRequest()
	topic := kmsg.NewDescribeQuorumRequestTopic()
	topic.Topic, topic.Partitions = "__cluster_metadata", []kmsg.DescribeQuorumRequestTopicPartition{{}}
	rq.Topics = append(rq.Topics, topic)
	quorum, err := rq.RequestWith(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	voter := quorum.Topics[0].Partitions[0].CurrentVoters[0]
	versions, err := kmsg.NewPtrApiVersionsRequest().RequestWith(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	levels := map[string]int16{}
	for _, f := range versions.FinalizedFeatures {
		levels[f.Name] = f.MaxVersionLevel
	}
	return fmt.Sprintf("cluster %s, voter %d in %s, metadata.version %d, group.version %d", metadata.Cluster, voter.ReplicaID,
		kafka.UUID(voter.ReplicaDirectoryID), levels["metadata.version"], levels["group.version"])
}
