package tools

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

const existingReassignment = "Cannot execute because there is an existing partition assignment.  Use --additional to override this and " +
	"create a new partition assignment in addition to the existing one. The --additional flag can also be used to change the throttle by " +
	"resubmitting the current reassignment."

// execute begins what the file says.
func (t *reassignTool) execute() error {
	r := t.o.Reader()
	path, throttle, dirThrottle, timeout := r.String(t.o.file), r.Long(t.o.throttle), r.Long(t.o.dirThrottle), r.Long(t.o.timeout)
	if r.Err() != nil {
		return r.Err()
	}
	text, err := readInput(path)
	if err != nil {
		return err
	}
	plan, err := parseExecutable(text)
	if err != nil {
		return err
	}
	active, err := t.activeReassignments(nil)
	if err != nil {
		return inFuture(err)
	}
	if len(active) > 0 && !t.o.Has(t.o.additional) {
		return &errTerse{existingReassignment}
	}
	current, err := t.planned(plan)
	if err != nil {
		return err
	}
	dirs, err := t.currentDirs(current)
	if err != nil {
		return err
	}
	t.printf("Current partition replica assignment\n\n%s\n\nSave this to use as the --reassignment-json-file option during rollback\n", formatPlan(current, dirs))
	proposed := map[kafka.TopicPartition][]int32{}
	for _, p := range plan {
		proposed[p.partition] = p.replicas
	}
	if err := t.throttleMoves(moves(active, proposed, current), directories(plan), throttle, dirThrottle); err != nil {
		return err
	}
	failed, err := t.alterReassignments(proposed, !t.o.Has(t.o.disallowReplicationFactor))
	if err != nil {
		return inFuture(err)
	}
	if len(failed) > 0 {
		return failures("Error reassigning partition(s):", failed)
	}
	t.printf("Successfully started partition reassignment%s for %s\n", plural(len(proposed)), joinPartitions(sortedPartitions(proposed)))
	return t.moveDirs(directories(plan), time.Duration(timeout)*time.Millisecond)
}

// planned returns the present replicas of the partitions of a plan, whose brokers and partitions must be there.
func (t *reassignTool) planned(plan []plannedPartition) (map[kafka.TopicPartition][]int32, error) {
	live, err := t.liveBrokers()
	if err != nil {
		return nil, inFuture(err)
	}
	var wanted []int32
	var topics []string
	for _, p := range plan {
		wanted = append(wanted, p.replicas...)
		topics = append(topics, p.partition.Topic)
	}
	for _, id := range inJavaOrder(wanted, javaIntHash, javaMapSize) {
		if !slices.Contains(live, id) {
			return nil, commandFailed("Unknown broker id " + joinIDs([]int32{id}))
		}
	}
	slices.Sort(topics)
	all, err := t.assignments(slices.Compact(topics))
	if err != nil {
		return nil, err
	}
	current := map[kafka.TopicPartition][]int32{}
	for _, p := range plan {
		replicas, found := all[p.partition]
		if !found {
			text := "Unable to find partition: " + p.partition.String()
			return nil, inFuture(responseError(int16(kafka.UnknownTopicOrPartition), &text))
		}
		current[p.partition] = replicas
	}
	return current, nil
}

// moveDirs has brokers move replicas to log directories, as soon as they have the replicas.
func (t *reassignTool) moveDirs(wanted map[replicaOf]string, limit time.Duration) error {
	for end := time.Now().Add(limit); len(wanted) > 0; {
		begun, err := t.alterDirs(wanted)
		if err != nil {
			return err
		}
		for _, r := range begun {
			t.printf("Successfully started moving log directory to %s for replica %s with broker %d \n", wanted[r], r.partition, r.broker)
			delete(wanted, r)
		}
		if len(wanted) == 0 {
			break
		}
		if !time.Now().Before(end) {
			var names string
			for i, r := range sortedReplicas(wanted) {
				if i > 0 {
					names += ","
				}
				names += r.String()
			}
			return &errTerse{"Timed out before log directory move" + plural(len(wanted)) + " could be started for: " + names}
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil
}

func sortedReplicas[V any](of map[replicaOf]V) []replicaOf {
	var all []replicaOf
	for r := range of {
		all = append(all, r)
	}
	slices.SortFunc(all, compareReplicas)
	return all
}

// alterDirs asks brokers to move replicas, and returns those whose broker has them.
func (a *admin) alterDirs(wanted map[replicaOf]string) (begun []replicaOf, err error) {
	for _, r := range sortedReplicas(wanted) {
		rq := kmsg.NewPtrAlterReplicaLogDirsRequest()
		dir, topic := kmsg.NewAlterReplicaLogDirsRequestDir(), kmsg.NewAlterReplicaLogDirsRequestDirTopic()
		topic.Topic, topic.Partitions = r.partition.Topic, []int32{r.partition.Partition}
		dir.Dir, dir.Topics = wanted[r], append(dir.Topics, topic)
		rq.Dirs = append(rq.Dirs, dir)
		answer, err := a.callBroker(r.broker, "alterReplicaLogDirs", rq)
		if err == nil {
			for _, t := range answer.(*kmsg.AlterReplicaLogDirsResponse).Topics {
				for _, p := range t.Partitions {
					err = responseError(p.ErrorCode, nil)
				}
			}
		}
		switch {
		case err == nil:
			begun = append(begun, r)
		case !hasCode(err, kerr.ReplicaNotAvailable):
			return nil, &exception{class: "org.apache.kafka.tools.AdminCommandFailedException", message: "Failed to alter dir for " + r.String(), cause: inFuture(err)}
		}
	}
	return begun, nil
}
