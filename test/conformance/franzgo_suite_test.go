package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/test/harness"
)

// kgoLimit is what franz-go's tests may take; about a minute is usual. kgo's own timeout comes first, so that a hang shows
// where it hangs.
const kgoLimit = 8 * time.Minute

var gotestResult = regexp.MustCompile(`(?m)^ *--- (PASS|FAIL|SKIP): (\S+) \(`)

// kgoSkips are the tests that may leave themselves out, as they do with real Kafka 4.3.1 with the same settings.
var kgoSkips = map[string]string{
	"TestSCRAMAuth":                            "needs a broker with SASL",
	"TestSCRAMAuthBadCredentials":              "needs a broker with SASL",
	"TestIssueProduceBrokerTooOldFailsRecords": "for brokers that do not list Produce v2, as Kafka 4 does",
}

// franz-go's own tests of its client, all of them but those of share groups, compiled from the module that go.mod names:
// none fails, and none but kgoSkips leaves itself out. OTTLA_PROOF_RECORDS says how many records the big ones move.
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
	tg := newTarget(t, "num.partitions=4")
	limit, records := kgoLimit, orElse(os.Getenv("OTTLA_PROOF_RECORDS"), "20000")
	if len(records) > len("20000") {
		limit *= 10
	}
	o := program{
		argv: []string{binary, "-test.v", "-test.timeout", (limit - 10*time.Second).String(), "-test.skip", "Share"},
		dir:  strings.TrimSpace(string(source)),
		env:  []string{"KGO_SEEDS=" + tg.addr, "KGO_TEST_RF=" + strconv.Itoa(int(tg.replicas())), "KGO_TEST_RECORDS=" + records, "KGO_TEST_UNSAFE=1", "KGO_LOG_LEVEL=none"},
	}.run(t, limit, "")
	passed := 0
	for _, m := range gotestResult.FindAllStringSubmatch(o.stdout, -1) {
		result, name := m[1], m[2]
		switch {
		case result == "PASS":
			passed++
		case result == "FAIL":
			t.Errorf("%s failed", name)
		case kgoSkips[name] == "" && !strings.Contains(name, "Share"):
			t.Errorf("%s left itself out", name)
		}
	}
	if o.err != nil && !t.Failed() {
		t.Errorf("every test that ended has passed, but the program ended with: %v", o.err)
	}
	t.Logf("%d tests and sub-tests passed", passed)
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
