package group

import (
	"slices"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// reconcile takes the member as far towards its target as it can go: it first gives up what it is not to have any more, then
// gets what nobody else holds (org.apache.kafka.coordinator.group.streams.CurrentAssignmentBuilder).
func (s *streamsStep) reconcile(epoch int32, target taskSet) error {
	m := s.member
	if m.reconciledTo(epoch) {
		return nil
	}
	next, err := (&taskReconciliation{g: s.g, m: m, epoch: epoch, target: target, owned: s.owned}).next()
	if err != nil {
		return err
	}
	s.member = next
	if next.sameTasks(m) {
		return nil
	}
	s.out.write(s.g.currentRecord(next))
	if next.state == revoking {
		s.c.awaitTasks(s.now, s.g.id, next)
	} else {
		s.c.alarms.cancel(&s.c.clock(s.g.id, next.id).rebalance)
	}
	return nil
}

// taskReconciliation is how a member gets to its target.
type taskReconciliation struct {
	g      *streamsGroup
	m      *streamsMember
	epoch  int32 // of the target
	target taskSet
	owned  *taskSet
}

func (r *taskReconciliation) next() (*streamsMember, error) {
	m := r.m
	switch m.state {
	case reconciled:
		if m.epoch == r.epoch {
			return m, nil
		}
		return r.advance(m.epoch), nil
	case revoking:
		if r.owns(m.revoking) {
			return m, nil
		}
		return r.advance(m.epoch + 1), nil
	case waiting:
		return r.advance(m.epoch), nil
	}
	if r.owned == nil || len(r.owned.Active)+len(r.owned.Standby)+len(r.owned.Warmup) > 0 {
		return nil, kafka.Errorf(kafka.FencedMemberEpoch, "The streams group member is in a unknown state. The member must abandon all its tasks and rejoin.")
	}
	return r.advance(r.epoch), nil
}

// owns reports whether the member still owns some of the tasks, or does not say.
func (r *taskReconciliation) owns(h heldTasks) bool { return r.owned == nil || h.shareAny(*r.owned) }

// advance compares what the member has with its target. from is the epoch that it stays in while it has to give something up.
func (r *taskReconciliation) advance(from int32) *streamsMember {
	kept, lost := heldTasks{active: activeTasks{}}, heldTasks{active: activeTasks{}}
	gained := 0
	for id, partitions := range r.m.assigned.active {
		for p, epoch := range partitions {
			if has(r.target.Active, id, p) {
				kept.active.with(taskID{id, p}, epoch)
			} else {
				lost.active.with(taskID{id, p}, epoch)
			}
		}
	}
	all := heldTasks{active: kept.active}
	var blocked [3]bool
	taken := activeTasks{}
	eachTask(r.target.Active, func(t taskID) {
		if _, had := kept.active[t.subtopology][t.partition]; had {
			return
		}
		if _, held := r.g.active[t]; held || r.g.inProcess(t, r.m.process) {
			blocked[0] = true
			return
		}
		taken.with(t, r.epoch)
		gained++
	})
	kept.standby, lost.standby, all.standby, blocked[1] = r.copies(r.m.assigned.standby, r.target.Standby)
	kept.warmup, lost.warmup, all.warmup, blocked[2] = r.copies(r.m.assigned.warmup, r.target.Warmup)
	if !lost.empty() && r.owns(lost) {
		return r.m.at(from, revoking, kept, lost)
	}
	for id, partitions := range taken {
		for p, epoch := range partitions {
			all.active.with(taskID{id, p}, epoch)
		}
	}
	state := reconciled
	if slices.Contains(blocked[:], true) {
		state = waiting
	}
	return r.m.at(r.epoch, state, all, heldTasks{})
}

// copies compares standby or warm-up tasks with the target: which stay, which go, which the member has from now on, and
// whether some are still in another thread of its process.
func (r *taskReconciliation) copies(current, target tasks) (kept, lost, next tasks, blocked bool) {
	kept, lost, next = tasks{}, tasks{}, tasks{}
	eachTask(current, func(t taskID) {
		into := lost
		if has(target, t.subtopology, t.partition) {
			into = kept
		}
		into[t.subtopology] = append(into[t.subtopology], t.partition)
	})
	eachTask(target, func(t taskID) {
		switch {
		case has(kept, t.subtopology, t.partition):
		case r.g.inProcess(t, r.m.process):
			blocked = true
			return
		}
		next[t.subtopology] = append(next[t.subtopology], t.partition)
	})
	return kept, lost, next, blocked
}

// awaitTasks gives a member its rebalance timeout to give up tasks.
func (c *Coordinator) awaitTasks(now time.Time, groupID string, m *streamsMember) {
	epoch, timeout := m.epoch, time.Duration(m.rebalanceTimeout)*time.Millisecond
	ring := c.ringing(groupID, m.id, func(clock *memberClock) *alarm { return &clock.rebalance }, func(out *outcome, now time.Time) {
		if g := c.streams(groupID); g != nil && g.members[m.id] != nil && g.members[m.id].epoch == epoch {
			c.expelThread(out, now, g, g.members[m.id], Cause{Kind: RebalanceExpired, Setting: settingPollInterval, Limit: timeout.Milliseconds()})
		}
	})
	c.ringAt(&c.clock(groupID, m.id).rebalance, now.Add(timeout), ring)
}
