package controller

import (
	"testing"
	"time"

	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// A broker with thousands of leaders gets them back soon after it has caught up, a thousand at a time, and not one
// thousand for each leader.imbalance.check.interval.seconds.
func TestManyLeadersGoBackWithoutAnIntervalBetweenRounds(t *testing.T) {
	const partitions = 2*maxElections + 1
	k := newCluster(t, "leader.imbalance.check.interval.seconds=5", "broker.session.timeout.ms=60000")
	k.quick = true
	k.join(1, "")
	k.join(2, "")
	assigned := make([]wire.CreateTopicsRequestCreatableReplicaAssignment, partitions)
	for i := range assigned {
		assigned[i] = wire.CreateTopicsRequestCreatableReplicaAssignment{PartitionIndex: int32(i), BrokerIDs: []int32{1, 2}}
	}
	if err := k.create(wire.CreateTopicsRequestCreatableTopic{Name: "many", NumPartitions: -1, ReplicationFactor: -1, Assignments: assigned}); err != nil {
		t.Fatal(err)
	}
	k.beat(1, func(rq *wire.BrokerHeartbeatRequest) { rq.WantFence = true })
	k.beat(1, nil)
	k.rejoin("many", 2, 1)
	led := func(broker int32) (n int) {
		for _, p := range k.c.Image().Topic("many").Partitions {
			if p.Leader == broker {
				n++
			}
		}
		return n
	}
	if n := led(2); n != partitions {
		t.Fatalf("broker 2 leads %d partitions before the first round, not %d", n, partitions)
	}
	k.wake(5 * time.Second)
	if n := led(1); n != maxElections {
		t.Errorf("one round moved %d leaders, not %d", n, maxElections)
	}
	k.wake(moreElections)
	k.wake(moreElections)
	if n := led(1); n != partitions {
		t.Errorf("broker 1 leads %d of its %d partitions %v after the first round", n, partitions, 2*moreElections)
	}
	if at := k.c.NextWake().Sub(k.now); at < 4*time.Second {
		t.Errorf("with nothing left to move the next round is due in %v, not after the interval", at)
	}
}

// rejoin lets the leader of all partitions of a topic take an ISR of both brokers.
func (k *cluster) rejoin(topic string, leader, follower int32) {
	k.t.Helper()
	t := k.c.Image().Topic(topic)
	wanted := wire.AlterPartitionRequestTopicData{TopicID: t.ID}
	for i, p := range t.Partitions {
		wanted.Partitions = append(wanted.Partitions, wire.AlterPartitionRequestPartitionData{
			PartitionIndex: int32(i), LeaderEpoch: p.LeaderEpoch, PartitionEpoch: p.PartitionEpoch,
			NewIsrWithEpochs: []wire.AlterPartitionRequestBrokerState{{BrokerID: leader, BrokerEpoch: -1}, {BrokerID: follower, BrokerEpoch: -1}},
		})
	}
	rq := &wire.AlterPartitionRequest{BrokerID: leader, BrokerEpoch: k.c.Image().Broker(leader).Epoch, Topics: []wire.AlterPartitionRequestTopicData{wanted}}
	if _, err := await(k, func(reply Reply[*wire.AlterPartitionResponse]) statemachine.Output {
		return k.c.AlterPartition(k.now, rq, reply)
	}); err != nil {
		k.t.Fatal(err)
	}
}
