package machines

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// moveLimit is how long an administrator waits for an answer: what is asked for may come to nothing, as others fail meanwhile.
const moveLimit = 5 * time.Second

// Moving is the name of the topic whose replicas are moved. It should have fewer replicas than there are nodes.
const Moving = "moving"

// leadersMoved makes each partition's first replica its leader.
func leadersMoved(s *Striker) {
	ctx, cancel := context.WithTimeout(s.t.Context(), moveLimit)
	defer cancel()
	if _, err := s.eye.admin.ElectLeaders(ctx, kadm.ElectPreferredReplica, nil); err != nil {
		s.t.Logf("leaders are not moved: %v", err)
	}
}

// reassign gives every partition of the topic Moving the replicas that it draws, or takes a reassignment back.
func (s *Striker) reassign() {
	ctx, cancel := context.WithTimeout(s.t.Context(), moveLimit)
	defer cancel()
	topics, err := s.eye.admin.ListTopics(ctx, Moving)
	if err != nil || topics[Moving].Err != nil {
		s.t.Logf("replicas are not moved: %v %v", err, topics[Moving].Err)
		return
	}
	var wanted kadm.AlterPartitionAssignmentsReq
	for _, p := range topics[Moving].Partitions.Sorted() {
		if s.Random.IntN(6) == 0 {
			wanted.CancelAssign(Moving, p.Partition)
			continue
		}
		var replicas []int32
		for _, n := range s.Random.Perm(len(s.Nodes))[:max(1, len(s.Nodes)-1)] {
			replicas = append(replicas, int32(n+1))
		}
		wanted.Assign(Moving, p.Partition, replicas)
	}
	if _, err := s.eye.admin.AlterPartitionAssignments(ctx, wanted); err != nil {
		s.t.Logf("replicas are not moved: %v", err)
	}
}
