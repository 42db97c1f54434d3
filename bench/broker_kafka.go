package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ottla/ottla/test/realkafka"
)

// Kafka is Apache Kafka 4.3.1 with the JVM flags and the heap (1 GB) of its own start script and its default settings.
type Kafka struct {
	// Properties are in addition to those that all have.
	Properties []string
	cluster    *realkafka.Cluster
}

// Name returns "kafka".
func (k *Kafka) Name() string { return "kafka" }

// Start formats the directory, which is not part of the start time, and starts a node that is broker and controller.
func (k *Kafka) Start(ctx context.Context, dir string) (Started, error) {
	c, err := realkafka.Start(ctx, dir, 1, slices.Concat(properties, k.Properties)...)
	if err != nil {
		return Started{}, err
	}
	answered := time.Now()
	k.cluster = c
	if err := acknowledgeOne(ctx, c.Addr); err != nil {
		return Started{}, err
	}
	first := c.Nodes[0].Ready
	return Started{FirstAnswer: first, FirstRecord: first + time.Since(answered)}, nil
}

// Again starts the node once more.
func (k *Kafka) Again(ctx context.Context) error { return k.cluster.Nodes[0].Start(ctx) }

// Kill ends the node with SIGKILL.
func (k *Kafka) Kill() { k.cluster.Kill() }

// Stop ends the node.
func (k *Kafka) Stop() error {
	if k.cluster == nil {
		return nil
	}
	if k.PID() > 0 {
		resume(k.PID())
	}
	return k.cluster.Stop()
}

// PID returns the JVM's process id.
func (k *Kafka) PID() int { return k.cluster.Nodes[0].PID }

// Addr returns the listener for clients.
func (k *Kafka) Addr() string { return k.cluster.Addr }

// Size returns the size of the jars, without the Java runtime.
func (k *Kafka) Size() (int64, error) {
	dir, err := realkafka.Jars(context.Background())
	if err != nil {
		return 0, err
	}
	jars, err := filepath.Glob(filepath.Join(dir, "*.jar"))
	if err != nil {
		return 0, err
	}
	var total int64
	for _, jar := range jars {
		info, err := os.Stat(jar)
		if err != nil {
			return 0, err
		}
		total += info.Size()
	}
	return total, nil
}
