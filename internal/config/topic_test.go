package config

import (
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
)

func TestTopicInherits(t *testing.T) {
	f := func(want int64, sets ...string) {
		t.Helper()
		b, _, err := Load(Sources{Sets: sets})
		if err != nil {
			t.Fatal(err)
		}
		if got := b.Topic(nil).Long(TopicRetentionMs); got != want {
			t.Errorf("%v: retention.ms %d, want %d", sets, got, want)
		}
	}
	f(604_800_000)
	f(3_600_000, "log.retention.hours=1")
	f(120_000, "log.retention.hours=1", "log.retention.minutes=2")
	f(5, "log.retention.hours=1", "log.retention.minutes=2", "log.retention.ms=5")
	f(-1, "log.retention.hours=-1")
}

func TestTopicLayers(t *testing.T) {
	b, _, err := Load(Sources{Sets: []string{"message.max.bytes=100"}})
	if err != nil {
		t.Fatal(err)
	}
	f := func(overrides, broker, cluster string, want int, source Source) {
		t.Helper()
		set := func(name, value string) map[string]string {
			if value == "" {
				return nil
			}
			return map[string]string{name: value}
		}
		topic := TopicView(set("max.message.bytes", overrides), set("message.max.bytes", broker), set("message.max.bytes", cluster), b)
		if got := topic.Int(TopicMaxMessageBytes); got != want || topic.Source(TopicMaxMessageBytes) != source {
			t.Errorf("got %d from %s, want %d from %s", got, topic.Source(TopicMaxMessageBytes), want, source)
		}
	}
	f("", "", "", 100, StaticBrokerConfig)
	f("", "", "200", 200, DynamicDefaultConfig)
	f("", "300", "200", 300, DynamicBrokerConfig)
	f("400", "300", "200", 400, TopicConfig)
}

func TestTopicsWithoutSettingsShareOne(t *testing.T) {
	b := zero(t)
	if b.Topic(nil) != b.Topic(map[string]string{}) {
		t.Error("two topics without settings have different configurations")
	}
	tuned := b.Topic(map[string]string{"cleanup.policy": "compact,delete", "no.longer.known": "1", "segment.bytes": "x"})
	if !tuned.Compacted() || !tuned.Deleted() || b.Topic(nil).Compacted() || tuned.Int(TopicSegmentBytes) != 1<<30 {
		t.Error("settings of one topic reach others, or broken ones count")
	}
	if again, notices := b.WithDynamic(nil, nil); again != b || notices != nil {
		t.Error("the same dynamic settings made a new broker")
	}
}

func TestCheckTopic(t *testing.T) {
	b := zero(t)
	if err := b.CheckTopic(map[string]string{"retention.ms": "5", "write.caching": "true"}); err != nil {
		t.Error(err)
	}
	err := b.CheckTopic(map[string]string{"retentoin.ms": "5"})
	if kafka.CodeOf(err) != kafka.InvalidConfig || *kafka.MessageOf(err) != "Unknown topic config name: retentoin.ms" {
		t.Error(err)
	}
	if err := ParseTopic("segment.ms", "0"); err == nil || *kafka.MessageOf(err) != "Invalid value 0 for configuration segment.ms: Value must be at least 1" {
		t.Error(err)
	}
	// The other half of a pair comes from the broker.
	b, _, loadErr := Load(Sources{Sets: []string{"log.cleaner.max.compaction.lag.ms=10"}})
	if loadErr != nil {
		t.Fatal(loadErr)
	}
	if err := b.CheckTopic(map[string]string{"min.compaction.lag.ms": "11"}); err == nil || !strings.Contains(err.Error(), "(11) > max.compaction.lag.ms (10)") {
		t.Error(err)
	}
}

func TestWriteCaching(t *testing.T) {
	b, _, err := Load(Sources{Sets: []string{"write.caching.default=true"}})
	if err != nil {
		t.Fatal(err)
	}
	if !b.Topic(nil).Bool(TopicWriteCaching) || b.Topic(map[string]string{"write.caching": "false"}).Bool(TopicWriteCaching) {
		t.Error("write.caching does not follow its default")
	}
}

func TestGroupBoundsHoldLater(t *testing.T) {
	b, _, err := Load(Sources{Sets: []string{"group.consumer.max.session.timeout.ms=50000"}})
	if err != nil {
		t.Fatal(err)
	}
	g := b.Group(map[string]string{"consumer.session.timeout.ms": "60000", "share.isolation.level": "read_committed"})
	if g.Int(ConsumerSessionTimeoutMs) != 50000 || g.Text(ShareIsolationLevel) != "read_committed" {
		t.Error(g.Int(ConsumerSessionTimeoutMs), g.Text(ShareIsolationLevel))
	}
	if b.Group(nil) != b.Group(map[string]string{}) || b.Group(nil).Source(ConsumerSessionTimeoutMs) != DefaultConfig {
		t.Error("groups without settings differ")
	}
}

func TestStoredDynamicSettings(t *testing.T) {
	b := zero(t)
	next, notices := b.WithDynamic(map[string]string{"num.partitions": "5", "max.connections": "9"}, map[string]string{"listeners": "PLAINTEXT://:1", "log.retention.ms": "x"})
	if next.Int(MaxConnections) != 9 || next.Int(NumPartitions) != 1 || texts(next.Listeners) != "PLAINTEXT://localhost:9092/PLAINTEXT" {
		t.Error("a setting that cannot be applied was applied, or took others with it")
	}
	if len(notices) != 3 || b.Int(MaxConnections) == 9 {
		t.Error(notices)
	}
}

func BenchmarkTopic(b *testing.B) {
	broker, _, err := Load(Sources{})
	if err != nil {
		b.Fatal(err)
	}
	overrides := map[string]string{"retention.ms": "5", "cleanup.policy": "compact"}
	b.ReportAllocs()
	for b.Loop() {
		broker.Topic(overrides)
	}
}
