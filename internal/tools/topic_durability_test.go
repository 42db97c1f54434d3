package tools

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

var update = flag.Bool("update", false, "write what tests print into testdata/*.txt")

// durabilityOf builds what a broker tells: partitions of so many replicas, of which so many are in sync, and settings "name=value",
// the others at their defaults.
func durabilityOf(t *testing.T, replicas, inSync, partitions int, settings string) *durability {
	t.Helper()
	d := &durability{topic: "orders", bootstrap: "localhost:9092", settings: map[string]durabilitySetting{
		"write.caching": {"false", kmsg.ConfigSourceDefaultConfig}, "min.insync.replicas": {"1", kmsg.ConfigSourceDynamicDefaultBrokerConfig},
		"flush.messages": {"9223372036854775807", kmsg.ConfigSourceDefaultConfig}, "flush.ms": {"9223372036854775807", kmsg.ConfigSourceStaticBrokerConfig},
	}}
	for _, s := range strings.Fields(settings) {
		name, value, _ := strings.Cut(s, "=")
		d.settings[name] = durabilitySetting{value, kmsg.ConfigSourceDynamicTopicConfig}
		if value == "unknown" {
			delete(d.settings, name)
		}
	}
	for i := range partitions {
		p := describedPartition{index: int32(i), leader: 1}
		for r := range replicas {
			p.replicas = append(p.replicas, int32(r+1))
		}
		p.isr = p.replicas[:inSync]
		d.partitions = append(d.partitions, p)
	}
	if err := d.read(); err != nil {
		t.Fatal(err)
	}
	return d
}

// testdata/durability.txt has the text of each variant below a line that tells the variant. -update
// writes it anew.
func TestDurabilityInWords(t *testing.T) {
	variants := []struct {
		replicas, inSync, partitions int
		settings                     string
	}{
		{1, 1, 3, ""},
		{1, 1, 1, "write.caching=true"},
		{1, 1, 1, "write.caching=true flush.messages=1"},
		{1, 1, 1, "flush.ms=5 flush.messages=500"},
		{1, 1, 1, "write.caching=true flush.ms=0"},
		{1, 1, 2, "min.insync.replicas=2"},
		{3, 3, 1, "min.insync.replicas=2"},
		{3, 1, 2, "min.insync.replicas=2"},
		{3, 3, 1, "write.caching=true"},
		{3, 3, 1, "write.caching=unknown min.insync.replicas=2"},
		{1, 1, 1, "write.caching=unknown flush.messages=1000"},
		{1, 1, 1, "write.caching=unknown flush.ms=1000"},
	}
	var b strings.Builder
	for _, v := range variants {
		b.WriteString(fmt.Sprintf("== replicas=%d in-sync=%d partitions=%d %s\n", v.replicas, v.inSync, v.partitions, v.settings))
		b.WriteString(durabilityOf(t, v.replicas, v.inSync, v.partitions, v.settings).text() + "\n")
	}
	path := filepath.Join("testdata", "durability.txt")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("got\n%s\nwant %s", b.String(), path)
	}
}

func TestDurabilityTellsOfPartitionsWithoutLeader(t *testing.T) {
	d := durabilityOf(t, 2, 2, 3, "")
	d.partitions[1].leader = -1
	if text := d.text(); !strings.Contains(text, "\nNothing is accepted now, for want of a leader, in partition 1.\n") {
		t.Error(text)
	}
}

func TestDurabilityCommandLine(t *testing.T) {
	for _, c := range []struct {
		args, stdout, stderr string
		exit                 int
	}{
		{"", "", "usage:", exitMisuse},
		{"nosuch", "", "usage:", exitMisuse},
		{"help", "usage:", "", 0},
		{"durability --help", "usage:", "", 0},
		{"durability", "", "which topic? one at a time, not 0", exitMisuse},
		{"durability a b", "", "one at a time, not 2", exitMisuse},
		{"durability --nosuch a", "", "nosuch is not a recognized option", exitMisuse},
	} {
		var stdout, stderr strings.Builder
		if exit := Topic(strings.Fields(c.args), &stdout, &stderr); exit != c.exit || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
			t.Errorf("%q: exit %d, %q, %q", c.args, exit, stdout.String(), stderr.String())
		}
	}
}

func TestSettingsThatABrokerDoesNotTell(t *testing.T) {
	d := durabilityOf(t, 1, 1, 1, "")
	delete(d.settings, "flush.ms")
	if err := d.read(); err == nil || err.Error() != "topic orders: the broker does not tell flush.ms" {
		t.Errorf("error is %v", err)
	}
	if d.flushMessages != math.MaxInt64 {
		t.Errorf("flush.messages is %d", d.flushMessages)
	}
}
