package sim

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/ottla/ottla/test/sim/history"
)

const group = "auditors"

// audit is a member of a group that commits as it reads.
func (w *clients) audit(id int) {
	random := w.random(uint64(id))
	for w.ctx.Err() == nil {
		client := w.connect(kgo.ConsumerGroup(group), kgo.ConsumeTopics(plain), kgo.DisableAutoCommit(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
			kgo.HeartbeatInterval(500*time.Millisecond), kgo.SessionTimeout(6*time.Second), kgo.FetchMaxWait(500*time.Millisecond), kgo.MaxVersions(kversion.V4_0_0())) // later commits name topics by id
		// Members come and go.
		ctx, cancel := context.WithTimeout(w.ctx, between(random, 2*time.Second, 30*time.Second))
		for ctx.Err() == nil {
			w.auditOnce(ctx, client)
		}
		cancel()
		client.CloseAllowingRebalance()
	}
}

func (w *clients) auditOnce(ctx context.Context, client *kgo.Client) {
	// The generation is that of before the poll: a commit of what a member read before it lost the partition must be refused.
	member, generation := client.GroupMetadata()
	fetches := client.PollRecords(ctx, 100)
	next := map[history.Partition]int64{}
	fetches.EachRecord(func(r *kgo.Record) { next[history.Partition{Topic: r.Topic, Partition: r.Partition}] = r.Offset + 1 })
	if len(next) == 0 {
		return
	}
	limited, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := commit(limited, client, member, generation, next); err != nil {
		w.story.note("commit: %v", err)
		return
	}
	for p, offset := range next {
		w.commits.Acknowledged(p, offset)
	}
	w.story.note("%d partitions committed", len(next))
}

// commit commits as a member, in the generation that it names.
func commit(ctx context.Context, client *kgo.Client, member string, generation int32, next map[history.Partition]int64) error {
	if generation < 0 {
		return kerr.UnknownMemberID
	}
	rq := kmsg.NewPtrOffsetCommitRequest()
	rq.Group, rq.MemberID, rq.Generation = group, member, generation
	topic := kmsg.NewOffsetCommitRequestTopic()
	topic.Topic = plain
	for p := range int32(records) {
		if offset, read := next[history.Partition{Topic: plain, Partition: p}]; read {
			partition := kmsg.NewOffsetCommitRequestTopicPartition()
			partition.Partition, partition.Offset = p, offset
			topic.Partitions = append(topic.Partitions, partition)
		}
	}
	rq.Topics = append(rq.Topics, topic)
	answer, err := rq.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	for _, t := range answer.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return err
			}
		}
	}
	return nil
}

// askOffsets fetches the group's offsets now and then.
func (w *clients) askOffsets() {
	client := w.connect()
	defer client.Close()
	for w.ctx.Err() == nil {
		ctx, cancel := context.WithTimeout(w.ctx, 10*time.Second)
		_ = w.fetchOffsets(ctx, kadm.NewClient(client))
		cancel()
		wait(w.ctx, 300*time.Millisecond)
	}
}

func (w *clients) fetchOffsets(ctx context.Context, admin *kadm.Client) error {
	least := w.commits.Least()
	answer, err := admin.FetchOffsets(ctx, group)
	if err == nil {
		err = answer.Error() // of a topic whose id franz-go could not find the name of, above all: that tells nothing
	}
	if err != nil {
		return err
	}
	for p := range least {
		o, found := answer.Lookup(p.Topic, p.Partition)
		if !found {
			o.At = -1
		}
		w.commits.Fetched(least, p, o.At, time.Now())
	}
	return nil
}

// watch reads everything as it comes, without a group: what it gets must be there in the end for readers of the same isolation.
func (w *clients) watch(isolation kgo.IsolationLevel, reads *history.Reads, topics ...string) {
	client := w.connect(kgo.ConsumeTopics(topics...), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(500*time.Millisecond), kgo.FetchIsolationLevel(isolation))
	defer client.Close()
	for w.ctx.Err() == nil {
		fetches := client.PollFetches(w.ctx)
		fetches.EachRecord(func(r *kgo.Record) {
			reads.Saw(history.Partition{Topic: r.Topic, Partition: r.Partition}, r.Offset, string(r.Value), time.Now())
		})
	}
}
