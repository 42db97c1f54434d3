package config

import (
	"errors"
	"fmt"
	"strings"
)

// Sources say where the broker's configuration comes from. Later ones win: defaults, File, Environ, Sets.
type Sources struct {
	// File is the path of a .properties file; empty for none.
	File string
	// Environ are variables as os.Environ gives them; those of the Docker images count (KAFKA_*, CLUSTER_ID).
	Environ []string
	// Sets are key=value of the command line.
	Sets []string
}

// maxFileBytes bounds a configuration file.
const maxFileBytes = 16 << 20

// Load reads a broker's configuration. Without any source it describes a lone node on localhost. The notices are for
// the start-up output; the error names every setting that cannot be accepted.
func Load(from Sources) (*Broker, []Notice, error) {
	env, err := parseEnvironment(from.Environ)
	if err != nil {
		return nil, nil, fmt.Errorf("config: environment: %w", err)
	}
	properties, err := from.gather(env)
	if err != nil {
		return nil, nil, fmt.Errorf("config: %w", err)
	}
	if err := resolve(properties, from.Environ); err != nil {
		return nil, nil, fmt.Errorf("config: %w", err)
	}
	mirrorNodeID(properties)
	b, errs := newBroker(properties, nil, nil)
	if len(errs) > 0 {
		return nil, nil, fmt.Errorf("config: %w", errors.Join(errs...))
	}
	b.ClusterID = env.clusterID
	if err := b.refuse(); err != nil {
		return nil, nil, fmt.Errorf("config: %w", err)
	}
	if err := b.finish(); err != nil {
		return nil, nil, fmt.Errorf("config: %w", err)
	}
	return b, append(noticesFor(properties, b.values, b.defaults), b.reachNotices()...), nil
}

// gather merges the sources into one map.
func (s Sources) gather(env environment) (map[string]string, error) {
	properties := make(map[string]string)
	if s.File != "" {
		text, err := readBounded(s.File, maxFileBytes)
		if err != nil {
			return nil, err
		}
		fromFile, err := ParseProperties(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.File, err)
		}
		for _, p := range fromFile {
			properties[p.Name] = p.Value
		}
	}
	advertisedByEnvironment := false
	for _, p := range env.properties {
		properties[p.Name] = p.Value
		advertisedByEnvironment = advertisedByEnvironment || p.Name == "advertised.listeners"
	}
	for _, set := range s.Sets {
		name, value, ok := strings.Cut(set, "=")
		if name = trim(name); !ok || name == "" {
			return nil, fmt.Errorf("--set %s: expected key=value", set)
		}
		properties[name] = value
	}
	if advertisedByEnvironment && trim(properties["advertised.listeners"]) != "" && trim(properties["listeners"]) == "" && !controllerOnly(properties) {
		properties["listeners"] = deriveListeners(properties["advertised.listeners"])
	}
	return properties, nil
}

func controllerOnly(properties map[string]string) bool {
	return trim(properties["process.roles"]) == "controller"
}

// mirrorNodeID lets broker.id and node.id stand for each other, as Kafka does.
func mirrorNodeID(properties map[string]string) {
	node, haveNode := properties["node.id"]
	broker, haveBroker := properties["broker.id"]
	switch {
	case haveNode && !haveBroker:
		properties["broker.id"] = node
	case haveBroker && !haveNode:
		properties["node.id"] = broker
	}
}
