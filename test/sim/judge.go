package sim

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/storagecheck"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/test/sim/history"
	"github.com/ottla/ottla/test/torture/ledger"
)

// judgeID is who the judge is in records that it writes itself.
const judgeID = 1000

// judge reads everything back and returns what is wrong. All clients have ended, and all is healed.
func (w *clients) judge(ctx context.Context) (faults []string) {
	client := w.connect()
	defer client.Close()
	admin := kadm.NewClient(client)
	for _, topic := range []string{plain, payments} {
		ends, err := w.fence(ctx, client, topic)
		if err != nil {
			return append(faults, fmt.Sprintf("%s takes no records after all was healed: %v", topic, err))
		}
		promise := ledger.Promise{Once: true, Transactions: topic == payments}
		told := w.book.Snapshot(topic)
		all := ledger.NewReading(topic, ledger.Promise{Once: true, Transactions: topic == payments})
		err = w.readAll(ctx, topic, ends, kgo.ReadCommitted(), func(r *kgo.Record) {
			all.Add(r.Partition, r.Offset, r.Value)
			w.decided.Final(history.Partition{Topic: topic, Partition: r.Partition}, r.Offset, string(r.Value), time.Now())
		})
		if err != nil {
			return append(faults, fmt.Sprintf("%s cannot be read: %v", topic, err))
		}
		if promise.Transactions {
			all.Decide(w.book, told, true)
			faults = append(faults, w.readCarried(ctx, admin, all)...)
		}
		faults = append(faults, all.Faults(told)...)
		err = w.readAll(ctx, topic, ends, kgo.ReadUncommitted(), func(r *kgo.Record) {
			w.reads.Final(history.Partition{Topic: topic, Partition: r.Partition}, r.Offset, string(r.Value), time.Now())
		})
		if err != nil {
			return append(faults, fmt.Sprintf("%s cannot be read: %v", topic, err))
		}
	}
	for err := w.fetchOffsets(ctx, admin); err != nil; err = w.fetchOffsets(ctx, admin) {
		if ctx.Err() != nil {
			return append(faults, fmt.Sprintf("committed offsets cannot be fetched after all was healed: %v", err))
		}
		wait(ctx, 100*time.Millisecond)
	}
	if err := w.readMetadata(ctx); err != nil {
		return append(faults, fmt.Sprintf("metadata cannot be read after all was healed: %v", err))
	}
	if err := w.settle(ctx); err != nil {
		return append(faults, err.Error())
	}
	for _, more := range [][]string{w.reads.Faults(), w.decided.Faults(), w.leaders.Faults(), w.changes.Faults(), w.commits.Faults(), w.votes.Faults()} {
		faults = append(faults, more...)
	}
	return faults
}

// fence writes a record to each partition. All that was written before lies below; a reader of transactions gets to it when all
// before it are decided.
func (w *clients) fence(ctx context.Context, client *kgo.Client, topic string) (map[int32]int64, error) {
	ends := map[int32]int64{}
	for p := range records {
		e := ledger.Entry{Topic: topic, Producer: judgeID, Partition: p}
		r, err := client.ProduceSync(ctx, &kgo.Record{Topic: topic, Partition: int32(p), Value: e.Value()}).First()
		if err != nil {
			return nil, fmt.Errorf("partition %d: %w", p, err)
		}
		ends[int32(p)] = r.Offset + 1
	}
	return ends, nil
}

// readAll reads a topic from the beginning to given ends.
func (w *clients) readAll(ctx context.Context, topic string, ends map[int32]int64, isolation kgo.IsolationLevel, got func(*kgo.Record)) error {
	client := w.connect(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(isolation))
	defer client.Close()
	left := map[int32]bool{}
	for p := range ends {
		left[p] = true
	}
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return fmt.Errorf("%w: partitions %v have not been read to %v; %v", ctx.Err(), left, ends, fetches.Err())
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Offset < ends[r.Partition] {
				got(r)
			}
			if r.Offset >= ends[r.Partition]-1 {
				delete(left, r.Partition)
			}
		})
	}
	return nil
}

// readMetadata asks every node what there is.
func (w *clients) readMetadata(ctx context.Context) error {
	for _, n := range w.cluster.nodes {
		client := w.connect(kgo.SeedBrokers(nodeAddress(n.id) + ":9092"))
		values, err := metadataOf(ctx, client.SeedBrokers()[0])
		for err != nil && ctx.Err() == nil { // it may still be starting
			wait(ctx, 100*time.Millisecond)
			values, err = metadataOf(ctx, client.SeedBrokers()[0])
		}
		if err != nil {
			client.Close()
			return fmt.Errorf("node %d: %w", n.id, err)
		}
		// A node that has just started may be behind; it has to catch up.
		for !w.changes.Fits(values) && ctx.Err() == nil {
			wait(ctx, 200*time.Millisecond)
			if again, err := metadataOf(ctx, client.SeedBrokers()[0]); err == nil {
				values = again
			}
		}
		client.Close()
		w.changes.Found(n.host.Name(), values)
	}
	return nil
}

// settle waits until every node tells that all replicas are in sync.
func (w *clients) settle(ctx context.Context) error {
	for _, n := range w.cluster.nodes {
		client := w.connect(kgo.SeedBrokers(nodeAddress(n.id)+":9092"), kgo.RequestRetries(0))
		for {
			lagging := "it does not answer"
			if answer, err := client.SeedBrokers()[0].Request(ctx, kmsg.NewPtrMetadataRequest()); err == nil {
				lagging = outOfSync(answer.(*kmsg.MetadataResponse))
			}
			if lagging == "" {
				break
			}
			if ctx.Err() != nil {
				client.Close()
				return fmt.Errorf("not all replicas are in sync after all was healed, as node %d tells: %s", n.id, lagging)
			}
			wait(ctx, 100*time.Millisecond)
		}
		client.Close()
	}
	return nil
}

// outOfSync names a partition with replicas that are not in sync; "" if there is none.
func outOfSync(answer *kmsg.MetadataResponse) string {
	for _, t := range answer.Topics {
		for _, p := range t.Partitions {
			if len(p.ISR) < len(p.Replicas) || p.Leader < 0 {
				return fmt.Sprintf("%s-%d: leader %d, in sync %v of %v", *t.Topic, p.Partition, p.Leader, p.ISR, p.Replicas)
			}
		}
	}
	return ""
}

func metadataOf(ctx context.Context, seed *kgo.Broker) (map[string]string, error) {
	answer, err := seed.RetriableRequest(ctx, kmsg.NewPtrMetadataRequest())
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	configs := kmsg.NewPtrDescribeConfigsRequest()
	for _, t := range answer.(*kmsg.MetadataResponse).Topics {
		values["partitions of "+*t.Topic] = strconv.Itoa(len(t.Partitions))
		r := kmsg.NewDescribeConfigsRequestResource()
		r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeTopic, *t.Topic
		configs.Resources = append(configs.Resources, r)
	}
	if answer, err = seed.RetriableRequest(ctx, configs); err != nil {
		return nil, err
	}
	for _, r := range answer.(*kmsg.DescribeConfigsResponse).Resources {
		for _, c := range r.Configs {
			if c.Name == "retention.ms" && c.Value != nil && c.Source == kmsg.ConfigSourceDynamicTopicConfig {
				values["retention.ms of "+r.ResourceName] = *c.Value
			}
		}
	}
	return values, nil
}

// autopsy looks at the disks of a cluster that has stopped.
func (c *Cluster) autopsy(ctx context.Context) (faults []string) {
	disks := map[string]vfs.FS{}
	for _, n := range c.nodes {
		disks[n.host.Name()] = n.disk.Memory()
		for _, dir := range c.directories() {
			report, err := storagecheck.Check(ctx, n.disk.Memory(), dir, storagecheck.Options{Workers: 1})
			if err != nil {
				faults = append(faults, fmt.Sprintf("%s: storage verify %s: %v", n.host.Name(), dir, err))
				continue
			}
			for _, f := range report.Findings {
				if f.Severity > storagecheck.Rebuilt {
					faults = append(faults, fmt.Sprintf("%s: storage verify %s: %v", n.host.Name(), dir, f))
				}
			}
		}
	}
	for _, dir := range c.directories() {
		faults = append(faults, history.CompareReplicas(disks, dir, compacted, func(topic string) bool { return topic == plain || topic == payments })...)
	}
	return faults
}

// directories are the log directories of each node.
func (c *Cluster) directories() []string {
	return slices.Compact([]string{dataDir, c.options.metadataDir()})
}

// compacted: the metadata log is not, and is the same on every node, so that the images at an offset are.
func compacted(topic string) bool {
	return strings.HasPrefix(topic, "__") && topic != "__cluster_metadata"
}
