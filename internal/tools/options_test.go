package tools

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/tools/argparse"
	"github.com/ottla/ottla/internal/tools/options"
)

// TestOptionsAreKafkas compares names and arguments of all options with the list taken from Kafka's tools.
func TestOptionsAreKafkas(t *testing.T) {
	parsers := map[string]*options.Parser{
		"kafka-broker-api-versions": newBrokerAPIVersionsOptions().parser,
		"kafka-configs":             newConfigsOptions().parser,
		"kafka-console-consumer":    newConsoleConsumerOptions().parser,
		"kafka-console-producer":    newConsoleProducerOptions().parser,
		"kafka-consumer-groups":     newConsumerGroupsOptions().parser,
		"kafka-delete-records":      newDeleteRecordsOptions().parser,
		"kafka-dump-log":            newDumpLogOptions().parser,
		"kafka-get-offsets":         newGetOffsetsOptions().parser,
		"kafka-groups":              newGroupsOptions().parser,
		"kafka-log-dirs":            newLogDirsOptions().parser,
		"kafka-leader-election":     newLeaderElectionOptions().parser,
		"kafka-reassign-partitions": newReassignOptions().parser,
		"kafka-streams-groups":      newStreamsGroupsOptions().parser,
		"kafka-topics":              newTopicsOptions().parser,
	}
	want := make(map[string][]string)
	for _, columns := range readOptions(t) {
		want[columns[0]] = append(want[columns[0]], columns[2]+" "+columns[3])
	}
	for _, name := range Names() {
		if _, ok := argparseTools[name]; ok {
			continue // below, or in golden sessions
		}
		p := parsers[name]
		if p == nil {
			t.Errorf("%s is not in this test", name)
			continue
		}
		var got []string
		for _, o := range p.Options() {
			got = append(got, "--"+o.Name()+" "+o.Argument())
		}
		slices.Sort(got)
		slices.Sort(want[name])
		if !slices.Equal(got, want[name]) {
			t.Errorf("%s has\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want[name], "\n"))
		}
	}
}

// readOptions returns the columns of the list taken from Kafka's tools: tool, command, option, argument, required, deprecated.
func readOptions(t *testing.T) [][]string {
	text, err := os.ReadFile("testdata/options.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		rows = append(rows, strings.Split(line, "\t"))
	}
	return rows
}

// TestCommandsAreKafkas does the same for tools whose commands have options of their own.
func TestCommandsAreKafkas(t *testing.T) {
	for name, p := range map[string]*argparse.Parser{"kafka-cluster": clusterParser(), "kafka-features": featuresParser(), "kafka-storage": storageToolParser()} {
		var got, want []string
		list := func(command string, arguments []argparse.Argument) {
			for _, a := range arguments {
				value := "required"
				if a.Kind == argparse.Flag {
					value = "none"
				}
				for _, known := range []string{a.Name, a.Short} {
					if known != "" {
						got = append(got, command+" "+known+" "+value)
					}
				}
			}
		}
		list("", p.Arguments)
		for _, c := range p.Commands {
			list(c.Name, c.Arguments)
		}
		for _, columns := range readOptions(t) {
			if columns[0] == name && columns[2] != "-h" && columns[2] != "--help" {
				want = append(want, columns[1]+" "+columns[2]+" "+columns[3])
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s has\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// TestTransactionArgumentsAreKafkas does the same for the tool whose commands have options of their own.
func TestTransactionArgumentsAreKafkas(t *testing.T) {
	p := transactionsParser()
	got := map[string]string{"": describeArguments(p.Arguments)}
	for _, c := range p.Commands {
		got[c.Name] = describeArguments(c.Arguments)
	}
	want := map[string]string{ // from the usages of Kafka 4.3.1
		"":                          "--bootstrap-server! --command-config",
		"list":                      "--duration-filter --transactional-id-pattern",
		"describe":                  "--transactional-id!",
		"describe-producers":        "--broker-id --partition! --topic!",
		"abort":                     "--coordinator-epoch --partition! --producer-epoch --producer-id --start-offset --topic!",
		"find-hanging":              "--broker-id --max-transaction-timeout --partition --topic",
		"forceTerminateTransaction": "--transactionalId!",
	}
	for command, arguments := range want {
		if got[command] != arguments || (command != "" && transactionCommands[command] == nil) {
			t.Errorf("%q has %s, want %s", command, got[command], arguments)
		}
	}
	if len(got) != len(want) {
		t.Errorf("commands %v", got)
	}
}

// describeArguments lists arguments by name; ! marks those that must be there.
func describeArguments(arguments []argparse.Argument) string {
	var names []string
	for _, a := range arguments {
		name := a.Name
		if a.Required {
			name += "!"
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}
