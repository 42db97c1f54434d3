package tools

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
)

// generate proposes where the partitions of some topics could go.
func (t *reassignTool) generate() error {
	brokers, topics, err := t.generateInput()
	if err != nil {
		return err
	}
	current, err := t.assignments(slices.Sorted(slices.Values(topics)))
	if err != nil {
		return err
	}
	dirs, err := t.currentDirs(current)
	if err != nil {
		return err
	}
	usable, err := t.usableBrokers(brokers, !t.o.Has(t.o.noRacks))
	if err != nil {
		return err
	}
	proposed := map[kafka.TopicPartition][]int32{}
	for _, topic := range topics {
		partitions := 0
		for tp := range current {
			if tp.Topic == topic {
				partitions++
			}
		}
		placed, err := place(usable, partitions, len(current[kafka.TopicPartition{Topic: topic}]), rand.IntN)
		if err != nil {
			return err
		}
		for i, replicas := range placed {
			proposed[kafka.TopicPartition{Topic: topic, Partition: int32(i)}] = replicas
		}
	}
	t.printf("Current partition replica assignment\n%s\n\n", formatPlan(current, dirs))
	t.printf("Proposed partition reassignment configuration\n%s\n", formatPlan(proposed, nil))
	return nil
}

func (t *reassignTool) generateInput() (brokers []int32, topics []string, err error) {
	r := t.o.Reader()
	path, list := r.String(t.o.topics), r.String(t.o.brokers)
	if r.Err() != nil {
		return nil, nil, r.Err()
	}
	text, err := readInput(path)
	if err != nil {
		return nil, nil, err
	}
	for id := range strings.SplitSeq(list, ",") {
		n, err := strconv.ParseInt(id, 10, 32)
		if err != nil {
			return nil, nil, &exception{class: "java.lang.NumberFormatException", message: `For input string: "` + id + `"`}
		}
		brokers = append(brokers, int32(n))
	}
	if twice := duplicates(brokers); twice != nil {
		return nil, nil, commandFailed("Broker list contains duplicate entries: " + bracketed(twice))
	}
	v, err := parseJSON(text)
	if err != nil {
		return nil, nil, operationFailed("The input string is not a valid JSON")
	}
	file, err := v.versioned()
	if err != nil {
		return nil, nil, err
	}
	named, _, err := file.entries("topics")
	if err != nil {
		return nil, nil, err
	}
	for _, entry := range named {
		topic, err := field(entry, "topic", jsonValue.text)
		if err != nil {
			return nil, nil, err
		}
		topics = append(topics, topic)
	}
	if twice := duplicates(topics); twice != nil {
		return nil, nil, commandFailed("List of topics to reassign contains duplicate entries: " + bracketed(twice))
	}
	return brokers, topics, nil
}

// A usableBroker may get replicas.
type usableBroker struct {
	id       int32
	rack     string // "" for all if racks do not count
	replicas int    // placed so far
	leads    int
}

func (t *reassignTool) usableBrokers(wanted []int32, racks bool) ([]usableBroker, error) {
	all, err := t.describeCluster(false)
	if err != nil {
		return nil, inFuture(err)
	}
	var usable []usableBroker
	rackless := 0
	for _, b := range all.Brokers {
		if !slices.Contains(wanted, b.NodeID) {
			continue
		}
		u := usableBroker{id: b.NodeID}
		if racks && b.Rack != nil {
			u.rack = *b.Rack
		}
		if u.rack == "" {
			rackless++
		}
		usable = append(usable, u)
	}
	if racks && rackless > 0 && rackless < len(usable) {
		return nil, operationFailed("Not all brokers have rack information. Add --disable-rack-aware in command line to make replica assignment without rack information.")
	}
	return usable, nil
}

// place spreads the replicas of a topic: each partition over as many racks as there are, the leaders and the replicas evenly over the
// brokers. Among brokers that are equal it begins with one by chance, so that topics do not all begin at the same.
func place(brokers []usableBroker, partitions, replicas int, random func(int) int) ([][]int32, error) {
	if len(brokers) < replicas {
		message := fmt.Sprintf("The target replication factor of %d cannot be reached because only %d broker(s) are registered or some brokers have all their log directories cordoned.",
			replicas, len(brokers))
		if len(brokers) == 0 {
			message = "All brokers are currently fenced, or have all their log directories cordoned."
		}
		return nil, &exception{class: "org.apache.kafka.common.errors.InvalidReplicationFactorException", message: message}
	}
	brokers = slices.Clone(brokers)
	if len(brokers) > 0 {
		first := random(len(brokers))
		brokers = slices.Concat(brokers[first:], brokers[:first])
	}
	var all [][]int32
	for range partitions {
		var placed []int32
		inRack := map[string]int{}
		for len(placed) < replicas {
			leader := len(placed) == 0
			better := func(a, b *usableBroker) int {
				if leader {
					return cmp.Or(a.leads-b.leads, a.replicas-b.replicas)
				}
				return cmp.Or(inRack[a.rack]-inRack[b.rack], a.replicas-b.replicas)
			}
			var best *usableBroker
			for i := range brokers {
				b := &brokers[i]
				if !slices.Contains(placed, b.id) && (best == nil || better(b, best) < 0) {
					best = b
				}
			}
			if leader {
				best.leads++
			}
			best.replicas++
			inRack[best.rack]++
			placed = append(placed, best.id)
		}
		all = append(all, placed)
	}
	return all, nil
}
