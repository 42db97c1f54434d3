//go:build unix

package golden

import (
	"bufio"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/test/harness"
)

// settle waits until every node of the cluster that runs goes by all the metadata that any of them goes by now: two steps may
// ask different nodes, and the second must not be told what was before the first.
func settle(t *testing.T, c *harness.Cluster) {
	t.Helper()
	var wanted float64
	for _, b := range c.Nodes {
		if b.PID != 0 {
			wanted = max(wanted, applied(t, b))
		}
	}
	deadline := time.Now().Add(pollLimit)
	for _, b := range c.Nodes {
		for b.PID != 0 && applied(t, b) < wanted {
			if time.Now().After(deadline) {
				t.Fatalf("the broker at %s does not come to offset %v of the metadata log within %v", b.Addr, wanted, pollLimit)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// applied is the last record of the metadata log that a broker goes by.
func applied(t *testing.T, b *harness.Broker) float64 {
	t.Helper()
	offset, err := gauge("http://"+b.HTTP+"/metrics", "kafka_server_broker_metadata_metrics_last_applied_record_offset")
	if err != nil {
		t.Fatal(err)
	}
	return offset
}

// gauge reads one number without labels from a page of metrics.
func gauge(page, name string) (float64, error) {
	response, err := http.Get(page)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if value, found := strings.CutPrefix(lines.Text(), name+" "); found {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("%s has no %s: %s", page, name, response.Status)
}
