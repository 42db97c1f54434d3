package broker

import (
	"fmt"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/vfs"
)

// BenchmarkTransactions is what a transaction of three records in three partitions costs, client and broker together, with
// several producers at once.
func BenchmarkTransactions(b *testing.B) {
	for _, producers := range []int{1, 16} {
		b.Run(fmt.Sprintf("producers=%d", producers), func(b *testing.B) {
			broker := start(b, vfs.NewMemory())
			defer stop(b, broker)
			createTopic(b, broker, "t", 3)
			clients := make([]*kgo.Client, producers)
			for i := range clients {
				clients[i] = connect(b, broker, kgo.TransactionalID(fmt.Sprint("id", i)), kgo.DefaultProduceTopic("t"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
				transact(b, clients[i])
			}
			b.ResetTimer()
			var all sync.WaitGroup
			for i, client := range clients {
				all.Go(func() {
					for range b.N/producers + min(1, max(0, b.N%producers-i)) {
						transact(b, client)
					}
				})
			}
			all.Wait()
		})
	}
}

func transact(b *testing.B, client *kgo.Client) {
	if err := client.BeginTransaction(); err != nil {
		b.Error(err)
	}
	for p := range int32(3) {
		client.Produce(b.Context(), &kgo.Record{Partition: p, Value: []byte("x")}, func(_ *kgo.Record, err error) {
			if err != nil {
				b.Error(err)
			}
		})
	}
	if err := client.Flush(b.Context()); err != nil {
		b.Error(err)
	}
	if err := client.EndTransaction(b.Context(), kgo.TryCommit); err != nil {
		b.Error(err)
	}
}
