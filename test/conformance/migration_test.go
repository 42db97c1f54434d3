package conformance

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A migration is a group whose members change from one protocol to the other, one after the other, while records come.
type migration struct {
	policy   string   // group.consumer.migration.policy
	clients  []string // one a member: java, confluent, kgo
	strategy string   // partition.assignment.strategy of members of the classic protocol
	static   bool     // members have a group.instance.id, and do not leave when they stop
	crash    bool     // the broker is killed while the group has members of both protocols
}

var (
	allJava = []string{"java", "java", "java"}
	// Those of librdkafka and franz-go put data of their own into cooperative-sticky's assignments. Where one of them leads the
	// group, Kafka refuses to upgrade it (GROUP_ID_NOT_FOUND, "an unsupported custom assignor"): with range nobody does.
	mixed = []string{"confluent", "kgo", "java"}
)

// Members of a group are restarted one by one with the other protocol, and back. Committed offsets stay and never go back,
// every record is read, no partition has two owners, and the group is of the kind that the policy says.
func TestLiveMigration(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]migration{
		"java-range":       {policy: "bidirectional", clients: allJava, strategy: "range"},
		"java-cooperative": {policy: "bidirectional", clients: allJava, strategy: "cooperative-sticky", crash: true},
		"java-static":      {policy: "bidirectional", clients: allJava, strategy: "range", static: true},
		"mixed-range":      {policy: "bidirectional", clients: mixed, strategy: "range", crash: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoster(t, m)
			r.enterAll("classic")
			r.wantKind("classic")
			r.restartAll("consumer", func() { r.wantKind("consumer") })
			r.wantKind("consumer")
			r.restartAll("classic", func() { r.wantKind("consumer") })
			r.wantKind("classic")
			r.check()
		})
	}
}

// With the policy upgrade a classic group becomes a consumer group, and stays one when its members go back to the classic
// protocol, until it has none.
func TestLiveMigrationUpgradeOnly(t *testing.T) {
	t.Parallel()
	r := newRoster(t, migration{policy: "upgrade", clients: mixed, strategy: "range"})
	r.enterAll("classic")
	r.restartAll("consumer", func() { r.wantKind("consumer") })
	r.restartAll("classic", func() { r.wantKind("consumer") })
	r.wantKind("consumer")
	r.leaveAll()
	r.enterAll("classic")
	r.wantKind("classic")
	r.check()
}

// With the policy downgrade a consumer group becomes a classic one when its last member of the new protocol has left, and
// nobody who comes with it later is let in.
func TestLiveMigrationDowngradeOnly(t *testing.T) {
	t.Parallel()
	r := newRoster(t, migration{policy: "downgrade", clients: allJava, strategy: "range"})
	r.enterAll("consumer")
	r.restartAll("classic", func() { r.wantKind("consumer") })
	r.wantKind("classic")
	r.wantRefused("java", "consumer", "GroupIdNotFoundException")
	r.settled()
	r.wantKind("classic")
	r.check()
}

// With the policy disabled a group changes its protocol only without members, and keeps its offsets.
func TestOfflineMigration(t *testing.T) {
	t.Parallel()
	r := newRoster(t, migration{policy: "disabled", clients: mixed, strategy: "cooperative-sticky"})
	r.enterAll("classic")
	r.wantRefused("java", "consumer", "GroupIdNotFoundException")
	r.leaveAll()
	r.enterAll("consumer")
	r.wantKind("consumer")
	r.wantRefused("java", "classic", "InconsistentGroupProtocolException")
	r.leaveAll()
	r.enterAll("classic")
	r.wantKind("classic")
	r.check()
}

// enterAll starts a member of each client, one after the other.
func (r *roster) enterAll(protocol string) {
	r.t.Helper()
	for slot := range r.clients {
		r.enter(slot, protocol)
	}
	r.settled()
}

// restartAll restarts every member with a protocol, in turn as an operator does. between is called after each but the last.
func (r *roster) restartAll(protocol string, between func()) {
	r.t.Helper()
	for slot := range r.clients {
		r.leave(slot)
		r.enter(slot, protocol)
		r.settled()
		if slot == len(r.clients)-1 {
			return
		}
		if r.crash && slot == 0 {
			r.tg.crash(r.t)
			r.settled()
		}
		between()
	}
}

func (r *roster) leaveAll() {
	r.t.Helper()
	for slot := range r.clients {
		r.leave(slot)
	}
}

// wantKind looks at the kind of the group, as ListGroups says it.
func (r *roster) wantKind(kind string) {
	r.t.Helper()
	var last string
	eventually(r.t, 30*time.Second, func() string { return fmt.Sprintf("the group is of kind %s: %s", kind, last) }, func() bool {
		groups, err := r.admin.ListGroupsByType(r.t.Context(), []string{kind})
		if err != nil {
			last = err.Error()
			return false
		}
		_, listed := groups[r.group]
		return listed
	})
}

// wantRefused starts a further member, which must end with an error that its client names.
func (r *roster) wantRefused(client, protocol, name string) {
	r.t.Helper()
	x := r.worker(client, protocol, "").start(r.t, fmt.Sprintf("refused-%s-%s", client, protocol))
	eventually(r.t, time.Minute, func() string { return "the end of " + x.name }, func() bool { return x.ends() > 0 })
	if text := x.output(); !strings.Contains(text, name) {
		r.t.Errorf("%s ended without a word of %s:\n%s", x.name, name, ending(text))
	}
}
