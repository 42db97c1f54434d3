package broker

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/vfs"
)

// producer.id.expiration.ms may change while the broker runs.
func TestProducersExpire(t *testing.T) {
	b := start(t, vfs.NewMemory(), "log.initial.task.delay.ms=0", "log.retention.check.interval.ms=5")
	createTopic(t, b, "t", 1)
	client := connect(t, b)
	if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	p, err := b.partitions.Get("t", 0)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(p.Log().Producers()); n != 1 {
		t.Fatalf("%d producers", n)
	}
	value := "1"
	altered, err := kadm.NewClient(client).AlterBrokerConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "producer.id.expiration.ms", Value: &value}})
	if err != nil || altered[0].Err != nil {
		t.Fatal(err, altered)
	}
	eventually(t, "the producer is forgotten", func() bool { return len(p.Log().Producers()) == 0 })
	stop(t, b)
}
