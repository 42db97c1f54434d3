package sim

import (
	"context"
	"log/slog"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/broker"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/test/sim/disk"
	"github.com/ottla/ottla/test/sim/network"
)

func TestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := network.New(1, network.Delay{Base: 200 * time.Microsecond, Jitter: time.Millisecond})
		h := n.Host("n1", "10.0.0.1")
		cl := n.Host("c1", "10.0.1.1")
		d := disk.New(1, 2*time.Millisecond)
		c, _, err := config.Load(config.Sources{Sets: []string{
			"listeners=PLAINTEXT://10.0.0.1:9092", "http.address=off", "log.dirs=/data",
			"offsets.topic.num.partitions=5", "group.initial.rebalance.delay.ms=0",
		}})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		b, err := broker.Start(t.Context(), broker.Options{Config: c, FS: d.Mount(), Listen: h.Listen, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
		if err != nil {
			t.Fatal(err)
		}
		t.Log("started after", time.Since(start))
		k, err := kgo.NewClient(kgo.SeedBrokers("10.0.0.1:9092"), kgo.Dialer(func(ctx context.Context, nw, a string) (net.Conn, error) { return cl.Dial(ctx, nw, a) }))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kadm.NewClient(k).CreateTopic(t.Context(), 3, 1, nil, "t"); err != nil {
			t.Fatal(err)
		}
		start = time.Now()
		for i := range 10 {
			if err := k.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Value: []byte("x")}).FirstErr(); err != nil {
				t.Fatal(err)
			}
			if i < 3 {
				t.Log(time.Since(start))
			}
		}
		k.Close()
		t.Log(b.Stop(t.Context()), time.Since(start))
	})
}
