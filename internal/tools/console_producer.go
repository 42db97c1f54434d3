package tools

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/term"

	"github.com/ottla/ottla/internal/tools/options"
)

// runConsoleProducer is kafka-console-producer. It exits with 0 although records were lost, as Kafka's does; the log tells.
func runConsoleProducer(inv *invocation) int {
	o, err := inv.parseConsoleProducerOptions()
	if exit, ok := inv.finish(err); ok && err != nil {
		return exit
	}
	var exit int
	if err == nil {
		exit, err = inv.produceLines(o)
	}
	if e, ok := errors.AsType[*options.Error](err); ok {
		inv.complain(e.Message)
		return 1
	}
	if err != nil {
		inv.trace("", err)
		return 1
	}
	return exit
}

func (inv *invocation) produceLines(o *consoleProducerOptions) (exit int, err error) {
	class, err := o.Value(o.reader)
	if err != nil {
		return 0, err
	}
	if class != lineMessageReader {
		return 0, &exception{class: "java.lang.ClassNotFoundException", message: class}
	}
	properties, err := o.readerProperties()
	if err != nil {
		return 0, err
	}
	reader, err := newLineReader(inv.stdin, properties)
	if err != nil {
		return 0, err
	}
	topic, err := o.Value(o.topic)
	if err != nil {
		return 0, err
	}
	s, err := o.producerSettings()
	if err != nil {
		return 0, err
	}
	if o.Has(o.sync) {
		s.values["linger.ms"] = "0" // nothing can join a batch whose first record is waited for
	}
	out, err := inv.newLineProducer(s, topic, o.Has(o.sync))
	if err != nil {
		return 0, err
	}
	defer out.close()
	return inv.untilSignal(func() error { return inv.copyLines(reader, out) }, out)
}

// untilSignal runs copy and flushes; SIGINT and SIGTERM flush what was read and end the tool as they end Java.
func (inv *invocation) untilSignal(copy func() error, out *lineProducer) (exit int, err error) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	done := make(chan error, 1)
	go func() { done <- copy() }()
	select {
	case err = <-done:
	case sig := <-signals:
		exit = 128 + int(sig.(syscall.Signal))
	}
	out.flush()
	return exit, err
}

func (inv *invocation) copyLines(reader *lineReader, out *lineProducer) error {
	prompt := isTerminal(inv.stdin) && isTerminal(inv.stdout)
	for {
		if prompt {
			fmt.Fprint(inv.stdout, ">")
		}
		record, err := reader.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := out.send(record); err != nil {
			return err
		}
	}
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// A lineProducer sends records to one topic. kgo bounds a batch by a hard limit, Kafka by a target that a single record may
// exceed: so records that are larger than batch.size go through a second client, after what was sent before them.
type lineProducer struct {
	log           logger
	topic         string
	sync          bool
	settings      producerSettings
	small, large  *kgo.Client
	current       atomic.Pointer[kgo.Client]
	metadataKnown bool
}

func (inv *invocation) newLineProducer(s *settings, topic string, sync bool) (*lineProducer, error) {
	p := &lineProducer{log: inv.log(), topic: topic, sync: sync, settings: s.producer("console-producer")}
	if s.err != nil {
		return nil, s.err
	}
	inv.warnUnused(s)
	var reached atomic.Bool
	p.settings.opts = append(p.settings.opts, kgo.DefaultProduceTopic(topic), kgo.WithHooks(&connectHook{log: p.log, reached: &reached}))
	var err error
	if p.small, err = kgo.NewClient(slices.Concat(p.settings.opts, []kgo.Opt{kgo.ProducerBatchMaxBytes(int32(p.settings.batchSize))})...); err != nil {
		return nil, kafkaException("Failed to construct kafka producer: " + err.Error())
	}
	p.current.Store(p.small)
	return p, nil
}

// clientFor returns the client whose batches hold the record.
func (p *lineProducer) clientFor(r *kgo.Record) (*kgo.Client, error) {
	const overhead = 128 // of a batch and a record, with room
	size := len(r.Key) + len(r.Value) + overhead
	for _, h := range r.Headers {
		size += len(h.Key) + len(h.Value) + 10
	}
	if size > p.settings.maxRequestSize && size > p.settings.batchSize {
		return nil, &exception{class: "org.apache.kafka.common.errors.RecordTooLargeException",
			message: fmt.Sprintf("The message is %d bytes when serialized which is larger than %d, which is the value of the max.request.size configuration.",
				size, p.settings.maxRequestSize)}
	}
	wanted := p.small
	if size > p.settings.batchSize {
		if p.large == nil {
			var err error
			limit := int32(max(p.settings.maxRequestSize, p.settings.batchSize))
			if p.large, err = kgo.NewClient(slices.Concat(p.settings.opts, []kgo.Opt{kgo.ProducerBatchMaxBytes(limit)})...); err != nil {
				return nil, kafkaException(err.Error())
			}
		}
		wanted = p.large
	}
	if before := p.current.Load(); before != wanted {
		before.Flush(context.Background())
		p.current.Store(wanted)
	}
	return wanted, nil
}

// send hands a record to the client. Failures go to the log; with --sync they end the tool.
func (p *lineProducer) send(r *kgo.Record) error {
	if err := p.awaitMetadata(); err != nil {
		p.report(r, err)
		if p.sync {
			return inFuture(err)
		}
		return nil
	}
	client, err := p.clientFor(r)
	if err != nil && !p.sync {
		p.report(r, err)
		return nil
	}
	if err != nil {
		return inFuture(err)
	}
	if p.sync {
		if err := client.ProduceSync(context.Background(), r).FirstErr(); err != nil {
			return inFuture(produceFailure(err))
		}
		return nil
	}
	client.Produce(context.Background(), r, func(r *kgo.Record, err error) {
		if err != nil {
			p.report(r, produceFailure(err))
		}
	})
	return nil
}

func (p *lineProducer) report(r *kgo.Record, err error) {
	length := func(b []byte) string {
		if b == nil {
			return "null"
		}
		return fmt.Sprintf("%d bytes", len(b))
	}
	p.log.fail("Error when sending message to topic %s with key: %s, value: %s with error: %s", p.topic, length(r.Key), length(r.Value), javaString(err))
}

func produceFailure(err error) error {
	if e, ok := errors.AsType[*kerr.Error](err); ok {
		return responseError(e.Code, nil)
	}
	return timeoutException(err.Error())
}

// awaitMetadata waits, at most max.block.ms, until the topic is known, which creates it where brokers do that.
func (p *lineProducer) awaitMetadata() error {
	if p.metadataKnown {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), p.settings.maxBlock)
	defer cancel()
	rq := kmsg.NewPtrMetadataRequest()
	rq.AllowAutoTopicCreation = true
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = kmsg.StringPtr(p.topic)
	rq.Topics = append(rq.Topics, t)
	for {
		response, err := rq.RequestWith(ctx, p.small)
		if err == nil && len(response.Topics) == 1 {
			known := kerr.TypedErrorForCode(response.Topics[0].ErrorCode)
			if known == nil {
				p.metadataKnown = true
				return nil
			}
			if !known.Retriable {
				return responseError(known.Code, nil)
			}
		}
		select {
		case <-ctx.Done():
			return timeoutException(fmt.Sprintf("Topic %s not present in metadata after %d ms.", p.topic, p.settings.maxBlock.Milliseconds()))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (p *lineProducer) flush() { p.current.Load().Flush(context.Background()) }

func (p *lineProducer) close() {
	p.small.Close()
	if p.large != nil {
		p.large.Close()
	}
}
