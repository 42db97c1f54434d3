package conformance

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/test/harness"
)

// `ottla topic durability` says what a running broker does for a topic, and so does DescribeConfigs' documentation.
func TestTopicDurabilityInWords(t *testing.T) {
	t.Parallel()
	tg := newTarget(t, "write.caching.default=true")
	if tg.own == nil {
		t.Skip("the defaults of the running broker are not ours to set")
	}
	client := kafkaClient(t, tg)
	admin := kadm.NewClient(client)
	off, ms := "false", "20"
	for topic, configs := range map[string]map[string]*string{"cached": nil, "synced": {"write.caching": &off, "flush.ms": &ms}} {
		if _, err := admin.CreateTopic(t.Context(), 2, 1, configs, topic); err != nil {
			t.Fatal(err)
		}
	}
	for topic, want := range map[string][]string{
		"cached": {"2 partitions with 1 replica each", "acks=all  when it is in the page cache of its only replica", "within 1 s", "write.caching        true      set in the broker's configuration"},
		"synced": {"acks=all  when it is on stable storage of its only replica", "within 20 ms (flush.ms)", "write.caching        false     set on the topic", "acks=all: nothing."},
	} {
		o := program{argv: []string{harness.Binary(t), "topic", "durability", "--bootstrap-server", tg.addr, topic}}.run(t, 20*time.Second, "")
		for _, text := range want {
			if o.err != nil || !strings.Contains(o.stdout, text) {
				t.Errorf("%s: %v, without %q:\n%s", topic, o.err, text, o.stdout)
			}
		}
	}
	o := program{argv: []string{harness.Binary(t), "topic", "durability", "--bootstrap-server", tg.addr, "nosuch"}}.run(t, 20*time.Second, "")
	if o.err == nil || !strings.Contains(o.stderr, "there is no topic nosuch") {
		t.Errorf("a topic that does not exist: %v, %s", o.err, o.stderr)
	}
	rq := kmsg.NewPtrDescribeConfigsRequest()
	rq.IncludeDocumentation = true
	rq.Resources = []kmsg.DescribeConfigsRequestResource{{ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: "synced"}}
	response, err := rq.RequestWith(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range response.Resources[0].Configs {
		if c.Documentation == nil || *c.Documentation == "" {
			t.Errorf("%s comes without documentation", c.Name)
		} else if c.Name == "write.caching" && !strings.Contains(*c.Documentation, "a power failure takes nothing of it") {
			t.Errorf("write.caching is documented as %q", *c.Documentation)
		}
	}
}
