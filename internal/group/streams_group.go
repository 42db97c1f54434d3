package group

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
)

// streamsType is the group type of ListGroups, and the protocol type.
const streamsType = "streams"

// notReady is the state of a streams group some of whose topics are missing or do not fit.
const notReady state = "NotReady"

// streamsGroup is the group of a Kafka Streams application: its members are the application's threads, they tell the topology
// when they join, and the coordinator creates the internal topics and assigns tasks
// (KIP-1071, org.apache.kafka.coordinator.group.streams.StreamsGroup). All of it but what is marked as soft is what the log
// says, and changes in Replay alone.
type streamsGroup struct {
	*group
	epoch           int32 // grows with every change of members, topics, or settings of the assignor
	hash            int64 // of the topics that the topology needs, at that epoch
	validated       int32 // epoch of the topology whose topics were found complete, -1 if they were not
	configs         map[string]string
	assignmentEpoch int32 // of the target assignment
	assignedAt      int64 // when it was made, in milliseconds; 0: not known
	topology        *topology
	members         map[string]*streamsMember
	target          map[string]taskSet

	// What follows is counted from the above: who has a task, active or not, or has yet to give it up.
	active          map[taskID]holder
	standby, warmup map[taskID]map[string]int // by process

	// soft
	hashes     topicHashes
	configured *configured
	shutdown   string // the member that wants the whole application to stop, "" if none does
	endpoints  int32  // grows with every change of what members with endpoints have
}

// holder is who has an active task.
type holder struct{ member, process string }

var _ kind = (*streamsGroup)(nil)

// newStreamsGroup makes a streams group without members that the coordinator does not know.
func newStreamsGroup(g *group) *streamsGroup {
	return &streamsGroup{
		group: g, epoch: 1, assignmentEpoch: 1, configs: map[string]string{}, members: map[string]*streamsMember{}, target: map[string]taskSet{},
		active: map[taskID]holder{}, standby: map[taskID]map[string]int{}, warmup: map[taskID]map[string]int{}, hashes: topicHashes{},
	}
}

// streams returns a group if it is a streams group, otherwise nil.
func (c *Coordinator) streams(id string) *streamsGroup {
	if g := c.groups[id]; g != nil {
		sg, _ := g.kind.(*streamsGroup)
		return sg
	}
	return nil
}

// put makes m a member, or puts it in the place of its former self.
func (g *streamsGroup) put(m *streamsMember) {
	g.count(g.members[m.id], false)
	g.members[m.id] = m
	g.count(m, true)
}

// remove undoes put.
func (g *streamsGroup) remove(m *streamsMember) {
	g.count(m, false)
	delete(g.members, m.id)
	if len(g.members) == 0 {
		g.shutdown = ""
	}
}

func (g *streamsGroup) count(m *streamsMember, holds bool) {
	if m == nil {
		return
	}
	for _, h := range []heldTasks{m.assigned, m.revoking} {
		eachTask(h.active.tasks(), func(t taskID) {
			switch {
			case holds:
				g.active[t] = holder{m.id, m.process}
			case g.active[t].member == m.id:
				delete(g.active, t)
			}
		})
		eachTask(h.standby, func(t taskID) { countIn(g.standby, t, m.process, holds) })
		eachTask(h.warmup, func(t taskID) { countIn(g.warmup, t, m.process, holds) })
	}
}

func countIn(processes map[taskID]map[string]int, t taskID, process string, holds bool) {
	if processes[t] == nil {
		processes[t] = map[string]int{}
	}
	if holds {
		processes[t][process]++
		return
	}
	if add(processes[t], process, -1); len(processes[t]) == 0 {
		delete(processes, t)
	}
}

// inProcess reports whether a process has a task, in whatever way.
func (g *streamsGroup) inProcess(t taskID, process string) bool {
	h, active := g.active[t]
	return active && h.process == process || g.standby[t][process] > 0 || g.warmup[t][process] > 0
}

func (g *streamsGroup) state() state {
	switch {
	case len(g.members) == 0:
		return empty
	case g.topology == nil || g.topology.epoch != g.validated:
		return notReady
	case g.epoch > g.assignmentEpoch:
		return assigning
	}
	for _, m := range g.members {
		if !m.reconciledTo(g.assignmentEpoch) {
			return reconciling
		}
	}
	return stable
}

// list implements kind.
func (g *streamsGroup) list() (groupType, protocolType string, state state) {
	return streamsType, streamsType, g.state()
}

// consumes implements kind.
func (g *streamsGroup) consumes(topic string) bool {
	return len(g.members) > 0 && g.topology != nil && g.topology.sources[topic] != ""
}

// checkDelete implements kind.
func (g *streamsGroup) checkDelete() error {
	if len(g.members) > 0 {
		return kafka.Errorf(kafka.NonEmptyGroup, "The group is not empty.")
	}
	return nil
}

// checkDeleteOffsets implements kind: topics that are read are looked at one by one.
func (g *streamsGroup) checkDeleteOffsets() error { return nil }

// expirySince implements kind: since the commit, unless the group reads the topic.
func (g *streamsGroup) expirySince(topic string, o committed) (since int64, expires bool) {
	return o.at, !g.consumes(topic)
}

// abandoned implements kind.
func (g *streamsGroup) abandoned() bool { return len(g.members) == 0 }

// begin implements kind: members have a session's time to be heard of, and go on with giving up tasks.
func (g *streamsGroup) begin(c *Coordinator, _ *outcome, now time.Time) {
	for _, m := range orderedStreams(g.members) {
		c.awaitThread(now, g.id, m.id)
		if m.state == revoking {
			c.awaitTasks(now, g.id, m)
		}
	}
}

// stop implements kind: no request waits.
func (g *streamsGroup) stop(error) {}

// replayStreams applies a record of a streams group. A group that only keeps offsets becomes one; of any other the log would
// have told the end before.
func (c *Coordinator) replayStreams(r statemachine.Record) error {
	kind, name, err := consumerKey(r.Key)
	if err != nil {
		return err
	}
	id := consumerGroupOf(r.Key)
	g := c.streams(id)
	if g == nil {
		if r.Value == nil {
			return nil // the group is gone, and the tombstone is all that compaction has left of it
		}
		shared, err := c.yield(id)
		if err != nil {
			return err
		}
		g = newStreamsGroup(shared)
		shared.kind = g
	}
	if err := g.replay(kind, name, r.Value); err != nil {
		return err
	}
	if r.Value == nil {
		switch kind {
		case streamsEpochRecord:
			for member := range g.members {
				c.stopClock(id, member)
			}
			c.cancelDelay(id)
			c.forget(g.group)
		case streamsMemberRecord:
			c.stopClock(id, name)
		}
	}
	return nil
}
