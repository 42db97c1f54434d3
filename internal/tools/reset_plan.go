package tools

import (
	"fmt"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// A resetPlan holds the values of the options that say where to reset to.
type resetPlan struct {
	file, datetime, duration string
	offset, shift            int64
}

// newOffsets finds the offsets to which partitions are reset.
func (t *resetter) newOffsets(group string, partitions []kafka.TopicPartition) (offsetsOf, error) {
	has := t.to.Has
	switch o := t.to; {
	case has(o.toOffset):
		wanted := offsetsOf{}
		for _, tp := range partitions {
			wanted[tp] = t.plan.offset
		}
		return t.clip(wanted)
	case has(o.toEarliest):
		return t.bounds(partitions, earliestTimestamp, "starting")
	case has(o.toLatest):
		return t.bounds(partitions, latestTimestamp, "ending")
	case has(o.shiftBy):
		return t.shifted(group, partitions)
	case has(o.toDatetime):
		at, err := parseDateTime(t.plan.datetime)
		if err != nil {
			return nil, err
		}
		return t.fromTime(partitions, at)
	case has(o.byDuration):
		back, err := parseISODuration(t.plan.duration)
		if err != nil {
			return nil, err
		}
		return t.fromTime(partitions, time.Now().Add(-back))
	case has(o.fromFile):
		return t.fromPlan(group)
	case has(o.toCurrent):
		return t.current(group, partitions)
	}
	return nil, &usageError{t.to.parser, fmt.Sprintf("Option '%s' requires one of the following scenarios: [%s]", t.to.reset, join(t.to.scenarios()))}
}

// bounds are the first offsets, or the ends, of partitions.
func (t *resetter) bounds(partitions []kafka.TopicPartition, timestamp int64, what string) (offsetsOf, error) {
	answers, err := t.admin.listOffsets(partitions, timestamp)
	if err != nil {
		return nil, inRuntime(inFuture(err))
	}
	offsets := offsetsOf{}
	for _, tp := range partitions {
		answer, ok := answers[tp]
		if answer.err != nil {
			return nil, inRuntime(inFuture(answer.err))
		}
		if !ok {
			return nil, &usageError{t.to.parser, "Error getting " + what + " offset of topic partition: " + tp.String()}
		}
		offsets[tp] = answer.offset
	}
	return offsets, nil
}

// clip keeps offsets inside the log, with a warning.
func (t *resetter) clip(wanted offsetsOf) (offsetsOf, error) {
	var partitions []kafka.TopicPartition
	for tp := range wanted {
		partitions = append(partitions, tp)
	}
	sortPartitions(partitions)
	starts, err := t.bounds(partitions, earliestTimestamp, "starting")
	if err != nil {
		return nil, err
	}
	ends, err := t.bounds(partitions, latestTimestamp, "ending")
	if err != nil {
		return nil, err
	}
	for _, tp := range partitions {
		switch offset := wanted[tp]; {
		case offset > ends[tp]:
			t.log().warn("New offset (%d) is higher than latest offset for topic partition %s. Value will be set to %d", offset, tp, ends[tp])
			wanted[tp] = ends[tp]
		case offset < starts[tp]:
			t.log().warn("New offset (%d) is lower than earliest offset for topic partition %s. Value will be set to %d", offset, tp, starts[tp])
			wanted[tp] = starts[tp]
		}
	}
	return wanted, nil
}

func (t *resetter) shifted(group string, partitions []kafka.TopicPartition) (offsetsOf, error) {
	committed, err := t.admin.committedOffsets(t.limit, group)
	if err != nil {
		return nil, inRuntime(inFuture(err))
	}
	wanted := offsetsOf{}
	for _, tp := range partitions {
		c, ok := committed[tp]
		if !ok {
			return nil, illegalArgument("Cannot shift offset for partition " + tp.String() + " since there is no current committed offset")
		}
		wanted[tp] = c.offset + t.plan.shift
	}
	return t.clip(wanted)
}

// fromTime are the offsets of the first records from a time on; the end where there is no such record.
func (t *resetter) fromTime(partitions []kafka.TopicPartition, at time.Time) (offsetsOf, error) {
	answers, err := t.admin.listOffsets(partitions, max(at.UnixMilli(), 0))
	if err != nil {
		return nil, inRuntime(inFuture(err))
	}
	offsets := offsetsOf{}
	var empty []kafka.TopicPartition
	for _, tp := range partitions {
		switch answer := answers[tp]; {
		case answer.err != nil:
			return nil, inRuntime(inFuture(answer.err))
		case answer.offset >= 0:
			offsets[tp] = answer.offset
		default:
			t.println(fmt.Sprintf("\nWarn: Partition %d from topic %s is empty. Falling back to latest known offset.", tp.Partition, tp.Topic))
			empty = append(empty, tp)
		}
	}
	ends, err := t.bounds(empty, latestTimestamp, "ending")
	for tp, end := range ends {
		offsets[tp] = end
	}
	return offsets, err
}

func (t *resetter) fromPlan(group string) (offsetsOf, error) {
	plan, err := readPlan(t.plan.file, t.to.Values(t.to.group))
	if err != nil {
		return nil, err
	}
	wanted, ok := plan[group]
	if !ok {
		t.printGroupError("No reset plan for group " + group + " found")
		return offsetsOf{}, nil
	}
	return t.clip(wanted)
}

// current are the offsets that the group has, and the ends of partitions where it has none.
func (t *resetter) current(group string, partitions []kafka.TopicPartition) (offsetsOf, error) {
	committed, err := t.admin.committedOffsets(t.limit, group)
	if err != nil {
		return nil, inRuntime(inFuture(err))
	}
	offsets := offsetsOf{}
	var others []kafka.TopicPartition
	for _, tp := range partitions {
		if c, ok := committed[tp]; ok {
			offsets[tp] = c.offset
		} else {
			others = append(others, tp)
		}
	}
	ends, err := t.bounds(others, latestTimestamp, "ending")
	for tp, end := range ends {
		offsets[tp] = end
	}
	return offsets, err
}
