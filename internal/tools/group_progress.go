package tools

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// groupProgress knows how far a member of a group has come in each of its partitions, and commits it as Kafka's consumer does: also
// the position of a partition from which nothing was read yet, so that a later run goes on from there.
type groupProgress struct {
	client   *kgo.Client
	settings consumerSettings
	log      logger
	mu       struct {
		sync.Mutex
		positions map[string]map[int32]kgo.EpochOffset
		committed map[string]map[int32]kgo.EpochOffset
		next      time.Time // when offsets are due to be committed
		failure   error     // ends the consumer
	}
}

func newGroupProgress(s consumerSettings, log logger) *groupProgress {
	p := &groupProgress{settings: s, log: log}
	p.mu.positions = make(map[string]map[int32]kgo.EpochOffset)
	p.mu.committed = make(map[string]map[int32]kgo.EpochOffset)
	return p
}

// options hook the progress into a client.
func (p *groupProgress) options() []kgo.Opt {
	return []kgo.Opt{
		kgo.AdjustFetchOffsetsFn(p.begin),
		kgo.OnPartitionsRevoked(p.revoked),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, lost map[string][]int32) { p.drop(lost) }),
	}
}

// begin replaces "where the group has no offset" by the offset that the reset policy finds, to know the position.
func (p *groupProgress) begin(ctx context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	rq := kmsg.NewPtrListOffsetsRequest()
	rq.ReplicaID = -1
	if p.settings.readCommitted {
		rq.IsolationLevel = 1
	}
	now := time.Now()
	for topic, partitions := range offsets {
		t := kmsg.NewListOffsetsRequestTopic()
		t.Topic = topic
		for id, offset := range partitions {
			if at := offset.EpochOffset(); at.Offset >= 0 {
				p.set(topic, id, at, true)
				continue
			}
			q := kmsg.NewListOffsetsRequestTopicPartition()
			q.Partition, q.Timestamp, q.CurrentLeaderEpoch = id, p.settings.reset.timestamp(now), -1
			t.Partitions = append(t.Partitions, q)
		}
		if len(t.Partitions) > 0 {
			rq.Topics = append(rq.Topics, t)
		}
	}
	if len(rq.Topics) == 0 {
		return offsets, nil
	}
	if p.settings.reset.name == "none" {
		p.fail(&exception{class: "org.apache.kafka.clients.consumer.NoOffsetForPartitionException",
			message: "Undefined offset with no reset policy for partitions of topic " + rq.Topics[0].Topic})
		return offsets, nil
	}
	return p.resolve(ctx, rq, offsets)
}

func (p *groupProgress) resolve(ctx context.Context, rq *kmsg.ListOffsetsRequest, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	response, err := rq.RequestWith(ctx, p.client)
	if err != nil {
		return nil, err
	}
	for _, t := range response.Topics {
		for _, q := range t.Partitions {
			if q.ErrorCode != 0 {
				continue // the client resets by itself, and the first record tells the position
			}
			at := q.Offset
			if at < 0 { // by_duration past the last record
				continue
			}
			offsets[t.Topic][q.Partition] = kgo.NewOffset().At(at)
			p.set(t.Topic, q.Partition, kgo.EpochOffset{Epoch: -1, Offset: at}, false)
		}
	}
	return offsets, nil
}

func (p *groupProgress) set(topic string, partition int32, at kgo.EpochOffset, committed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	put(p.mu.positions, topic, partition, at)
	if committed {
		put(p.mu.committed, topic, partition, at)
	}
	if p.mu.next.IsZero() {
		p.mu.next = time.Now().Add(p.settings.commitInterval)
	}
}

func put(m map[string]map[int32]kgo.EpochOffset, topic string, partition int32, at kgo.EpochOffset) {
	if m[topic] == nil {
		m[topic] = make(map[int32]kgo.EpochOffset)
	}
	m[topic][partition] = at
}

// consumed moves the position behind a record.
func (p *groupProgress) consumed(r *kgo.Record) {
	p.set(r.Topic, r.Partition, kgo.EpochOffset{Epoch: r.LeaderEpoch, Offset: r.Offset + 1}, false)
}

// unread moves the positions back to the first of the records that were fetched and not printed. Kafka's tool seeks there, which
// forgets the leader epoch; so does this.
func (p *groupProgress) unread(pending []*kgo.Record) {
	seen := make(map[string]bool)
	for _, r := range pending {
		if key := r.Topic + "-" + strconv.Itoa(int(r.Partition)); !seen[key] {
			seen[key] = true
			p.set(r.Topic, r.Partition, kgo.EpochOffset{Epoch: -1, Offset: r.Offset}, false)
		}
	}
}

func (p *groupProgress) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.failure = err
}

func (p *groupProgress) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mu.failure
}

// commitDue commits if it is time to, and returns when it will be: the zero time for never.
func (p *groupProgress) commitDue(ctx context.Context) time.Time {
	if !p.settings.autoCommit {
		return time.Time{}
	}
	p.mu.Lock()
	next := p.mu.next
	p.mu.Unlock()
	if next.IsZero() {
		return time.Now().Add(100 * time.Millisecond) // no partition yet
	}
	if time.Now().Before(next) {
		return next
	}
	p.commit(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.next = time.Now().Add(max(p.settings.commitInterval, 10*time.Millisecond))
	return p.mu.next
}

// changed are the positions that are not committed.
func (p *groupProgress) changed() map[string]map[int32]kgo.EpochOffset {
	p.mu.Lock()
	defer p.mu.Unlock()
	changed := make(map[string]map[int32]kgo.EpochOffset)
	for topic, partitions := range p.mu.positions {
		for id, at := range partitions {
			if before, ok := p.mu.committed[topic][id]; !ok || before.Offset != at.Offset {
				put(changed, topic, id, at)
			}
		}
	}
	return changed
}

func (p *groupProgress) commit(ctx context.Context) {
	offsets := p.changed()
	if len(offsets) == 0 {
		return
	}
	// the client would put its member id there
	ctx = kgo.PreCommitFnContext(ctx, func(rq *kmsg.OffsetCommitRequest) error {
		for i := range rq.Topics {
			for j := range rq.Topics[i].Partitions {
				rq.Topics[i].Partitions[j].Metadata = kmsg.StringPtr("")
			}
		}
		return nil
	})
	p.client.CommitOffsetsSync(ctx, offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, response *kmsg.OffsetCommitResponse, err error) {
		p.committed(offsets, response, err)
	})
}

func (p *groupProgress) committed(offsets map[string]map[int32]kgo.EpochOffset, response *kmsg.OffsetCommitResponse, err error) {
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			p.log.warn("Offset commit failed: %v", err)
		}
		return
	}
	for _, t := range response.Topics {
		for _, q := range t.Partitions {
			if err := kerr.ErrorForCode(q.ErrorCode); err != nil {
				p.log.warn("Offset commit of %s-%d failed: %v", t.Topic, q.Partition, err)
				return
			}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for topic, partitions := range offsets {
		for id, at := range partitions {
			put(p.mu.committed, topic, id, at)
		}
	}
}

func (p *groupProgress) revoked(ctx context.Context, _ *kgo.Client, partitions map[string][]int32) {
	if p.settings.autoCommit {
		p.commit(ctx)
	}
	p.drop(partitions)
}

// drop forgets partitions that are another member's now.
func (p *groupProgress) drop(partitions map[string][]int32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for topic, ids := range partitions {
		maps.DeleteFunc(p.mu.positions[topic], func(id int32, _ kgo.EpochOffset) bool { return contains(ids, id) })
		maps.DeleteFunc(p.mu.committed[topic], func(id int32, _ kgo.EpochOffset) bool { return contains(ids, id) })
	}
}

// commitAtEnd commits before the consumer closes, for at most five seconds.
func (p *groupProgress) commitAtEnd() {
	if !p.settings.autoCommit {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	p.commit(ctx)
}
