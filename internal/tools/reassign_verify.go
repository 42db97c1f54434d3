package tools

import (
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
)

// readPlan reads the file of --verify and --cancel.
func (t *reassignTool) readPlan() ([]plannedPartition, error) {
	path, err := t.o.Value(t.o.file)
	if err != nil {
		return nil, err
	}
	text, err := readInput(path)
	if err != nil {
		return nil, err
	}
	return parsePlan(text)
}

// verify tells how far a reassignment is, and removes its throttles when all is done.
func (t *reassignTool) verify() error {
	plan, err := t.readPlan()
	if err != nil {
		return err
	}
	active, err := t.activeReassignments(nil)
	if err != nil {
		return inFuture(err)
	}
	slices.SortStableFunc(plan, func(a, b plannedPartition) int { return comparePartitions(a.partition, b.partition) })
	lines := []string{"Status of partition reassignment:"}
	for _, p := range plan {
		if _, moving := active[p.partition]; moving {
			lines = append(lines, "Reassignment of partition "+p.partition.String()+" is still in progress.")
			continue
		}
		replicas, err := t.replicasNow(p.partition)
		if err != nil {
			return err
		}
		if slices.Equal(replicas, p.replicas) {
			lines = append(lines, "Reassignment of partition "+p.partition.String()+" is completed.")
		} else {
			lines = append(lines, fmt.Sprintf("There is no active reassignment of partition %s, but replica set is %s rather than %s.",
				p.partition, joinIDs(replicas), joinIDs(p.replicas)))
		}
	}
	for _, line := range lines {
		t.println(line)
	}
	moving, err := t.verifyDirs(directories(plan))
	if err != nil || moving || len(active) > 0 || t.o.Has(t.o.preserveThrottles) {
		return err
	}
	return t.clearThrottles(plan)
}

// replicasNow returns the replicas of a partition, none if there is no such partition.
func (t *reassignTool) replicasNow(tp kafka.TopicPartition) ([]int32, error) {
	described, err := t.describeTopics([]string{tp.Topic}, describedAtOnce)
	if hasCode(err, kerr.UnknownTopicOrPartition) {
		return nil, nil
	}
	if err != nil {
		return nil, inFuture(err)
	}
	for _, d := range described {
		for _, p := range d.partitions {
			if p.index == tp.Partition {
				return p.replicas, nil
			}
		}
	}
	return nil, nil
}

// verifyDirs tells how far moves between log directories are, and whether one goes on. It prints an empty line if there is none.
func (t *reassignTool) verifyDirs(wanted map[replicaOf]string) (moving bool, err error) {
	now, err := t.replicaDirs(sortedReplicas(wanted))
	if err != nil {
		return false, err
	}
	for _, r := range sortedReplicas(wanted) {
		dir, is := wanted[r], now[r]
		where := fmt.Sprintf("Partition %s on broker %d", r.partition, r.broker)
		switch {
		case is.current == "":
			t.printf("Partition %s is not found in any live log dir on broker %d. There is likely an offline log directory on the broker.\n", r.partition, r.broker)
		case is.future == "" && is.current == dir:
			t.printf("Reassignment of replica %s completed successfully.\n", r)
		case is.future == "":
			t.printf("%s is not being moved from log dir %s to %s.\n", where, is.current, dir)
		case is.future == dir:
			moving = true
			t.printf("Reassignment of replica %s is still in progress.\n", r)
		default:
			moving = true
			t.printf("%s is being moved to log dir %s instead of %s.\n", where, is.future, dir)
		}
	}
	if len(wanted) == 0 {
		t.println("")
	}
	return moving, nil
}

// cancel ends the reassignments of the plan that are active.
func (t *reassignTool) cancel() error {
	plan, err := t.readPlan()
	if err != nil {
		return err
	}
	r := t.o.Reader()
	timeout := r.Long(t.o.timeout)
	if r.Err() != nil {
		return r.Err()
	}
	if err := t.cancelReassignments(plan); err != nil {
		return err
	}
	wanted := directories(plan)
	now, err := t.replicaDirs(sortedReplicas(wanted))
	if err != nil {
		return err
	}
	back := map[replicaOf]string{}
	for replica := range wanted {
		if now[replica].future != "" {
			back[replica] = now[replica].current
		}
	}
	if len(back) == 0 {
		t.printf("None of the specified partition moves are active.")
	} else if err := t.moveDirs(back, time.Duration(timeout)*time.Millisecond); err != nil {
		return err
	}
	if t.o.Has(t.o.preserveThrottles) {
		return nil
	}
	return t.clearThrottles(plan)
}

func (t *reassignTool) cancelReassignments(plan []plannedPartition) error {
	var partitions []kafka.TopicPartition
	for _, p := range plan {
		partitions = append(partitions, p.partition)
	}
	cancelled := map[kafka.TopicPartition][]int32{}
	if len(partitions) > 0 {
		active, err := t.activeReassignments(partitions)
		if err != nil {
			return inFuture(err)
		}
		for tp := range active {
			cancelled[tp] = nil
		}
	}
	if len(cancelled) == 0 {
		t.println("None of the specified partition reassignments are active.")
		return nil
	}
	failed, err := t.alterReassignments(cancelled, true)
	if err != nil {
		return inFuture(err)
	}
	if len(failed) > 0 {
		return failures("Error cancelling partition reassignment"+plural(len(failed))+" for:", failed)
	}
	t.printf("Successfully cancelled partition reassignment%s for: %s\n", plural(len(cancelled)), joinPartitions(sortedPartitions(cancelled)))
	return nil
}

// replicaDir is where a replica is, and where a move takes it.
type replicaDir struct{ current, future string }

// replicaDirs asks the brokers where replicas are. One that is not there has no directory.
func (a *admin) replicaDirs(replicas []replicaOf) (map[replicaOf]replicaDir, error) {
	found := map[replicaOf]replicaDir{}
	if len(replicas) == 0 {
		return found, nil
	}
	live, err := a.liveBrokers()
	if err != nil {
		return nil, inFuture(err)
	}
	for _, broker := range live {
		if !slices.ContainsFunc(replicas, func(r replicaOf) bool { return r.broker == broker }) {
			continue
		}
		dirs, err := a.logDirs(broker)
		if err != nil {
			return nil, inFuture(err)
		}
		for _, d := range dirs {
			for _, t := range d.Topics {
				for _, p := range t.Partitions {
					r := replicaOf{kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}, broker}
					is := found[r]
					if p.IsFuture {
						is.future = d.Dir
					} else {
						is.current = d.Dir
					}
					found[r] = is
				}
			}
		}
	}
	return found, nil
}

// currentDirs returns the log directories of replicas that have one.
func (a *admin) currentDirs(assignments map[kafka.TopicPartition][]int32) (map[replicaOf]string, error) {
	var replicas []replicaOf
	for tp, brokers := range assignments {
		for _, id := range brokers {
			replicas = append(replicas, replicaOf{tp, id})
		}
	}
	now, err := a.replicaDirs(replicas)
	dirs := map[replicaOf]string{}
	for r, is := range now {
		if is.current != "" {
			dirs[r] = is.current
		}
	}
	return dirs, err
}
