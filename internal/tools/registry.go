package tools

import (
	"io"
	"slices"
	"strings"
)

// Version is the release of Kafka whose tools these are; --version prints it, because scripts compare.
const Version = "4.3.1"

// A Tool is one of the kafka-* commands.
type Tool struct {
	Name    string // kafka-topics
	Summary string // one line for a list of tools
	run     func(*invocation) int
}

// All returns the tools, sorted by name.
func All() []Tool {
	return []Tool{
		{"kafka-broker-api-versions", "show the APIs and versions that brokers serve", runBrokerAPIVersions},
		{"kafka-cluster", "show the cluster's id and nodes, unregister brokers", runCluster},
		{"kafka-configs", "describe and alter configs of topics, brokers, groups, clients, users, ips", runConfigs},
		{"kafka-console-consumer", "print the records of topics", runConsoleConsumer},
		{"kafka-console-producer", "write lines of stdin to a topic", runConsoleProducer},
		{"kafka-consumer-groups", "list, describe, delete consumer groups and reset their offsets", runConsumerGroups},
		{"kafka-delete-records", "delete the records below offsets", runDeleteRecords},
		{"kafka-dump-log", "print log segments, indexes, snapshots, and check indexes", runDumpLog},
		{"kafka-features", "show, upgrade and downgrade the features of the cluster", runFeatures},
		{"kafka-get-offsets", "print offsets of partitions", runGetOffsets},
		{"kafka-groups", "list groups of every type", runGroups},
		{"kafka-leader-election", "elect preferred or unclean leaders of partitions", runLeaderElection},
		{"kafka-log-dirs", "show the replicas in the log directories of brokers", runLogDirs},
		{"kafka-metadata-quorum", "describe the metadata quorum: who leads, who votes, who is behind", runMetadataQuorum},
		{"kafka-reassign-partitions", "move replicas between brokers and log directories", runReassignPartitions},
		{"kafka-storage", "format the log directories of a node, and say how they are formatted", runStorageTool},
		{"kafka-streams-groups", "list, describe, delete streams groups and reset their offsets", runStreamsGroups},
		{"kafka-topics", "create, delete, describe and change topics", runTopics},
		{"kafka-transactions", "show transactions and producers, find and end transactions that hang", runTransactions},
	}
}

// Names returns the names of all tools, sorted.
func Names() []string {
	var names []string
	for _, t := range All() {
		names = append(names, t.Name)
	}
	return names
}

// Lookup finds a tool by the name of a command: kafka-topics, kafka-topics.sh, or a path that ends so.
func Lookup(name string) (Tool, bool) {
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, ".exe"), ".sh"), ".bat")
	all := All()
	i := slices.IndexFunc(all, func(t Tool) bool { return t.Name == name })
	if i < 0 {
		return Tool{}, false
	}
	return all[i], true
}

// Main runs a tool to its end and returns its exit code; 127 for a name that is no tool. It catches SIGINT and
// SIGTERM while the console consumer or producer runs.
func Main(name string, args []string, stdin io.Reader, stdout, stderr io.Writer) (exit int) {
	t, ok := Lookup(name)
	if !ok {
		io.WriteString(stderr, name+": no such tool; there are "+strings.Join(Names(), ", ")+"\n")
		return 127
	}
	return t.run(&invocation{name: t.Name, args: args, stdin: stdin, stdout: stdout, stderr: stderr})
}
