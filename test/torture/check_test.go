package torture

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/test/harness"
	"github.com/ottla/ottla/test/torture/ledger"
)

// again asks until there is an answer without an error: the connections that a client has may be those to the broker that
// was killed, and partitions and coordinators take a moment to be there.
func again[T interface{ Error() error }](t *testing.T, ask func() (T, error)) T {
	t.Helper()
	for deadline := time.Now().Add(cycleLimit); ; time.Sleep(10 * time.Millisecond) {
		answer, err := ask()
		if err == nil {
			err = answer.Error()
		}
		if err == nil {
			return answer
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// A checker looks at the broker after each restart.
type checker struct {
	t        *testing.T
	seeds    []string
	topics   []topic
	client   *kgo.Client
	admin    *kadm.Client
	book     *ledger.Ledger
	readings map[string]*ledger.Reading
	fences   map[string]int // how many were written, by topic
}

func newChecker(t *testing.T, seeds []string, topics []topic, book *ledger.Ledger) *checker {
	t.Helper()
	c := &checker{t: t, seeds: seeds, topics: topics, book: book, fences: map[string]int{}}
	c.client = connect(t, seeds, append(quickRetries(), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	c.admin = kadm.NewClient(c.client)
	c.forget()
	return c
}

// forget begins all readings anew.
func (c *checker) forget() {
	c.readings = map[string]*ledger.Reading{}
	for _, topic := range c.topics {
		c.readings[topic.name] = ledger.NewReading(topic.name, topic.promise)
	}
}

// all reads on and returns what is wrong. whole is for the end, when nobody writes any more.
func (c *checker) all(rarely, whole bool) []string {
	c.t.Helper()
	faults := checkCommits(c.t, c.admin, c.topics, c.book)
	for _, topic := range c.topics {
		if rarely || !topic.rarely {
			faults = append(faults, c.readOn(topic, whole)...)
		}
	}
	return append(faults, checkCopies(c.t, c.admin, c.topics, c.readings, c.book, whole)...)
}

// readOn reads a topic from where the reading is to its present end, with a client of its own, and returns what is wrong. The
// offsets of what was acknowledged are taken before.
func (c *checker) readOn(topic topic, whole bool) []string {
	t, r := c.t, c.readings[topic.name]
	t.Helper()
	told := c.book.Snapshot(topic.name)
	ctx, cancel := context.WithTimeout(t.Context(), cycleLimit)
	defer cancel()
	starts := again(t, func() (kadm.ListedOffsets, error) { return c.admin.ListStartOffsets(ctx, topic.name) })
	from, left := map[int32]kgo.Offset{}, map[int32]int64{}
	for partition, end := range c.ends(ctx, topic) {
		start, _ := starts.Lookup(topic.name, partition)
		if next := r.Next(partition, start.Offset); next < end {
			from[partition] = kgo.NewOffset().At(next)
			left[partition] = end
		}
	}
	if len(from) > 0 {
		c.read(ctx, topic, from, left)
	}
	starts = again(t, func() (kadm.ListedOffsets, error) { return c.admin.ListStartOffsets(ctx, topic.name) })
	starts.Each(func(o kadm.ListedOffset) { r.Trim(o.Partition, o.Offset) })
	if topic.decided() {
		r.Decide(c.book, told, whole)
	}
	return r.Faults(told)
}

// read reads from one place to another; a record must be right before the end.
func (c *checker) read(ctx context.Context, topic topic, from map[int32]kgo.Offset, left map[int32]int64) {
	c.t.Helper()
	r := c.readings[topic.name]
	opts := append(quickRetries(), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic.name: from}), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if topic.decided() {
		opts = append(opts, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	}
	client := connect(c.t, c.seeds, opts...)
	defer client.Close()
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			c.t.Fatalf("%s: after %d records, with %v to come: %v; last errors: %s", topic.name, r.Records(), left, err, c.book.Failures())
		}
		fetches.EachRecord(func(record *kgo.Record) {
			if end, reading := left[record.Partition]; reading && record.Offset < end {
				r.Add(record.Partition, record.Offset, record.Value)
			}
			if record.Offset >= left[record.Partition]-1 {
				delete(left, record.Partition)
			}
		})
	}
}

// checkerID is who the checker is in records that it writes itself.
const checkerID = 1000

// ends are the offsets up to which a topic is read. What readers of transactions can see does not end at an offset of which the
// broker tells that something is there: so a record is written to each partition, without a transaction, and is read when each
// transaction that began before it has ended.
func (c *checker) ends(ctx context.Context, topic topic) map[int32]int64 {
	c.t.Helper()
	ends := map[int32]int64{}
	if !topic.decided() {
		listed := again(c.t, func() (kadm.ListedOffsets, error) { return c.admin.ListEndOffsets(ctx, topic.name) })
		listed.Each(func(o kadm.ListedOffset) { ends[o.Partition] = o.Offset })
		return ends
	}
	for p := range topic.partitions {
		e := ledger.Entry{Topic: topic.name, Producer: checkerID, Partition: p, Number: c.fences[topic.name]}
		fence, err := c.client.ProduceSync(ctx, &kgo.Record{Topic: topic.name, Partition: int32(p), Value: e.Value()}).First()
		if err != nil {
			c.t.Fatalf("%s-%d: the checker's own record: %v", topic.name, p, err)
		}
		ends[int32(p)] = fence.Offset + 1
	}
	c.fences[topic.name]++
	return ends
}

// checkCommits compares the groups' offsets with the commits that had been acknowledged before.
func checkCommits(t *testing.T, admin *kadm.Client, topics []topic, book *ledger.Ledger) (faults []string) {
	t.Helper()
	for _, topic := range topics {
		if topic.group == "" {
			continue
		}
		least := book.Committed(topic.group)
		committed := again(t, func() (kadm.OffsetResponses, error) { return admin.FetchOffsets(t.Context(), topic.group) })
		for place, offset := range least {
			if o, found := committed.Lookup(place.Topic, place.Partition); !found || o.At < offset {
				faults = append(faults, fmt.Sprintf("group %s, %s-%d: committed offset is %d, %d was acknowledged", topic.group, place.Topic, place.Partition, o.At, offset))
			}
		}
	}
	return faults
}

// verifyDirectory has the offline checker read the directory of the broker, which does not run.
func verifyDirectory(t *testing.T, b *harness.Broker) {
	t.Helper()
	out, err := exec.Command(harness.Binary(t), "storage", "verify", b.Dir).CombinedOutput()
	if err != nil {
		if keep := os.Getenv("OTTLA_TORTURE_KEEP"); keep != "" {
			t.Logf("the directory is copied to %s: %v", keep, os.CopyFS(keep, os.DirFS(b.Dir)))
		}
		t.Fatalf("ottla storage verify: %v\n%s", err, out)
	}
}
