package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// moved are the topics whose replicas move, with how many partitions they have: those of the workload, and with their leaders the
// coordinators of groups and of transactions.
var moved = map[string]int32{plain: records, payments: records, "__consumer_offsets": 3, "__transaction_state": 3}

// move reassigns partitions all the time: replicas leave a node and come back to it, their order changes, some changes are called off
// on their way, and leaders go back to the first replica. What has become of a change nobody needs to know. In the end all nodes have
// replicas of all partitions again.
func (w *clients) move() {
	random := w.random(400)
	client := w.connect(kgo.RequestRetries(0))
	defer client.Close()
	admin := kadm.NewClient(client)
	topics := []string{plain, payments, "__consumer_offsets", "__transaction_state"}
	for {
		wait(w.ctx, between(random, 100*time.Millisecond, 2*time.Second))
		if w.ctx.Err() != nil {
			break
		}
		topic := topics[random.IntN(len(topics))]
		p := random.Int32N(moved[topic])
		w.reassign(admin, topic, p, w.anyReplicas(random))
		if random.IntN(4) == 0 {
			wait(w.ctx, between(random, time.Millisecond, 300*time.Millisecond))
			w.reassign(admin, topic, p, nil)
		}
		if random.IntN(2) == 0 {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			_, err := admin.ElectLeaders(ctx, kadm.ElectPreferredReplica, nil)
			cancel()
			w.story.note("leaders go back to the first replicas: %v", err)
		}
	}
	w.returnReplicas(admin)
}

// anyReplicas are nodes in any order, as many as have to be in sync, or one more.
func (w *clients) anyReplicas(random *rand.Rand) (nodes []int32) {
	for _, i := range random.Perm(len(w.cluster.nodes))[:2+random.IntN(2)] {
		nodes = append(nodes, int32(i+1))
	}
	return nodes
}

// reassign asks for these replicas, or, with nil, calls off what was asked for.
func (w *clients) reassign(admin *kadm.Client, topic string, p int32, nodes []int32) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var wanted kadm.AlterPartitionAssignmentsReq
	if nodes == nil {
		wanted.CancelAssign(topic, p)
	} else {
		wanted.Assign(topic, p, nodes)
	}
	answer, err := admin.AlterPartitionAssignments(ctx, wanted)
	if err == nil {
		err = answer.Error()
	}
	w.story.note("replicas of %s-%d become %v: %v", topic, p, nodes, err)
	return err
}

// returnReplicas gives all nodes replicas of all partitions, and waits until nothing is reassigned. All is healed.
func (w *clients) returnReplicas(admin *kadm.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var everywhere []int32
	for i := range min(3, len(w.cluster.nodes)) {
		everywhere = append(everywhere, int32(i+1))
	}
	back := func() error {
		topics, err := admin.ListTopicsWithInternal(ctx, plain, payments, "__consumer_offsets", "__transaction_state")
		if err != nil {
			return err
		}
		for _, topic := range topics.Sorted() {
			for _, p := range topic.Partitions.Sorted() {
				if len(p.Replicas) != len(everywhere) {
					if err := w.reassign(admin, topic.Topic, p.Partition, everywhere); err != nil {
						return err
					}
				}
			}
		}
		under, err := admin.ListPartitionReassignments(ctx, nil)
		if err == nil && len(under) > 0 {
			err = fmt.Errorf("%d topics are being reassigned", len(under))
		}
		return err
	}
	for err := back(); err != nil && ctx.Err() == nil; err = back() {
		wait(ctx, 200*time.Millisecond)
	}
}
