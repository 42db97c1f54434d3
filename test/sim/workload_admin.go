package sim

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/test/sim/history"
)

func exists(err error) bool { return errors.Is(err, kerr.TopicAlreadyExists) }

// administer changes topics one after the other. A topic of which it does not know how a change ended is left alone from then
// on: the request may still be on its way.
func (w *clients) administer() {
	random := w.random(300)
	client := w.connect(kgo.RequestRetries(0))
	defer client.Close()
	admin := kadm.NewClient(client)
	for n := 0; w.ctx.Err() == nil; n++ {
		topic := fmt.Sprint("made-", n)
		partitions := 1 + random.IntN(3)
		if !w.change("partitions of "+topic, strconv.Itoa(partitions), func(ctx context.Context) error {
			_, err := admin.CreateTopic(ctx, int32(partitions), w.cluster.options.replication(), nil, topic)
			return err
		}) {
			continue
		}
		for range random.IntN(3) {
			value := strconv.Itoa(60000 + random.IntN(1000))
			if !w.change("retention.ms of "+topic, value, func(ctx context.Context) error {
				answers, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: &value}}, topic)
				if err == nil {
					err = answers[0].Err
				}
				return err
			}) {
				break
			}
		}
		if random.IntN(2) == 0 {
			w.change("partitions of "+topic, strconv.Itoa(partitions+1), func(ctx context.Context) error {
				answers, err := admin.CreatePartitions(ctx, 1, topic)
				if err == nil {
					err = answers[topic].Err
				}
				return err
			})
		} else if random.IntN(2) == 0 {
			w.changes.Ask("retention.ms of "+topic, "") // goes with the topic
			if w.change("partitions of "+topic, "", func(ctx context.Context) error {
				answers, err := admin.DeleteTopics(ctx, topic)
				if err == nil {
					err = answers[topic].Err
				}
				return err
			}) {
				w.changes.Done("retention.ms of " + topic)
			}
		}
		wait(w.ctx, between(random, 50*time.Millisecond, 1500*time.Millisecond))
	}
}

// change does one change and reports whether it was acknowledged.
func (w *clients) change(key, value string, do func(context.Context) error) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	w.changes.Ask(key, value)
	if err := do(ctx); err != nil {
		w.story.note("%s to %q: %v", key, value, err)
		wait(w.ctx, 200*time.Millisecond)
		return false
	}
	w.changes.Done(key)
	w.story.note("%s is %q", key, value)
	return true
}

// observe asks one node for its picture of the cluster.
func (w *clients) observe(n *Node) {
	client := w.connect(kgo.SeedBrokers(nodeAddress(n.id)+":9092"), kgo.RequestRetries(0))
	defer client.Close()
	for w.ctx.Err() == nil {
		ctx, cancel := context.WithTimeout(w.ctx, 3*time.Second)
		w.observeOnce(ctx, client.SeedBrokers()[0], n)
		cancel()
		wait(w.ctx, 100*time.Millisecond)
	}
}

func (w *clients) observeOnce(ctx context.Context, seed *kgo.Broker, n *Node) {
	before := n.current()
	if before == nil {
		return
	}
	answer, err := seed.Request(ctx, kmsg.NewPtrMetadataRequest())
	if err != nil || n.current() != before {
		return
	}
	for _, t := range answer.(*kmsg.MetadataResponse).Topics {
		if t.Topic == nil {
			continue
		}
		for _, p := range t.Partitions {
			if p.LeaderEpoch < 0 {
				continue
			}
			w.leaders.Partition(before.name, history.Partition{Topic: *t.Topic, Partition: p.Partition}, t.TopicID, p.Leader, p.LeaderEpoch, time.Now())
		}
	}
	if w.cluster.options.Nodes == 1 {
		return
	}
	rq := kmsg.NewPtrDescribeQuorumRequest()
	topic := kmsg.NewDescribeQuorumRequestTopic()
	topic.Topic, topic.Partitions = "__cluster_metadata", []kmsg.DescribeQuorumRequestTopicPartition{{}}
	rq.Topics = append(rq.Topics, topic)
	if answer, err = seed.Request(ctx, rq); err != nil {
		return
	}
	for _, t := range answer.(*kmsg.DescribeQuorumResponse).Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode == 0 {
				w.leaders.Controller(before.name, p.LeaderID, p.LeaderEpoch, time.Now())
				w.votes.Leads(p.LeaderID, p.LeaderEpoch, w.cluster.votes(), time.Now())
			}
		}
	}
}

// votes is what the voters have written down.
func (c *Cluster) votes() (all []history.Vote) {
	for _, n := range c.nodes {
		all = append(all, history.ReadVote(n.disk.Memory(), c.options.metadataDir()))
	}
	return all
}
