package machines

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// settleLimit is how long a cluster may take to get over what has happened to it, on a busy machine too.
const settleLimit = time.Minute

// An eye asks the cluster how it is.
type eye struct {
	client *kgo.Client
	admin  *kadm.Client
}

func newEye(addrs []string) (*eye, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.DialTimeout(time.Second), kgo.RequestTimeoutOverhead(2*time.Second), kgo.RetryTimeout(5*time.Second),
		kgo.RetryBackoffFn(func(int) time.Duration { return 20 * time.Millisecond }), kgo.MetadataMinAge(20*time.Millisecond))
	if err != nil {
		return nil, err
	}
	return &eye{client, kadm.NewClient(client)}, nil
}

// quorum is how the metadata quorum is.
func (e *eye) quorum(ctx context.Context) (*kmsg.DescribeQuorumResponseTopicPartition, error) {
	rq := kmsg.NewPtrDescribeQuorumRequest()
	rq.Topics = []kmsg.DescribeQuorumRequestTopic{{Topic: "__cluster_metadata", Partitions: []kmsg.DescribeQuorumRequestTopicPartition{{}}}}
	answer, err := rq.RequestWith(ctx, e.client)
	switch {
	case err != nil:
		return nil, err
	case answer.ErrorCode != 0:
		return nil, fmt.Errorf("DescribeQuorum: error code %d", answer.ErrorCode)
	case len(answer.Topics) != 1 || len(answer.Topics[0].Partitions) != 1 || answer.Topics[0].Partitions[0].ErrorCode != 0:
		return nil, fmt.Errorf("DescribeQuorum: %v", answer.Topics)
	}
	return &answer.Topics[0].Partitions[0], nil
}

// Unsettled asks a cluster of so many nodes, and says what is missing until every replica of every partition is in sync, every partition has its leader, and every
// voter has what the leader of the quorum has committed; "" for nothing.
func Unsettled(ctx context.Context, client *kgo.Client, nodes int) string {
	e := &eye{client, kadm.NewClient(client)}
	metadata, err := e.admin.Metadata(ctx)
	if err != nil {
		return err.Error()
	}
	if len(metadata.Brokers) < nodes {
		return fmt.Sprintf("%d brokers of %d", len(metadata.Brokers), nodes)
	}
	for _, topic := range metadata.Topics.Sorted() {
		for _, p := range topic.Partitions.Sorted() {
			if len(p.ISR) < len(p.Replicas) || !slices.Contains(p.ISR, p.Leader) {
				return fmt.Sprintf("%s-%d: leader %d, in sync %v of %v, offline %v", topic.Topic, p.Partition, p.Leader, p.ISR, p.Replicas, p.OfflineReplicas)
			}
		}
	}
	q, err := e.quorum(ctx)
	if err != nil {
		return err.Error()
	}
	for _, v := range q.CurrentVoters {
		if v.LogEndOffset < q.HighWatermark {
			return fmt.Sprintf("voter %d is at offset %d of %d", v.ReplicaID, v.LogEndOffset, q.HighWatermark)
		}
	}
	return ""
}

// Settle waits until the cluster has got over what has happened to it: nothing is under-replicated, nothing without a leader.
func (s *Striker) Settle() {
	s.t.Helper()
	missing := ""
	for deadline := time.Now().Add(settleLimit); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if missing = Unsettled(s.t.Context(), s.eye.client, len(s.Nodes)); missing == "" {
			return
		}
	}
	s.t.Fatalf("not within %v: %s", settleLimit, missing)
}

// controller is the node that leads the metadata quorum.
func (s *Striker) controller() int {
	s.t.Helper()
	for deadline := time.Now().Add(settleLimit); ; time.Sleep(20 * time.Millisecond) {
		q, err := s.eye.quorum(s.t.Context())
		if err == nil && q.LeaderID > 0 {
			return int(q.LeaderID) - 1
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("no leader of the quorum within %v: %v", settleLimit, err)
		}
	}
}
