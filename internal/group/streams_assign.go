package group

import (
	"strconv"
	"time"

	"github.com/ottla/ottla/internal/assignor"
	"github.com/ottla/ottla/internal/kafka"
)

// assign returns the target assignment that the member is to be reconciled with. If the group has a newer epoch than its
// target, a new one is made and written, unless the group is so new that it waits for more members, or the last one is.
func (s *streamsStep) assign() (epoch int32, target taskSet, err error) {
	g := s.g
	switch {
	case s.c.delays[g.id] != nil:
		s.tell(statusAssignmentDelayed, "Assignment delayed due to the configured initial rebalance delay.")
		return g.assignmentEpoch, taskSet{}, nil
	case g.assignmentEpoch >= s.epoch:
		return g.assignmentEpoch, g.target[s.member.id], nil
	case !g.assignmentDue(s.now, s.c.options.Streams(g.id).AssignmentInterval):
		s.tell(statusAssignmentDelayed, "Assignment delayed due to the configured assignment interval.")
		return g.assignmentEpoch, g.target[s.member.id], nil
	}
	members := make(map[string]*streamsMember, len(g.members)+1)
	for id, m := range g.members {
		members[id] = m
	}
	members[s.member.id] = s.member
	targets, err := g.writeTargets(s.out, s.now, s.epoch, members, s.configured, s.configs)
	if err != nil {
		s.c.note(s.now, g.id, Cause{Kind: AssignmentFailed, Member: whoIs(s.rq.Client, s.member.id, nil), Reason: err.Error(), Epoch: s.epoch})
		return 0, taskSet{}, kafka.Errorf(kafka.UnknownServerError, "Failed to compute a new target assignment for epoch %d: %v", s.epoch, err)
	}
	return s.epoch, targets[s.member.id], nil
}

// assignmentDue reports whether the last target assignment is old enough to make another.
func (g *streamsGroup) assignmentDue(now time.Time, interval time.Duration) bool {
	return assignmentDue(g.assignedAt, now, interval)
}

// writeTargets makes a target assignment for an epoch, and writes what is new in it. Without all topics nobody gets a task.
func (g *streamsGroup) writeTargets(out *outcome, now time.Time, epoch int32, members map[string]*streamsMember, c *configured, configs map[string]string) (map[string]taskSet, error) {
	targets := map[string]taskSet{}
	if c.ready() {
		standbys, err := strconv.Atoi(configs["num.standby.replicas"])
		if err != nil && configs["num.standby.replicas"] != "" {
			return nil, err
		}
		specs := make([]assignor.TaskMember, 0, len(members))
		for _, m := range orderedStreams(members) {
			specs = append(specs, assignor.TaskMember{ID: m.id, Process: m.process, Active: g.target[m.id].Active, Standby: g.target[m.id].Standby})
		}
		if targets, err = assignor.StickyTasks(specs, c.subtopologies(), standbys); err != nil {
			return nil, err
		}
	}
	for _, id := range sortedKeys(members) {
		if old, ok := g.target[id]; !ok || !equalTaskSets(old, targets[id]) {
			out.write(g.targetRecord(id, targets[id]))
		}
	}
	out.write(g.targetEpochRecord(epoch, now.UnixMilli()))
	return targets, nil
}

// delayAssignment has a group that has just come into being wait for more members before its tasks are assigned
// (group.streams.initial.rebalance.delay.ms).
func (c *Coordinator) delayAssignment(now time.Time, groupID string) {
	delay := c.options.Streams(groupID).InitialDelay
	if delay <= 0 || c.delays[groupID] != nil {
		return
	}
	a := new(alarm)
	c.delays[groupID] = a
	c.ringAt(a, now.Add(delay), func(out *outcome, now time.Time) {
		delete(c.delays, groupID)
		c.assignDelayed(out, now, groupID)
	})
}

// cancelDelay has a group that is no more not wait.
func (c *Coordinator) cancelDelay(groupID string) {
	if a := c.delays[groupID]; a != nil {
		c.alarms.cancel(a)
		delete(c.delays, groupID)
	}
}

// assignDelayed makes the first target assignment of a group. If it cannot be stored, the next heartbeat makes it.
func (c *Coordinator) assignDelayed(out *outcome, now time.Time, groupID string) {
	g := c.streams(groupID)
	if g == nil || len(g.members) == 0 || g.topology == nil || g.epoch <= g.assignmentEpoch {
		return
	}
	im := c.look()
	configured, err := configure(g.topology, g.hashes.sum(im, g.topology.required), im)
	if err == nil {
		_, err = g.writeTargets(out, now, g.epoch, g.members, configured, g.configs)
	}
	if err != nil {
		c.options.Logger.Warn("tasks are not assigned", "group", groupID, "epoch", g.epoch, "error", err)
	}
}
