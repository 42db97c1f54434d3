package tools

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/tools/options"
)

// TestOptionsAreKafkas compares names and arguments of all options with the list taken from Kafka's tools.
func TestOptionsAreKafkas(t *testing.T) {
	parsers := map[string]*options.Parser{
		"kafka-configs":          newConfigsOptions().parser,
		"kafka-console-consumer": newConsoleConsumerOptions().parser,
		"kafka-console-producer": newConsoleProducerOptions().parser,
		"kafka-consumer-groups":  newConsumerGroupsOptions().parser,
		"kafka-delete-records":   newDeleteRecordsOptions().parser,
		"kafka-dump-log":         newDumpLogOptions().parser,
		"kafka-get-offsets":      newGetOffsetsOptions().parser,
		"kafka-groups":           newGroupsOptions().parser,
		"kafka-log-dirs":         newLogDirsOptions().parser,
		"kafka-topics":           newTopicsOptions().parser,
	}
	text, err := os.ReadFile("testdata/options.tsv")
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string][]string)
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		columns := strings.Split(line, "\t")
		want[columns[0]] = append(want[columns[0]], columns[2]+" "+columns[3])
	}
	for _, name := range Names() {
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
