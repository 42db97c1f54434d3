package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// runFranzWriter is an idempotent producer that tells of every acknowledgement; ../writers_test.go says in which lines.
func runFranzWriter() error {
	topic, producer := os.Getenv("TOPIC"), os.Getenv("PRODUCER")
	partitions, _ := strconv.Atoi(os.Getenv("PARTITIONS"))
	rate, err := strconv.Atoi(os.Getenv("RATE"))
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	cl, err := kgo.NewClient(kgo.SeedBrokers(servers(os.Getenv("BOOTSTRAP"))...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.RequestTimeoutOverhead(10*time.Second))
	if err != nil {
		return err
	}
	ticker := time.NewTicker(time.Second / time.Duration(rate))
	defer ticker.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		r := &kgo.Record{Topic: topic, Partition: int32(n % partitions), Key: []byte(producer), Value: fmt.Appendf(nil, "%s %s %d %d", topic, producer, n%partitions, n/partitions)}
		cl.Produce(context.Background(), r, func(r *kgo.Record, err error) {
			if err != nil {
				tell("failed", err)
				os.Exit(3)
			}
			tell("acknowledged", r.Partition, r.Offset, string(r.Value))
		})
		<-ticker.C
	}
	if err := cl.Flush(context.Background()); err != nil {
		return err
	}
	cl.Close()
	tell("closed")
	return nil
}
