package sim

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/test/torture/ledger"
)

// write is an idempotent producer with acks=all that gives no record up. Its clock is wrong by up to half an hour.
func (w *clients) write(topic string, id int) {
	random := w.random(uint64(id))
	skew := between(random, -30*time.Minute, 30*time.Minute)
	client := w.connect(kgo.MaxBufferedRecords(200))
	defer client.Close()
	for n := 0; w.ctx.Err() == nil; n++ {
		e := ledger.Entry{Topic: topic, Producer: id, Partition: n % records, Number: n / records}
		record := &kgo.Record{Topic: topic, Partition: int32(e.Partition), Value: e.Value(), Timestamp: time.Now().Add(skew)}
		// The context of a record is not the loop's: what is on its way when the loop ends is finished.
		client.Produce(context.Background(), record, func(r *kgo.Record, err error) {
			if err != nil {
				w.book.Fail(err)
				w.story.note("%v: %v", e, err)
				return
			}
			w.book.Acknowledge(e, r.Offset)
			w.story.note("%v at %d", e, r.Offset)
		})
		if random.IntN(4) == 0 {
			wait(w.ctx, between(random, time.Millisecond, 60*time.Millisecond))
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := client.Flush(ctx); err != nil {
		w.book.Fail(fmt.Errorf("producer %d did not finish: %w", id, err))
	}
}
