package conformance

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// rosterPartitions are the partitions of the topic that a roster's members share: as many as a numberWriter writes to.
const rosterPartitions = 4

// A roster is the members of one group, processes of several clients, which tell what happens to them in lines:
//
//	TIME assigned|revoked|lost PARTITION EPOCH   of the callbacks: assigned when it begins, the others when they end; -1: not known
//	TIME read PARTITION OFFSET VALUE
//	TIME committed PARTITION OFFSET              acknowledged
//	TIME closed | TIME failed WHY
//
// TIME is in nanoseconds since 1970.
type roster struct {
	migration
	t            *testing.T
	tg           target
	admin        *kadm.Client
	topic, group string
	numbers      *numberWriter
	watch        *groupWatch
	slots        []*process // nil: nobody is there
	all          []*process
}

func newRoster(t *testing.T, m migration) *roster {
	t.Helper()
	tg := newTarget(t, append([]string{"group.consumer.migration.policy=" + m.policy}, consumerTimeouts...)...)
	r := &roster{migration: m, t: t, tg: tg, admin: kadm.NewClient(kafkaClient(t, tg)), topic: tg.name("numbers"), group: tg.name("readers"), slots: make([]*process, len(m.clients))}
	if answer, err := r.admin.CreateTopics(t.Context(), rosterPartitions, tg.replicas(), nil, r.topic); err != nil || answer.Error() != nil {
		t.Fatal(err, answer.Error())
	}
	r.numbers = writeNumbers(t, tg, r.topic)
	r.watch = watchGroup(t, r.admin, r.group)
	return r
}

// worker is the program of a member.
func (r *roster) worker(client, protocol, instance string) program {
	r.t.Helper()
	var p program
	switch client {
	case "java":
		p = javaProof(r.t, "Worker")
	case "confluent":
		p = python(r.t, "confluent-kafka", "worker_confluent.py")
	default:
		p = program{argv: []string{goClients(r.t), client, "worker"}}
	}
	return p.on(r.tg).with("TOPIC="+r.topic, "GROUP="+r.group, "GROUP_PROTOCOL="+protocol, "STRATEGY="+r.strategy, "INSTANCE="+instance)
}

func (r *roster) enter(slot int, protocol string) {
	r.t.Helper()
	instance := ""
	if r.static {
		instance = fmt.Sprintf("instance-%d", slot)
	}
	x := r.worker(r.clients[slot], protocol, instance).start(r.t, fmt.Sprintf("%d-%s-%s-%d", len(r.all), r.clients[slot], protocol, slot))
	r.slots[slot], r.all = x, append(r.all, x)
}

func (r *roster) leave(slot int) {
	r.t.Helper()
	r.slots[slot].stop(40 * time.Second)
	r.slots[slot] = nil
}

// settled waits until every member has partitions, and each partition an owner, and all of them have read something since.
func (r *roster) settled() {
	r.t.Helper()
	since := time.Now()
	var state string
	eventually(r.t, 90*time.Second, func() string { return "each partition has one owner: " + state }, func() bool {
		var all []int
		state = ""
		for _, x := range r.slots {
			told := r.told(x)
			held := told.held()
			state += fmt.Sprint(x.name, held, " ")
			if x.ends() > 0 {
				r.t.Fatalf("%s has ended by itself", x.name)
			}
			if len(held) == 0 || !told.hasReadSince(held, since) {
				return false
			}
			all = append(all, held...)
		}
		slices.Sort(all)
		return slices.Equal(all, []int{0, 1, 2, 3})
	})
}

func (r *roster) told(x *process) story {
	r.t.Helper()
	return x.story()
}

// held are the partitions that the member has at the end of its story.
func (s story) held() []int {
	held := map[int]bool{}
	for _, e := range s {
		switch e.what {
		case "assigned":
			held[e.partition] = true
		case "revoked", "lost":
			delete(held, e.partition)
		}
	}
	var sorted []int
	for p := range held {
		sorted = append(sorted, p)
	}
	slices.Sort(sorted)
	return sorted
}

// hasReadSince says whether the member has read every one of these partitions after a time.
func (s story) hasReadSince(partitions []int, since time.Time) bool {
	for _, p := range partitions {
		if !slices.ContainsFunc(s, func(e workerEvent) bool { return e.what == "read" && e.partition == p && e.at.After(since) }) {
			return false
		}
	}
	return true
}
