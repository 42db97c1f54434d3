package tools

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// protocolHint is what Kafka's console consumer says of the classic protocol.
const protocolHint = "The consumer rebalance protocol (KIP-848) is production-ready! Set group.protocol=consumer to try it out. " +
	"See https://kafka.apache.org/documentation/#consumer_rebalance_protocol"

// runConsoleConsumer is kafka-console-consumer.
func runConsoleConsumer(inv *invocation) int {
	plan, err := inv.parseConsoleConsumerOptions()
	if exit, ok := inv.finish(err); ok && err != nil {
		return exit
	}
	if err != nil {
		inv.trace(`Exception in thread "main" `, err)
		return 1
	}
	c, err := inv.newConsoleConsumer(plan)
	if err != nil {
		inv.log().fail("Unknown error when running consumer: %s", javaString(err))
		return 1
	}
	return c.run()
}

// consoleConsumer is one run of kafka-console-consumer.
type consoleConsumer struct {
	*invocation
	plan     *consumerPlan
	settings consumerSettings
	client   *kgo.Client
	progress *groupProgress // nil without a group
	out      *bufio.Writer
	count    int
	pending  []*kgo.Record // fetched and not printed
}

func (inv *invocation) newConsoleConsumer(plan *consumerPlan) (*consoleConsumer, error) {
	c := &consoleConsumer{invocation: inv, plan: plan, settings: plan.settings.consumer("console-consumer"), out: bufio.NewWriterSize(inv.stdout, 64<<10)}
	opts, err := c.subscription()
	if err != nil {
		return nil, err
	}
	plan.settings.read["allow.auto.create.topics"] = true
	if plan.settings.err != nil {
		return nil, plan.settings.err
	}
	inv.warnUnused(plan.settings)
	var reached atomic.Bool
	opts = append(opts, kgo.WithHooks(&connectHook{log: inv.log(), reached: &reached}))
	if c.client, err = kgo.NewClient(opts...); err != nil {
		return nil, kafkaException("Failed to construct kafka consumer: " + err.Error())
	}
	if c.progress != nil {
		c.progress.client = c.client
	}
	return c, nil
}

// subscription says what the client reads: one partition, or topics as a member of a group.
func (c *consoleConsumer) subscription() ([]kgo.Opt, error) {
	opts := c.settings.opts
	if c.plan.partition >= 0 {
		start := kgo.NewOffset().At(c.plan.start)
		switch c.plan.start {
		case earliestTimestamp:
			start = kgo.NewOffset().AtStart()
		case latestTimestamp:
			start = kgo.NewOffset().AtEnd()
		}
		return append(opts, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{c.plan.topic: {c.plan.partition: start}})), nil
	}
	c.progress = newGroupProgress(c.settings, c.log())
	opts = append(opts, c.settings.groupOpts...)
	opts = append(opts, c.progress.options()...)
	if c.plan.include == "" {
		return append(opts, kgo.ConsumeTopics(c.plan.topic)), nil
	}
	if _, err := wholeMatch(c.plan.include); err != nil {
		return nil, &exception{class: "java.util.regex.PatternSyntaxException", message: err.Error(), cause: err}
	}
	return append(opts, kgo.ConsumeRegex(), kgo.ConsumeTopics(`^(?:`+c.plan.include+`)$`),
		kgo.ConsumeExcludeTopics(`^__consumer_offsets$`, `^__transaction_state$`, `^__share_group_state$`)), nil
}

// run prints records until a limit, a signal or a failure, and returns the exit code.
func (c *consoleConsumer) run() int {
	if c.plan.classicProtocol && c.plan.partition < 0 {
		c.complain(protocolHint)
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE) // a closed stdout is an error of the write, not the end of the process
	defer signal.Stop(signals)
	defer signal.Stop(broken)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := atomic.Int32{}
	go func() {
		select {
		case sig := <-signals:
			ended.Store(128 + int32(sig.(syscall.Signal)))
			cancel()
		case <-ctx.Done():
		}
	}()
	err := c.process(ctx)
	c.out.Flush()
	c.finishGroup()
	c.complain("Processed a total of " + itoa(c.count) + " messages")
	if c.plan.systestEvents {
		c.println("shutdown_complete")
	}
	if err != nil {
		c.log().fail("Unknown error when running consumer: %s", javaString(err))
		return 1
	}
	return int(ended.Load())
}

// process prints records. What the reading of records fails with goes to the log and ends it without an error, as in Kafka.
func (c *consoleConsumer) process(ctx context.Context) error {
	limit, err := c.plan.maxMessages()
	if err != nil {
		return err
	}
	for limit < 0 || c.count < limit {
		r, err := c.receive(ctx)
		if err != nil {
			if ctx.Err() == nil {
				c.log().fail("Error processing message, terminating consumer process: %s", javaString(err))
			}
			return nil
		}
		c.count++
		if c.progress != nil {
			c.progress.consumed(r)
		}
		if err := c.plan.formatter.write(c.out, r); err != nil {
			if !c.plan.skipOnError {
				return err
			}
			c.log().fail("Error processing message, skipping this message: %s", javaString(err))
		}
		if len(c.pending) == 0 {
			c.out.Flush()
		}
		if c.out.Buffered() == 0 {
			if err := c.out.Flush(); err != nil {
				c.complain("Unable to write to standard out, closing consumer.")
				return nil
			}
		}
	}
	return nil
}

// receive returns the next record; a timeout is an error.
func (c *consoleConsumer) receive(ctx context.Context) (*kgo.Record, error) {
	var deadline time.Time
	if c.plan.timeoutMs >= 0 {
		deadline = time.Now().Add(time.Duration(c.plan.timeoutMs) * time.Millisecond)
	}
	for len(c.pending) == 0 {
		if err := c.poll(ctx, deadline); err != nil {
			return nil, err
		}
		if len(c.pending) == 0 && !deadline.IsZero() && !time.Now().Before(deadline) {
			return nil, &exception{class: "org.apache.kafka.common.errors.TimeoutException"}
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	r := c.pending[0]
	c.pending = c.pending[1:]
	return r, nil
}

// poll fetches records until the deadline, or until offsets are due to be committed.
func (c *consoleConsumer) poll(ctx context.Context, deadline time.Time) error {
	pollCtx := ctx
	if c.progress != nil {
		c.client.AllowRebalance()
		if err := c.progress.failure(); err != nil {
			return err
		}
		due := c.progress.commitDue(ctx)
		if !due.IsZero() && (deadline.IsZero() || due.Before(deadline)) {
			deadline = due
		}
	}
	if !deadline.IsZero() {
		var cancel context.CancelFunc
		pollCtx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	fetches := c.client.PollRecords(pollCtx, c.settings.maxPoll)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var failure error
	fetches.EachError(func(_ string, _ int32, err error) {
		if failure == nil && !errors.Is(err, context.DeadlineExceeded) {
			failure = fetchFailure(err)
		}
	})
	c.pending = fetches.Records()
	if len(c.pending) > 0 {
		return nil
	}
	return failure
}

// finishGroup commits what was printed and leaves the group.
func (c *consoleConsumer) finishGroup() {
	if c.progress != nil {
		c.progress.unread(c.pending)
		c.progress.commitAtEnd()
	}
	c.close()
}

// closePatience bounds how long the consumer waits to be let out of its group.
const closePatience = 5 * time.Second

// close leaves the group. A coordinator that cannot write refuses to let the client in and out again, which goes on trying;
// the process ends all the same.
func (c *consoleConsumer) close() {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		c.client.CloseAllowingRebalance()
	}()
	select {
	case <-closed:
	case <-time.After(closePatience):
		c.log().warn("The coordinator did not let this consumer leave its group within %v: it will miss it for its session timeout.", closePatience)
	}
}
