package broker

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Each node is restarted in turn while a producer writes: no record fails, and none is left under-replicated.
func TestARollingRestartFailsNothing(t *testing.T) {
	c := newNodes(t, 3, "min.insync.replicas=2")
	c.startAll()
	var seeds []string
	for _, n := range c.all {
		seeds = append(seeds, n.Listeners()[0].Address())
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(seeds...), kgo.DefaultProduceTopic("t"), kgo.MetadataMinAge(20*time.Millisecond), kgo.RecordDeliveryTimeout(patience))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := kadm.NewClient(client).CreateTopic(t.Context(), 6, 3, nil, "t"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var written atomic.Int64
	ended := make(chan error, 1)
	go func() {
		longest := time.Duration(0)
		for n := 0; ctx.Err() == nil; n++ {
			began := time.Now()
			if err := client.ProduceSync(t.Context(), kgo.StringRecord(fmt.Sprint(n))).FirstErr(); err != nil {
				ended <- fmt.Errorf("record %d: %w", n, err)
				return
			}
			written.Add(1)
			longest = max(longest, time.Since(began))
		}
		t.Logf("%d records, the longest write took %v", written.Load(), longest)
		ended <- nil
	}()
	for _, n := range c.all {
		before := written.Load()
		untilRight(t, "records are written", func() error {
			if written.Load() == before {
				return fmt.Errorf("%d are", before)
			}
			return nil
		})
		c.stop(n)
		if err := c.start(n); err != nil {
			t.Fatal(err)
		}
		untilRight(t, fmt.Sprintf("nothing is under-replicated after the restart of node %d", n.id), func() error {
			for id, p := range n.store.Current().Topic("t").Partitions {
				if len(p.ISR) != 3 {
					return fmt.Errorf("partition %d: in sync %v", id, p.ISR)
				}
			}
			return nil
		})
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	records := consume(t, c.all[0].Broker, "t", int(written.Load()))
	if n := written.Load(); int64(len(records)) < n {
		t.Errorf("%d records of %d", len(records), n)
	}
}
