package conformance

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/test/harness"
)

// kgoLimit is what franz-go's tests may take; about a minute is usual. kgo's own timeout comes first, so that a hang shows
// where it hangs.
const kgoLimit = 4 * time.Minute

var gotestResult = regexp.MustCompile(`(?m)^ *--- (PASS|FAIL|SKIP): (\S+) \(`)

// franz-go's own tests of its client, compiled from the module that go.mod names, against a broker. Those that
// testdata/franzgo_suite.txt lists must pass, as they do on real Kafka 4.3.1. Not in the list: transactions (TestTxnEtl) and
// KIP-848, which come with the groups-and-transactions issue, and share groups. Without the APIs the first wait for their own
// timeouts, so they are not run; sub-tests of the others leave themselves out, and must be listed once they run.
func TestFranzGoSuite(t *testing.T) {
	t.Parallel()
	const kgo = "github.com/twmb/franz-go/pkg/kgo"
	source, err := exec.Command("go", "list", "-f", "{{.Dir}}", kgo).Output()
	if err != nil {
		t.Fatalf("go list %s: %v", kgo, err)
	}
	dir, err := harness.CacheDir("franz-go", absolute(t, "."))
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "kgo.test")
	if err := command(".", "go", "test", "-c", "-o", binary, kgo); err != nil {
		t.Fatal(err)
	}
	expected := strings.Fields(contents(t, "testdata/franzgo_suite.txt"))
	tops := map[string]bool{}
	for _, name := range expected {
		top, _, _ := strings.Cut(name, "/")
		tops[top] = true
	}
	var names []string
	for name := range tops {
		names = append(names, name)
	}
	tg := newTarget(t, "num.partitions=4")
	o := program{
		argv: []string{binary, "-test.v", "-test.timeout", (kgoLimit - 10*time.Second).String(), "-test.run", "^(" + strings.Join(names, "|") + ")$"},
		dir:  strings.TrimSpace(string(source)),
		env:  []string{"KGO_SEEDS=" + tg.addr, "KGO_TEST_RF=1", "KGO_TEST_RECORDS=20000", "KGO_LOG_LEVEL=none"},
	}.run(t, kgoLimit, "")
	results := map[string]string{}
	for _, m := range gotestResult.FindAllStringSubmatch(o.stdout, -1) {
		results[m[2]] = m[1]
	}
	for _, name := range expected {
		if results[name] != "PASS" {
			t.Errorf("%s: %s", name, orElse(results[name], "no result: cut off"))
		}
		delete(results, name)
	}
	for name, result := range results {
		if result == "PASS" && tg.own != nil {
			t.Errorf("%s passes: add it to testdata/franzgo_suite.txt", name)
		}
	}
	if o.err != nil && !t.Failed() {
		t.Errorf("all expected tests passed, but the program ended with: %v", o.err)
	}
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
