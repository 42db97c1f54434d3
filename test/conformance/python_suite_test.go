package conformance

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// The suite is five Python clients through everyday scripts (python/check_*.py). testdata/python_suite.txt lists its cases
// as CLIENT-VERSION/CASE; real Kafka 4.3.1 passes all of them.
func TestPythonSuite(t *testing.T) {
	t.Parallel()
	cases := map[string][]string{} // by client and version
	for line := range strings.Lines(contents(t, "testdata/python_suite.txt")) {
		client, name, _ := strings.Cut(strings.TrimSpace(line), "/")
		cases[client] = append(cases[client], name)
	}
	tg := newTarget(t, "num.partitions=4")
	// One broker serves all clients; each runs in a group of its own that this parent waits for.
	t.Run("clients", func(t *testing.T) {
		for _, c := range pythonClients {
			t.Run(c.requirements, func(t *testing.T) {
				t.Parallel()
				script := python(t, c.requirements, c.suite)
				client := clientVersion(t, c.requirements, slices.Collect(maps.Keys(cases)))
				o := script.on(tg).run(t, 4*time.Minute, "")
				checkCases(t, o.steps(), client, cases[client])
			})
		}
	})
}

// clientVersion finds the name with the full version ("kafka-python-2.3.2") of a requirements file ("kafka-python-2.3").
func clientVersion(t *testing.T, requirements string, clients []string) string {
	t.Helper()
	i := slices.IndexFunc(clients, func(c string) bool { return strings.HasPrefix(c, requirements) })
	if i < 0 {
		t.Fatalf("testdata/python_suite.txt has no cases of %s", requirements)
	}
	return clients[i]
}

func checkCases(t *testing.T, results map[string]string, client string, cases []string) {
	t.Helper()
	for _, name := range cases {
		why, ran := results[client+"/"+name]
		if !ran {
			why = "did not run"
		}
		if why != "" {
			t.Errorf("%s/%s %s", client, name, why)
		}
		delete(results, client+"/"+name)
	}
	for name := range results {
		t.Errorf("%s is not in testdata/python_suite.txt", name)
	}
}
