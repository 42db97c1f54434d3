package group

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// thread is a member of an application as it sees itself.
type thread struct {
	id, process string
	epoch       int32
	has         taskSet
}

// application is a streams group with threads that behave.
type application struct {
	*bench
	r       *rand.Rand
	threads []*thread
	next    int
}

// beat sends a heartbeat of a thread, which gives up at once what it is not to have any more, and joins again when it is fenced.
func (a *application) beat(th *thread) {
	rq := &wire.StreamsGroupHeartbeatRequest{
		GroupID: "g", MemberID: th.id, MemberEpoch: th.epoch, RebalanceTimeoutMs: -1, ProcessID: &th.process,
		ActiveTasks: ownedList(th.has.Active), StandbyTasks: ownedList(th.has.Standby), WarmupTasks: ownedList(nil),
	}
	if th.epoch == joining {
		rq.RebalanceTimeoutMs, rq.Topology = 60_000, testTopology(a.t, "0/t///log", 0)
	}
	if err := CheckStreamsHeartbeat(rq); err != nil {
		a.t.Fatal(err)
	}
	a.do(func(g *Coordinator, now time.Time) statemachine.Output {
		return g.StreamsHeartbeat(now, StreamsHeartbeat{StreamsGroupHeartbeatRequest: rq}, func(answer StreamsAnswer, err error) {
			switch kafka.CodeOf(err) {
			case kafka.None:
			case kafka.FencedMemberEpoch, kafka.UnknownMemberID, kafka.GroupIDNotFound:
				th.epoch, th.has = joining, taskSet{}
				return
			default:
				return // it asks again
			}
			th.epoch = answer.MemberEpoch
			if answer.ActiveTasks != nil {
				th.has = taskSet{Active: answeredMap(answer.ActiveTasks), Standby: answeredMap(answer.StandbyTasks)}
			}
		})
	}, func(error) {})
}

func answeredMap(list []wire.StreamsGroupHeartbeatResponseTaskIds) tasks {
	all := tasks{}
	for _, t := range list {
		all[t.SubtopologyID] = t.Partitions
	}
	return all
}

// step does something at random.
func (a *application) step() {
	switch n := a.r.IntN(20); {
	case n == 0 || len(a.threads) == 0:
		a.next++
		a.threads = append(a.threads, &thread{id: fmt.Sprintf("m%d", a.next), process: fmt.Sprintf("p%d", a.r.IntN(3))})
	case n == 1:
		i := a.r.IntN(len(a.threads)) // it is gone without a word
		a.threads = append(a.threads[:i], a.threads[i+1:]...)
	case n == 2:
		a.advance(time.Duration(a.r.IntN(20)) * time.Second)
	case n == 3:
		a.restart()
	case n == 4:
		a.streams.StandbyReplicas = a.r.IntN(3)
	case n == 5:
		a.createTopic("t", min(12, len(a.image.Topic("t").Partitions)+1))
	case n == 6:
		a.log.FailAppends(kafka.Errorf(kafka.NotEnoughReplicas, "a test has it so"))
		a.beat(a.threads[a.r.IntN(len(a.threads))])
		a.check()
		a.log.FailAppends(nil)
	default:
		a.beat(a.threads[a.r.IntN(len(a.threads))])
	}
}

// check fails the test if a task is active in two members, as the group sees it or as those do whom it has not removed.
func (a *application) check() {
	g := a.machine.streams("g")
	if g == nil {
		return
	}
	active := map[taskID]string{}
	note := func(all tasks, member string) {
		eachTask(all, func(t taskID) {
			if other := active[t]; other != "" && other != member {
				a.t.Fatalf("task %v is active in %s and %s", t, other, member)
			}
			active[t] = member
		})
	}
	for _, m := range orderedStreams(g.members) {
		note(m.assigned.active.tasks(), m.id)
		note(m.revoking.active.tasks(), m.id)
	}
	for _, th := range a.threads {
		if m := g.members[th.id]; m != nil && m.epoch >= th.epoch && th.epoch > 0 {
			note(th.has.Active, th.id)
		}
	}
}

func TestNoTaskIsActiveTwice(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			a := &application{bench: newBench(t), r: rand.New(rand.NewPCG(seed, 7))}
			a.createTopic("t", 1+a.r.IntN(6))
			for range 300 {
				a.step()
				a.check()
			}
			a.quiet()
		})
	}
}

// quiet lets everybody settle: then every task is active once, and a restart finds the group as it was.
func (a *application) quiet() {
	if len(a.threads) == 0 {
		a.threads = append(a.threads, &thread{id: "last", process: "p"})
	}
	a.createTopic("t", 12)
	for range 40 {
		a.createTopic("log", len(a.image.Topic("t").Partitions))
		for _, th := range a.threads {
			a.beat(th)
		}
		a.check()
		a.advance(5 * time.Second)
	}
	g := a.machine.streams("g")
	if g.state() != stable {
		a.t.Fatalf("the group is %s", g.state())
	}
	if len(g.active) != len(a.image.Topic("t").Partitions) {
		a.t.Fatalf("%d of %d tasks are active", len(g.active), len(a.image.Topic("t").Partitions))
	}
	a.restart()
	again := a.machine.streams("g")
	if !reflect.DeepEqual(again.active, g.active) || !reflect.DeepEqual(again.standby, g.standby) || again.epoch != g.epoch || again.state() != stable {
		a.t.Fatal("a restart finds another group")
	}
}
