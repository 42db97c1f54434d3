package tools

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// groupWhy is `ottla group why GROUP`.
func (inv *invocation) groupWhy() int {
	q, code, done := inv.askedWhy("group", groupUsage)
	if done {
		return code
	}
	w, err := inv.askWhy(q)
	if err != nil {
		inv.complain("ottla group why: " + q.fault(err))
		return exitFailed
	}
	w.whyClock, w.shown = whyClock{time.Now(), time.Local}, q.last
	io.WriteString(inv.stdout, w.text())
	return 0
}

// fault says why nothing can be told.
func (q whyQuestion) fault(err error) string {
	if isMissingGroup(err) {
		return fmt.Sprintf("there is no group %s at %s", q.name, q.bootstrap)
	}
	return whyFault(q.bootstrap, err)
}

// askWhy collects what is known of a group: from Kafka's protocol its members and offsets, from the HTTP endpoint the causes.
// Without the latter the rest is still worth telling.
func (inv *invocation) askWhy(q whyQuestion) (*why, error) {
	s, err := loadSettings(q.config)
	if err != nil {
		return nil, err
	}
	if _, given := s.values["default.api.timeout.ms"]; !given {
		s.values["default.api.timeout.ms"] = fmt.Sprint(whyTimeout.Milliseconds())
	}
	a, err := inv.newAdmin(s, q.bootstrap, "GroupWhy")
	if err != nil {
		return nil, err
	}
	defer a.close()
	cluster, err := request[*kmsg.MetadataResponse](a, "describeCluster", kmsg.NewPtrMetadataRequest())
	if err != nil {
		return nil, err
	}
	w := &why{group: q.name}
	w.causes, w.silent = askCauses(q, cluster.ClusterID)
	described, failures, err := a.describeGroups(a.timeout, []string{q.name})
	if err != nil {
		return nil, err
	}
	if g, ok := described[q.name]; ok {
		w.described = &g
	} else if g, err := a.describeStreamsGroup(a.timeout, q.name); err == nil {
		w.described = g.asDescribed()
	}
	if w.described == nil || w.described.state == "Dead" && w.described.members == nil {
		if w.causes == nil {
			return nil, cmpError(failures[q.name], q.name)
		}
		w.described = nil
	}
	w.offsets, err = a.groupOffsets(q.name, w.described)
	return w, err
}

// cmpError is why a group could not be described, or that there is none.
func cmpError(failure error, group string) error {
	if failure != nil {
		return failure
	}
	return fmt.Errorf("there is no group %s", group)
}

// groupOffsets tells for each partition that a group has committed, or that a member has, how far it is.
func (a *admin) groupOffsets(group string, described *describedGroup) ([]whyOffset, error) {
	committed, err := a.committedOffsets(a.timeout, group)
	if err != nil {
		return nil, err
	}
	partitions := slices.Collect(maps.Keys(committed))
	if described != nil {
		for _, m := range described.members {
			partitions = append(partitions, m.assigned...)
		}
	}
	partitions = slices.Compact(sortPartitions(partitions))
	led, _, err := a.splitByLeader(partitions) // a person does not wait for a partition without a leader
	if err != nil {
		return nil, err
	}
	starts, ends := make(map[kafka.TopicPartition]partitionOffset), make(map[kafka.TopicPartition]partitionOffset)
	if err := a.listOffsetsOf(led, earliestTimestamp, starts); err != nil {
		return nil, err
	}
	if err := a.listOffsetsOf(led, latestTimestamp, ends); err != nil {
		return nil, err
	}
	offsets := make([]whyOffset, 0, len(partitions))
	for _, tp := range partitions {
		o := whyOffset{partition: tp, committed: -1, start: -1, end: -1}
		if c, ok := committed[tp]; ok {
			o.committed = c.offset
		}
		if s, ok := starts[tp]; ok && s.err == nil {
			o.start = s.offset
		}
		if e, ok := ends[tp]; ok && e.err == nil {
			o.end = e.offset
		}
		offsets = append(offsets, o)
	}
	return offsets, nil
}

// whyOffset is how far a group is in a partition; -1 stands for what is not known.
type whyOffset struct {
	partition             kafka.TopicPartition
	committed, start, end int64
}

// askCauses asks the HTTP endpoint; silent is why it did not tell.
func askCauses(q whyQuestion, clusterID *string) (causes *whyCauses, silent string) {
	causes = new(whyCauses)
	if silent = q.endpoint().ask("groups", q.name, clusterID, causes); silent != "" {
		return nil, silent
	}
	return causes, ""
}
