package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A franzWorker is a member of a group that tells all that happens to it; ../migration_test.go says in which lines.
type franzWorker struct {
	topic string
	read  map[int32]kgo.EpochOffset // not committed yet
}

func runFranzWorker() error {
	w := &franzWorker{topic: os.Getenv("TOPIC"), read: map[int32]kgo.EpochOffset{}}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	balancer := kgo.CooperativeStickyBalancer()
	if os.Getenv("STRATEGY") == "range" {
		balancer = kgo.RangeBalancer()
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(servers(os.Getenv("BOOTSTRAP"))...), kgo.ConsumerGroup(os.Getenv("GROUP")), kgo.ConsumeTopics(w.topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(), kgo.FetchMaxWait(100 * time.Millisecond), kgo.Balancers(balancer), kgo.MetadataMinAge(50 * time.Millisecond),
		kgo.OnPartitionsAssigned(w.told("assigned")), kgo.OnPartitionsRevoked(w.revoked), kgo.OnPartitionsLost(w.told("lost")),
	}
	if os.Getenv("GROUP_PROTOCOL") == "classic" {
		session := 10 * time.Second
		if ms, err := strconv.Atoi(os.Getenv("SESSION")); err == nil {
			session = time.Duration(ms) * time.Millisecond
		}
		options = append(options, kgo.HeartbeatInterval(500*time.Millisecond), kgo.SessionTimeout(session))
	} else {
		options = append(options, kgo.ServerSideBalancer())
	}
	cl, err := kgo.NewClient(options...)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		if err := w.poll(ctx, cl); err != nil {
			tell("failed", err)
			return err
		}
	}
	cl.CloseAllowingRebalance()
	tell("closed")
	return nil
}

func tell(words ...any) {
	fmt.Println(append([]any{time.Now().UnixNano()}, words...)...)
}

func (w *franzWorker) poll(ctx context.Context, cl *kgo.Client) error {
	polling, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	fetches := cl.PollFetches(polling)
	cancel()
	defer cl.AllowRebalance()
	var failed error
	fetches.EachError(func(_ string, _ int32, err error) {
		_, session := errors.AsType[*kgo.ErrGroupSession](err) // the client joins again by itself
		if !session && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) && !kerr.IsRetriable(err) {
			failed = errors.Join(failed, err)
		}
	})
	fetches.EachRecord(func(r *kgo.Record) {
		tell("read", r.Partition, r.Offset, string(r.Value))
		w.read[r.Partition] = kgo.EpochOffset{Epoch: r.LeaderEpoch, Offset: r.Offset + 1}
	})
	w.commit(cl, w.read)
	return failed
}

func (w *franzWorker) commit(cl *kgo.Client, offsets map[int32]kgo.EpochOffset) {
	if len(offsets) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := commitSync(ctx, cl, map[string]map[int32]kgo.EpochOffset{w.topic: offsets}); err != nil {
		fmt.Fprintln(os.Stderr, "not committed:", err) // in the next round, or by whoever has the partition then
		return
	}
	for p, o := range offsets {
		tell("committed", p, o.Offset)
		delete(w.read, p)
	}
}

func (w *franzWorker) told(what string) func(context.Context, *kgo.Client, map[string][]int32) {
	return func(_ context.Context, cl *kgo.Client, partitions map[string][]int32) {
		_, epoch := cl.GroupMetadata()
		for _, p := range partitions[w.topic] {
			delete(w.read, p)
			tell(what, p, epoch)
		}
	}
}

func (w *franzWorker) revoked(ctx context.Context, cl *kgo.Client, partitions map[string][]int32) {
	rest := map[int32]kgo.EpochOffset{}
	for _, p := range partitions[w.topic] {
		if o, ok := w.read[p]; ok {
			rest[p] = o
		}
	}
	w.commit(cl, rest)
	w.told("revoked")(ctx, cl, partitions)
}
