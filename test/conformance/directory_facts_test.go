package conformance

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// facts are what a broker says of its groups, transactions and topics, as sorted JSON by what was asked.
func facts(t *testing.T, tg target, groups, topics []string) map[string]string {
	t.Helper()
	client := kafkaClient(t, tg)
	defer client.Close()
	found := map[string]string{}
	for _, ask := range questions(groups, topics) {
		answer, err := client.Request(t.Context(), ask.request)
		if err != nil {
			t.Fatalf("%s: %v", ask.what, err)
		}
		found[ask.what] = sortedJSON(t, answer)
	}
	return found
}

type question struct {
	what    string
	request kmsg.Request
}

func questions(groups, topics []string) []question {
	var all []question
	add := func(what string, request kmsg.Request) { all = append(all, question{what, request}) }
	add("groups", kmsg.NewPtrListGroupsRequest())
	add("transactions", kmsg.NewPtrListTransactionsRequest())
	for _, g := range groups {
		classic := kmsg.NewPtrDescribeGroupsRequest()
		classic.Groups = []string{g}
		add("classic group "+g, classic)
		consumer := kmsg.NewPtrConsumerGroupDescribeRequest()
		consumer.Groups = []string{g}
		add("consumer group "+g, consumer)
		streams := kmsg.NewPtrStreamsGroupDescribeRequest()
		streams.Groups = []string{g}
		add("streams group "+g, streams)
		for _, stable := range []bool{false, true} {
			offsets := kmsg.NewPtrOffsetFetchRequest()
			one := kmsg.NewOffsetFetchRequestGroup()
			one.Group = g
			offsets.Groups, offsets.RequireStable = []kmsg.OffsetFetchRequestGroup{one}, stable
			if stable { // says which partitions have pending offsets only if it is asked for them
				offsets.Groups[0].Topics = partitionsOf(topics)
			}
			add(fmt.Sprintf("offsets of %s, stable: %v", g, stable), offsets)
		}
	}
	for _, topic := range topics {
		producers := kmsg.NewPtrDescribeProducersRequest()
		producers.Topics = []kmsg.DescribeProducersRequestTopic{{Topic: topic, Partitions: []int32{0, 1}}}
		add("producers of "+topic, producers)
		for level, name := range []string{"end", "last stable offset"} {
			offsets := kmsg.NewPtrListOffsetsRequest()
			offsets.ReplicaID, offsets.IsolationLevel = -1, int8(level)
			one := kmsg.NewListOffsetsRequestTopic()
			one.Topic = topic
			for p := range int32(2) {
				asked := kmsg.NewListOffsetsRequestTopicPartition()
				asked.Partition, asked.Timestamp, asked.CurrentLeaderEpoch = p, -1, -1
				one.Partitions = append(one.Partitions, asked)
			}
			offsets.Topics = []kmsg.ListOffsetsRequestTopic{one}
			add(name+" of "+topic, offsets)
		}
	}
	return all
}

func partitionsOf(topics []string) []kmsg.OffsetFetchRequestGroupTopic {
	var all []kmsg.OffsetFetchRequestGroupTopic
	for _, topic := range topics {
		one := kmsg.NewOffsetFetchRequestGroupTopic()
		one.Topic, one.Partitions = topic, []int32{0, 1}
		all = append(all, one)
	}
	return all
}

// describedTransaction is a fact of its own: only a transaction that is there can be described.
func describedTransaction(t *testing.T, client *kgo.Client, id string) string {
	t.Helper()
	request := kmsg.NewPtrDescribeTransactionsRequest()
	request.TransactionalIDs = []string{id}
	answer, err := client.Request(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	return sortedJSON(t, answer)
}

// sortedJSON is a response without what says nothing of groups, its arrays in an order of their own. After a restart Kafka, too, knows
// the number of partitions of a topology's internal topics only from the first heartbeat on.
func sortedJSON(t *testing.T, response kmsg.Response) string {
	t.Helper()
	text, err := json.Marshal(response)
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	text, err = json.MarshalIndent(sorted(value), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func sorted(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			v[key] = sorted(inner)
		}
		for _, key := range []string{"Version", "ThrottleMillis", "UnknownTags", "CoordinatorEpoch", "LeaderEpoch", "NumPartitions"} {
			delete(v, key)
		}
	case []any:
		for i := range v {
			v[i] = sorted(v[i])
		}
		slices.SortFunc(v, func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	}
	return value
}

// sameFacts compares what two brokers have said.
func sameFacts(t *testing.T, who string, got, want map[string]string) {
	t.Helper()
	for what, text := range want {
		if got[what] != text {
			t.Errorf("%s says something else about %s:\n%s", who, what, differentLines(got[what], text))
		}
	}
}

// differentLines shows the lines of two texts that differ.
func differentLines(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	text := ""
	for i := range max(len(g), len(w)) {
		a, b := "", ""
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			text += fmt.Sprintf("  %4d: got %s, want %s\n", i+1, strings.TrimSpace(a), strings.TrimSpace(b))
		}
	}
	return text
}
