package group

import (
	"fmt"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// BenchmarkCommit is one OffsetCommit of one partition through the engine into a log in memory, from one goroutine and
// from many.
func BenchmarkCommit(b *testing.B) {
	commit := func(bench *bench, group string, offset int64) {
		rq := &wire.OffsetCommitRequest{
			GroupID: group, GenerationIDOrMemberEpoch: -1, RetentionTimeMs: noRetention,
			Topics: []wire.OffsetCommitRequestTopic{{Name: "topic", Partitions: []wire.OffsetCommitRequestPartition{{CommittedOffset: offset}}}},
		}
		done := make(chan struct{})
		bench.do(func(c *Coordinator, now time.Time) statemachine.Output {
			return c.CommitOffsets(now, causes.Client{}, 9, rq, func(*wire.OffsetCommitResponse, error) { close(done) })
		}, nil)
		<-done
	}
	b.Run("one", func(b *testing.B) {
		bench := newBench(b)
		b.ReportAllocs()
		for i := range b.N {
			commit(bench, "g", int64(i))
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
	})
	b.Run("many", func(b *testing.B) {
		bench := newBench(b)
		b.SetParallelism(50)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				commit(bench, "g", 1)
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
	})
}

// crowd is a stable group whose members are dynamic consumers.
type crowd struct {
	*bench
	group      string
	ids        []string
	generation int32
	leader     string
}

func newCrowd(bench *bench, group string, size int) *crowd {
	c := &crowd{bench: bench, group: group, ids: make([]string, size)}
	for i := range c.ids {
		c.join(i)
	}
	bench.clock.Advance(time.Millisecond)
	c.sync()
	return c
}

func (c *crowd) join(i int) {
	rq := Join{
		GroupID: c.group, MemberID: c.ids[i], Client: causes.Client{ID: "consumer", Host: "/127.0.0.1"}, ProtocolType: consumerProtocol,
		SessionTimeout: 45 * time.Second, Rebalance: 5 * time.Minute,
		Protocols: []wire.JoinGroupRequestProtocol{{Name: "range", Metadata: subscriptionTo("t")}, {Name: "cooperative-sticky", Metadata: subscriptionTo("t")}},
		Reply: func(r *wire.JoinGroupResponse) {
			if r.ErrorCode != 0 {
				c.t.Error(printJoin(r))
			}
			c.ids[i], c.generation, c.leader = r.MemberID, r.GenerationID, r.Leader
		},
	}
	c.do(func(g *Coordinator, now time.Time) statemachine.Output { return g.Join(now, rq) }, nil)
}

// sync has everybody sync, and checks that everybody is answered.
func (c *crowd) sync() {
	answers := 0
	for _, id := range c.ids {
		rq := &wire.SyncGroupRequest{GroupID: c.group, MemberID: id, GenerationID: c.generation}
		if id == c.leader {
			for _, id := range c.ids {
				rq.Assignments = append(rq.Assignments, wire.SyncGroupRequestAssignment{MemberID: id, Assignment: []byte("some partitions")})
			}
		}
		c.do(func(g *Coordinator, now time.Time) statemachine.Output {
			return g.Sync(now, causes.Client{}, rq, func(r *wire.SyncGroupResponse) {
				if r.ErrorCode == 0 {
					answers++
				}
			})
		}, nil)
	}
	if answers != len(c.ids) {
		c.t.Errorf("%d of %d members have an assignment", answers, len(c.ids))
	}
}

// BenchmarkRebalance is a rebalance of a whole group, joins and syncs of all members.
func BenchmarkRebalance(b *testing.B) {
	for _, size := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			bench := newBench(b)
			bench.settings.InitialRebalanceDelay = 0
			c := newCrowd(bench, "g", size)
			b.ResetTimer()
			for range b.N {
				for i := range c.ids {
					c.join(i)
				}
				c.sync()
			}
		})
	}
}

// BenchmarkHeartbeat is a heartbeat in a coordinator with many groups, whose sessions end at different times. Steps ask
// for NextWake, so it is part of it.
func BenchmarkHeartbeat(b *testing.B) {
	for _, groups := range []int{1, 10_000} {
		b.Run(fmt.Sprint(groups), func(b *testing.B) {
			bench := newBench(b)
			bench.settings.InitialRebalanceDelay = 0
			var crowds []*crowd
			for i := range groups {
				crowds = append(crowds, newCrowd(bench, fmt.Sprint("g", i), 1))
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				c := crowds[i%groups]
				rq := &wire.HeartbeatRequest{GroupID: c.group, MemberID: c.ids[0], GenerationID: c.generation}
				c.do(func(g *Coordinator, now time.Time) statemachine.Output {
					return g.Heartbeat(now, causes.Client{}, rq, func(err error) {
						if err != nil {
							b.Error(err)
						}
					})
				}, nil)
				if i%groups == 0 { // every member beats every three seconds
					bench.clock.Advance(3 * time.Second)
				}
			}
		})
	}
}
