package group

import (
	"fmt"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// BenchmarkConsumerAssignment is the whole step in which one member joins a group of 1,000 members that share the 10,000
// partitions of 100 topics, or leaves it: subscriptions, hash of the topics, target assignment, records, and their replay. Both
// steps that make an assignment are counted together: halve it for one.
func BenchmarkConsumerAssignment(b *testing.B) {
	for _, kind := range []string{"uniform", "range", "uniform, mixed subscriptions", "by regular expression"} {
		b.Run(kind, func(b *testing.B) { benchmarkAssignment(b, kind) })
	}
}

func benchmarkAssignment(b *testing.B, kind string) {
	h := newBench(b)
	h.consumer.AssignmentInterval = time.Hour // while the group is filled
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprintf("topic%02d", i))
		h.createTopic(names[i], 100)
	}
	if kind == "range" {
		h.settings.Assignors = []string{"range"}
	}
	step := func(rq *wire.ConsumerGroupHeartbeatRequest) {
		rq.GroupID, rq.TopicPartitions = "g", []wire.ConsumerGroupHeartbeatRequestTopicPartitions{}
		out := h.machine.ConsumerHeartbeat(h.clock.Now(), ConsumerHeartbeat{ConsumerGroupHeartbeatRequest: rq, Version: 1}, func(_ *wire.ConsumerGroupHeartbeatResponse, err error) {
			if err != nil {
				b.Fatal(err)
			}
		})
		for i, r := range out.Records {
			if err := h.machine.Replay(int64(i), r); err != nil {
				b.Fatal(err)
			}
		}
		for _, f := range out.Then {
			f(nil)
		}
		h.work()
	}
	join := func(i int) {
		rq := &wire.ConsumerGroupHeartbeatRequest{MemberID: fmt.Sprintf("member%04d", i), RebalanceTimeoutMs: 1000}
		switch kind {
		case "by regular expression":
			regex := "topic.*"
			rq.SubscribedTopicRegex = &regex
		case "uniform, mixed subscriptions":
			rq.SubscribedTopicNames = names[i%50 : i%50+50]
		default:
			rq.SubscribedTopicNames = names
		}
		step(rq)
	}
	h.do(func(c *Coordinator, now time.Time) statemachine.Output {
		c.begin(new(outcome), now)
		return statemachine.Output{}
	}, nil)
	for i := range 999 {
		join(i)
	}
	h.consumer.AssignmentInterval = 0
	join(999)
	for b.Loop() {
		step(&wire.ConsumerGroupHeartbeatRequest{MemberID: "member0500", MemberEpoch: leaving, RebalanceTimeoutMs: -1})
		step(&wire.ConsumerGroupHeartbeatRequest{MemberID: "member0000", MemberEpoch: h.machine.consumer("g").members["member0000"].epoch, RebalanceTimeoutMs: -1})
		join(500)
	}
	if n := len(h.machine.consumer("g").target); n != 1000 {
		b.Fatalf("%d members", n)
	}
}
