package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
)

// anyDir lets the broker choose a replica's log directory.
const anyDir = "any"

// A plannedPartition is a line of --reassignment-json-file.
type plannedPartition struct {
	partition kafka.TopicPartition
	replicas  []int32
	dirs      []string // of each replica
}

// replicaOf is a replica on a broker.
type replicaOf struct {
	partition kafka.TopicPartition
	broker    int32
}

func (r replicaOf) String() string { return fmt.Sprintf("%s-%d", r.partition, r.broker) }

func compareReplicas(a, b replicaOf) int {
	if a.broker != b.broker {
		return int(a.broker) - int(b.broker)
	}
	return comparePartitions(a.partition, b.partition)
}

// assignmentFile is the JSON of plans that are printed, in the order of Kafka's.
type assignmentFile struct {
	Version    int                   `json:"version"`
	Partitions []assignmentPartition `json:"partitions"`
}

type assignmentPartition struct {
	Topic     string   `json:"topic"`
	Partition int32    `json:"partition"`
	Replicas  []int32  `json:"replicas"`
	LogDirs   []string `json:"log_dirs"`
}

// parsePlan reads a --reassignment-json-file.
func parsePlan(text []byte) ([]plannedPartition, error) {
	v, err := parseJSON(text)
	if err != nil {
		return nil, err
	}
	file, err := v.versioned()
	if err != nil {
		return nil, err
	}
	entries, _, err := file.entries("partitions")
	if err != nil {
		return nil, err
	}
	var plan []plannedPartition
	for _, entry := range entries {
		p, err := parsePlanned(entry)
		if err != nil {
			return nil, err
		}
		plan = append(plan, p)
	}
	return plan, nil
}

func parsePlanned(entry jsonObject) (p plannedPartition, err error) {
	if p.partition.Topic, err = field(entry, "topic", jsonValue.text); err != nil {
		return p, err
	}
	if p.partition.Partition, err = field(entry, "partition", jsonValue.integer); err != nil {
		return p, err
	}
	if p.replicas, err = field(entry, "replicas", func(v jsonValue) ([]int32, error) { return listOf(v, jsonValue.integer) }); err != nil {
		return p, err
	}
	dirs, found := entry.get("log_dirs")
	if !found {
		p.dirs = slices.Repeat([]string{anyDir}, len(p.replicas))
		return p, nil
	}
	if p.dirs, err = listOf(dirs, jsonValue.text); err != nil {
		return p, err
	}
	if len(p.dirs) != len(p.replicas) {
		return p, commandFailed(fmt.Sprintf("Size of replicas list %s is different from size of log dirs list [%s] for partition %s",
			bracketed(p.replicas), strings.Join(p.dirs, ", "), p.partition))
	}
	return p, nil
}

// bracketed lists items as Java prints a list.
func bracketed[T any](items []T) string {
	var texts []string
	for _, item := range items {
		texts = append(texts, fmt.Sprint(item))
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// parseExecutable is parsePlan for what is going to be done.
func parseExecutable(text []byte) ([]plannedPartition, error) {
	plan, err := parsePlan(text)
	if err != nil {
		return nil, err
	}
	if len(plan) == 0 {
		return nil, commandFailed("Partition reassignment list cannot be empty")
	}
	var partitions []kafka.TopicPartition
	var clumsy []string
	for _, p := range plan {
		if len(p.replicas) == 0 {
			return nil, commandFailed("Partition replica list cannot be empty")
		}
		partitions = append(partitions, p.partition)
		if twice := duplicates(p.replicas); twice != nil {
			clumsy = append(clumsy, p.partition.String()+" contains multiple entries for "+joinIDs(twice))
		}
	}
	if twice := duplicates(partitions); twice != nil {
		return nil, commandFailed("Partition reassignment contains duplicate topic partitions: " + joinPartitions(twice))
	}
	if clumsy != nil {
		return nil, commandFailed("Partition replica lists may not contain duplicate entries: " + strings.Join(clumsy, ". "))
	}
	return plan, nil
}

// duplicates returns what is in a list more than once, each once.
func duplicates[T comparable](list []T) []T {
	var twice []T
	for i, item := range list {
		if slices.Contains(list[:i], item) && !slices.Contains(twice, item) {
			twice = append(twice, item)
		}
	}
	return twice
}

// directories returns where the plan wants replicas, without those whose broker may choose.
func directories(plan []plannedPartition) map[replicaOf]string {
	wanted := map[replicaOf]string{}
	for _, p := range plan {
		for i, broker := range p.replicas {
			if p.dirs[i] != anyDir {
				wanted[replicaOf{p.partition, broker}] = p.dirs[i]
			}
		}
	}
	return wanted
}

// formatPlan writes assignments as a --reassignment-json-file.
func formatPlan(replicas map[kafka.TopicPartition][]int32, dirs map[replicaOf]string) string {
	file := assignmentFile{Version: 1, Partitions: []assignmentPartition{}}
	for _, tp := range sortedPartitions(replicas) {
		p := assignmentPartition{Topic: tp.Topic, Partition: tp.Partition, Replicas: replicas[tp]}
		for _, broker := range p.Replicas {
			dir, found := dirs[replicaOf{tp, broker}]
			if !found {
				dir = anyDir
			}
			p.LogDirs = append(p.LogDirs, dir)
		}
		file.Partitions = append(file.Partitions, p)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(file)
	return strings.TrimSpace(b.String())
}
