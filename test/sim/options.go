package sim

import (
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Options say what is run.
type Options struct {
	Seed  uint64
	Nodes int
	// Trouble is how long things go wrong, in simulated time.
	Trouble time.Duration
	// Faults are the kinds of faults that may be drawn; nil stands for all.
	Faults []Kind
	// Level is the least of what nodes log that is told; the zero value stands for slog.LevelInfo.
	Level slog.Level
	// Properties are of every broker, in addition to those that all have.
	Properties []string
}

// patience is how long, in simulated time, a healed cluster may take to finish what clients asked of it.
const patience = 3 * time.Minute

func (o Options) kinds() []Kind {
	if o.Faults != nil {
		return o.Faults
	}
	return kindsFor(o.Nodes)
}

// Replication is the replication factor of the topics.
func (o Options) replication() int16 { return int16(min(3, o.Nodes)) }

// minInSync is min.insync.replicas of the topics.
func (o Options) minInSync() string {
	if o.Nodes >= 3 {
		return "2"
	}
	return "1"
}

// metadataDir is where the metadata log is: with each second seed on a disk of its own, so that others can be slow without it.
func (o Options) metadataDir() string {
	if o.Nodes > 1 && o.Seed%2 == 1 {
		return "/meta"
	}
	return dataDir
}

func nodeAddress(id int) string { return fmt.Sprintf("10.0.0.%d", id) }

func nodeName(id int) string { return fmt.Sprintf("n%d", id) }

// properties are those of a node.
func (o Options) properties(id int) []string {
	host := nodeAddress(id)
	all := []string{
		fmt.Sprintf("node.id=%d", id), "http.address=off", "log.dirs=" + dataDir, "metadata.log.dir=" + o.metadataDir(), "auto.create.topics.enable=false",
		"offsets.topic.num.partitions=3", "transaction.state.log.num.partitions=3", "group.initial.rebalance.delay.ms=0",
		fmt.Sprintf("offsets.topic.replication.factor=%d", o.replication()),
		fmt.Sprintf("transaction.state.log.replication.factor=%d", o.replication()),
		"transaction.state.log.min.isr=" + o.minInSync(),
		"log.retention.check.interval.ms=5000", "log.cleaner.backoff.ms=5000", "transaction.abort.timed.out.transaction.cleanup.interval.ms=1000",
	}
	if o.Seed/2%2 == 0 {
		all = append(all, "replica.lag.time.max.ms=1000") // replicas leave in-sync sets, though their brokers live
	}
	if o.Nodes == 1 {
		all = append(all, "listeners=PLAINTEXT://"+host+":9092")
	} else {
		var voters []string
		for v := range o.Nodes {
			voters = append(voters, fmt.Sprintf("%d@%s:9093", v+1, nodeAddress(v+1)))
		}
		all = append(all, "process.roles=broker,controller", "listeners=PLAINTEXT://"+host+":9092,CONTROLLER://"+host+":9093",
			"controller.listener.names=CONTROLLER", "inter.broker.listener.name=PLAINTEXT",
			"controller.quorum.voters="+strings.Join(voters, ","))
	}
	return append(all, o.Properties...)
}
