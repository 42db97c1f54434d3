package conformance

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// directoryProps let groups whose members are gone stay as they are, and the offsets topic be compacted at once.
var directoryProps = []string{
	"offsets.topic.num.partitions=2", "offsets.topic.segment.bytes=1048576", "log.cleaner.backoff.ms=200", "transaction.state.log.num.partitions=2",
	"group.consumer.min.session.timeout.ms=6000", "group.consumer.session.timeout.ms=600000", "group.consumer.max.session.timeout.ms=600000",
	"group.consumer.min.heartbeat.interval.ms=500", "group.consumer.heartbeat.interval.ms=500",
	"group.streams.min.session.timeout.ms=6000", "group.streams.session.timeout.ms=600000", "group.streams.max.session.timeout.ms=600000",
	"group.streams.min.heartbeat.interval.ms=500", "group.streams.heartbeat.interval.ms=500", "group.streams.initial.rebalance.delay.ms=0",
}

// A directory of real Kafka: classic, consumer and streams groups, one of both kinds of members, static members, offsets of
// many groups in a compacted log, transactions that are over and one that is open, with offsets. Ottla says of all of them
// what Kafka said, goes on with the open transaction, and Kafka reads what Ottla leaves.
func TestDirectoryOfKafka(t *testing.T) {
	t.Parallel()
	h := newHouse(t, directoryProps...)
	tg := h.target()
	admin := kadm.NewClient(kafkaClient(t, tg))
	topics := []string{"work", "lines", "counts", "results"}
	if answer, err := admin.CreateTopics(t.Context(), 2, 1, nil, topics...); err != nil || answer.Error() != nil {
		t.Fatal(err, answer.Error())
	}
	for i := range 40 {
		produceOne(t, tg, "work", int32(i%2), fmt.Sprint(i))
		produceOne(t, tg, "lines", int32(i%2), "some words and some more")
	}
	groups := populate(t, tg)
	fillOffsets(t, admin, h.data())
	open := beginTransaction(t, tg, "open")
	groups = append(groups, "offsets-of-open", "bulk-0", "bulk-7")
	topics = append(topics, "words-words-repartition")

	before := facts(t, tg, groups, topics)
	before["the open transaction"] = describedTransaction(t, open, "open")
	for what, words := range map[string]string{
		"groups": "Stable", "classic group classic": "Stable", "consumer group both": "MemberEpoch", "streams group words": "Topology",
		"transactions": "Ongoing", "the open transaction": "Ongoing", "offsets of offsets-of-open, stable: true": `"ErrorCode": 88`,
	} {
		if !strings.Contains(before[what], words) {
			t.Fatalf("%s has no %s: the directory is not what this test is about:\n%s", what, words, before[what])
		}
	}
	look := func(who string) {
		t.Helper()
		var now map[string]string
		for end := time.Now().Add(20 * time.Second); !maps.Equal(now, before) && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			now = facts(t, tg, groups, topics) // until the coordinators have loaded
			now["the open transaction"] = describedTransaction(t, open, "open")
		}
		sameFacts(t, who, now, before)
	}
	h.move(false)
	look("Ottla")
	h.move(false)
	look("Kafka")
	h.move(true)
	look("Ottla after a crash of Kafka")
	h.move(true)
	look("Kafka after a crash of Ottla")
	h.move(false)
	endTransaction(t, tg, open)
	h.move(false)
	checkTransaction(t, tg)
}

// Applications that read and write in transactions go on while their broker, which is killed now and then, is Kafka and Ottla
// by turns: every record comes out once.
func TestApplicationsWhileTheBrokerChanges(t *testing.T) {
	if os.Getenv("OTTLA_PROOF_MINUTES") == "" {
		t.Skip("takes minutes: make proof-directory")
	}
	t.Parallel()
	t.Run("word count", func(t *testing.T) {
		wordCount(t, newHouse(t, append(streamsTimeouts, "offsets.topic.num.partitions=4", "transaction.state.log.num.partitions=4")...).target(), "streams")
	})
	t.Run("copiers", func(t *testing.T) {
		copierChain(t, newHouse(t, append(consumerTimeouts, "offsets.topic.num.partitions=4", "transaction.state.log.num.partitions=4")...).target())
	})
}

// populate has members of every kind join groups, and be killed when all of them are where they belong.
func populate(t *testing.T, tg target) []string {
	t.Helper()
	members := []struct{ group, client, protocol, instance string }{
		{"classic", "java", "classic", ""}, {"classic", "kgo", "classic", ""},
		{"consumer", "java", "consumer", ""}, {"consumer", "confluent", "consumer", ""},
		{"both", "java", "classic", ""}, {"both", "kgo", "consumer", ""},
		{"static", "java", "classic", "an-instance"},
	}
	words := javaProof(t, "WordCount").on(tg).with("APPLICATION=words", "INPUT=lines", "OUTPUT=counts", "GROUP_PROTOCOL=streams", "CLIENT=first", "STATE_DIR="+t.TempDir()).start(t, "streams")
	all := []*process{words}
	r := &roster{migration: migration{strategy: "cooperative-sticky"}, t: t, tg: tg, topic: "work"}
	held := map[string][]*process{}
	for i, m := range members {
		r.group = m.group
		x := r.worker(m.client, m.protocol, m.instance).with("SESSION=300000").start(t, fmt.Sprintf("%d-%s-%s-%s", i, m.group, m.client, m.protocol))
		all, held[m.group] = append(all, x), append(held[m.group], x)
	}
	var state string
	eventually(t, 2*time.Minute, func() string { return "both partitions of each group have an owner: " + state }, func() bool {
		state = ""
		for group, processes := range held {
			n := 0
			for _, x := range processes {
				told := r.told(x)
				mine := told.held()
				state += fmt.Sprint(x.name, mine, " ")
				n += len(mine)
				if len(mine) == 0 {
					return false
				}
			}
			if n != 2 || groupCommitted(t, tg, group) != 40 {
				return false
			}
		}
		state += words.output()
		return strings.Contains(words.output(), "running") && groupCommitted(t, tg, "words") > 0
	})
	quiet(t, tg, append(slices.Collect(maps.Keys(held)), "words"))
	for _, x := range all {
		x.kill()
	}
	return append(slices.Sorted(maps.Keys(held)), "words")
}

// groupCommitted is the sum of a group's committed offsets.
func groupCommitted(t *testing.T, tg target, group string) (sum int64) {
	t.Helper()
	client := kafkaClient(t, tg)
	defer client.Close()
	offsets, err := kadm.NewClient(client).FetchOffsets(t.Context(), group)
	if err != nil {
		return -1
	}
	offsets.Each(func(o kadm.OffsetResponse) { sum += max(o.At, 0) })
	return sum
}

// quiet waits until what the broker says of some groups has not changed for two seconds.
func quiet(t *testing.T, tg target, groups []string) {
	t.Helper()
	since, last := time.Now(), facts(t, tg, groups, []string{"counts"})
	eventually(t, time.Minute, func() string { return "groups that do not change" }, func() bool {
		if now := facts(t, tg, groups, []string{"counts"}); !maps.Equal(now, last) {
			since, last = time.Now(), now
		}
		return time.Since(since) > 2*time.Second
	})
}

func produceOne(t *testing.T, tg target, topic string, partition int32, value string) {
	t.Helper()
	client := kafkaClient(t, tg, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer client.Close()
	if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Partition: partition, Value: []byte(value)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// fillOffsets has twenty groups commit until the cleaner has compacted both partitions of the offsets topic.
func fillOffsets(t *testing.T, admin *kadm.Client, data string) {
	t.Helper()
	note := strings.Repeat("compacted away ", 200)
	n := int64(0)
	eventually(t, 2*time.Minute, func() string { return "the cleaner has been at both partitions of __consumer_offsets" }, func() bool {
		for i := range 20 * 60 {
			n++
			offsets := kadm.Offsets{}
			offsets.Add(kadm.Offset{Topic: "work", Partition: int32(i % 2), At: n, LeaderEpoch: -1, Metadata: fmt.Sprint(n, " ", note)})
			if answer, err := admin.CommitOffsets(t.Context(), fmt.Sprintf("bulk-%d", i%20), offsets); err != nil || answer.Error() != nil {
				t.Fatal(err, answer.Error())
			}
		}
		text, _ := os.ReadFile(filepath.Join(data, "cleaner-offset-checkpoint"))
		return strings.Contains(string(text), "__consumer_offsets 0 ") && strings.Contains(string(text), "__consumer_offsets 1 ")
	})
}

// beginTransaction leaves a committed, an aborted and an open transaction, each with records and offsets of a group.
func beginTransaction(t *testing.T, tg target, id string) *kgo.Client {
	t.Helper()
	client := kafkaClient(t, tg, kgo.TransactionalID(id), kgo.TransactionTimeout(10*time.Minute), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DefaultProduceTopic("results"))
	for i, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
		writeInTransaction(t, client, true, fmt.Sprintf("ended-%v", end), int64(i+1))
		if err := client.EndTransaction(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	writeInTransaction(t, client, true, "open", 7)
	return client
}

// writeInTransaction writes to both partitions and commits an offset of the group offsets-of-open.
func writeInTransaction(t *testing.T, client *kgo.Client, begin bool, value string, offset int64) {
	t.Helper()
	if begin {
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
	}
	for p := range int32(2) {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Partition: p, Value: []byte(value)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	pid, epoch, err := client.ProducerID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	commit := kmsg.NewPtrTxnOffsetCommitRequest()
	commit.TransactionalID, commit.Group, commit.ProducerID, commit.ProducerEpoch = "open", "offsets-of-open", pid, epoch
	p := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	p.Offset, p.LeaderEpoch, p.Metadata = offset, -1, kmsg.StringPtr(value)
	commit.Topics = []kmsg.TxnOffsetCommitRequestTopic{{Topic: "work", Partitions: []kmsg.TxnOffsetCommitRequestTopicPartition{p}}}
	answer, err := commit.RequestWith(t.Context(), client)
	if err != nil || answer.Topics[0].Partitions[0].ErrorCode != 0 {
		t.Fatal(err, answer)
	}
}

// endTransaction goes on with the open transaction, and commits it.
func endTransaction(t *testing.T, tg target, client *kgo.Client) {
	t.Helper()
	writeInTransaction(t, client, false, "went-on", 8)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := client.EndTransaction(ctx, kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	writeInTransaction(t, client, true, "after", 9)
	if err := client.EndTransaction(ctx, kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
	checkTransaction(t, tg)
}

// checkTransaction wants what was committed of the transactions, and nothing else.
func checkTransaction(t *testing.T, tg target) {
	t.Helper()
	for p, records := range wholeTopic(t, tg, "results") {
		var values []string
		for _, r := range records {
			values = append(values, string(r.Value))
		}
		if want := []string{"ended-true", "open", "went-on"}; !slices.Equal(values, want) {
			t.Errorf("partition %d of the results has %v, want %v", p, values, want)
		}
	}
	if got := groupCommitted(t, tg, "offsets-of-open"); got != 8 {
		t.Errorf("the group of the transactions has committed %d, want 8", got)
	}
}
