package group

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/wire"
)

// decision is how many partitions the internal topics of a topology are to have: first repartition topics by what flows into
// them, then those that must be partitioned alike, then changelogs.
type decision struct {
	topology *topology
	im       *metadata.Image
	decided  map[string]int
}

func (d *decision) decide() error {
	if err := d.checkSources(); err != nil {
		return err
	}
	if err := d.repartition(); err != nil {
		return err
	}
	if err := d.copartition(); err != nil {
		return err
	}
	for _, s := range d.topology.subtopologies {
		n := d.widest(s)
		for i := range s.StateChangelogTopics {
			d.decided[s.StateChangelogTopics[i].Name] = n
		}
	}
	return nil
}

func (d *decision) checkSources() error {
	var missing []string
	for _, s := range d.topology.subtopologies {
		for _, name := range s.SourceTopics {
			if d.im.Topic(name) == nil {
				missing = append(missing, name)
			}
		}
	}
	if len(missing) > 0 {
		return &topicProblem{statusMissingSourceTopics, "Source topics " + summary(distinctTexts(missing)) + " are missing."}
	}
	return nil
}

// partitions is how many partitions a topic has, or is to have; 0 if that is not decided.
func (d *decision) partitions(name string) int {
	if topic := d.im.Topic(name); topic != nil {
		return len(topic.Partitions)
	}
	return d.decided[name]
}

// widest is how many partitions the source topic of a subtopology has that has the most.
func (d *decision) widest(s *wire.StreamsGroupTopologyValueSubtopology) int {
	n := 0
	for _, name := range s.SourceTopics {
		n = max(n, d.partitions(name))
	}
	for i := range s.RepartitionSourceTopics {
		n = max(n, d.partitions(s.RepartitionSourceTopics[i].Name))
	}
	return n
}

// inflow is how many partitions the sources of a subtopology have at most, as far as is known; 0: nothing is known. What
// exists already of its repartition topics does not count.
func (d *decision) inflow(s *wire.StreamsGroupTopologyValueSubtopology) int {
	n := 0
	for i := range s.RepartitionSourceTopics {
		n = max(n, d.decided[s.RepartitionSourceTopics[i].Name])
	}
	for _, name := range s.SourceTopics {
		n = max(n, d.partitions(name))
	}
	return n
}

// repartition decides about repartition topics that the application does not fix: they get as many partitions as the widest
// source of the first subtopology that writes them (RepartitionTopics). A subtopology is looked at again only when one of its
// sources has been decided, so that long chains take no longer than they are.
func (d *decision) repartition() error {
	readers := map[string][]int{}
	for n, s := range d.topology.subtopologies {
		for i := range s.RepartitionSourceTopics {
			topic := &s.RepartitionSourceTopics[i]
			readers[topic.Name] = append(readers[topic.Name], n)
			if topic.Partitions != 0 {
				d.decided[topic.Name] = int(topic.Partitions)
			}
		}
	}
	open := make([]int, len(d.topology.subtopologies))
	for i := range open {
		open[i] = i
	}
	unresolved := map[int]bool{}
	for len(open) > 0 {
		var next []int
		for _, n := range open {
			s := d.topology.subtopologies[n]
			from := d.inflow(s)
			if from == 0 {
				unresolved[n] = d.undecided(s)
				continue
			}
			delete(unresolved, n)
			for _, sink := range s.RepartitionSinkTopics {
				if _, known := d.decided[sink]; !known {
					d.decided[sink] = from
					next = append(next, readers[sink]...)
				}
			}
		}
		next = slices.DeleteFunc(next, func(n int) bool { return !unresolved[n] })
		slices.Sort(next)
		open = slices.Compact(next)
	}
	for n := range unresolved {
		if d.undecided(d.topology.subtopologies[n]) {
			return errTopology("Failed to compute number of partitions for all repartition topics. There may be loops in the topology that cannot be resolved.")
		}
	}
	for name := range readers {
		if d.decided[name] == 0 {
			return errTopology("Failed to compute number of partitions for all repartition topics, because a repartition source topic is never used as a sink topic.")
		}
	}
	return nil
}

// undecided reports whether a subtopology writes a topic that nothing is decided about.
func (d *decision) undecided(s *wire.StreamsGroupTopologyValueSubtopology) bool {
	return slices.ContainsFunc(s.RepartitionSinkTopics, func(name string) bool { return d.decided[name] == 0 })
}

// copartition sees to it that topics that are joined have equally many partitions (CopartitionedTopicsEnforcer).
func (d *decision) copartition() error {
	fixed, flexible := map[string]bool{}, map[string]bool{}
	for _, s := range d.topology.subtopologies {
		for i := range s.RepartitionSourceTopics {
			if topic := &s.RepartitionSourceTopics[i]; topic.Partitions != 0 {
				fixed[topic.Name] = true
			} else {
				flexible[topic.Name] = true
			}
		}
	}
	for _, s := range d.topology.subtopologies {
		for i := range s.CopartitionGroups {
			external, repartitioned := map[string]int{}, map[string]int{}
			for _, name := range copartitioned(s, &s.CopartitionGroups[i]) {
				if fixed[name] || flexible[name] {
					repartitioned[name] = d.partitions(name)
				} else {
					external[name] = d.partitions(name)
				}
			}
			if err := d.align(external, repartitioned, fixed); err != nil {
				return err
			}
		}
	}
	return nil
}

func copartitioned(s *wire.StreamsGroupTopologyValueSubtopology, g *wire.StreamsGroupTopologyValueCopartitionGroup) []string {
	var names []string
	for _, i := range g.SourceTopics {
		names = append(names, s.SourceTopics[i])
	}
	for _, i := range g.RepartitionSourceTopics {
		names = append(names, s.RepartitionSourceTopics[i].Name)
	}
	return names
}

// align gives the repartition topics of one group as many partitions as its other topics have or, if there are no others, as
// those that are fixed have, or as the widest.
func (d *decision) align(external, repartitioned map[string]int, fixed map[string]bool) error {
	if len(external)+len(repartitioned) == 0 {
		return nil
	}
	n := 0
	switch {
	case len(external) > 0:
		if n = same(external); n < 0 {
			return errNotAlike(external)
		}
	case len(fixed) > 0:
		all := make(map[string]int, len(fixed))
		for name := range fixed {
			all[name] = d.partitions(name)
		}
		if n = same(all); n < 0 {
			return errNotAlike(repartitioned)
		}
	default:
		for _, partitions := range repartitioned {
			n = max(n, partitions)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(repartitioned)) {
		d.decided[name] = n
		if fixed[name] && repartitioned[name] != n {
			return &topicProblem{statusIncorrectlyPartitioned, fmt.Sprintf(
				"Number of partitions [%d] of repartition topic [%s] doesn't match number of partitions [%d] of the source topic.", repartitioned[name], name, n)}
		}
	}
	return nil
}

// same is the number of partitions that all topics have, -1 if they differ.
func same(topics map[string]int) int {
	n := 0
	for _, partitions := range topics {
		if n != 0 && partitions != n {
			return -1
		}
		n = partitions
	}
	return n
}

func errNotAlike(topics map[string]int) error {
	texts := make([]string, 0, len(topics))
	for _, name := range slices.Sorted(maps.Keys(topics)) {
		texts = append(texts, fmt.Sprintf("%s=%d", name, topics[name]))
	}
	return &topicProblem{statusIncorrectlyPartitioned, fmt.Sprintf("Following topics do not have the same number of partitions: [{%s}]", strings.Join(texts, ", "))}
}
