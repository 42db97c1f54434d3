package conformance

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/ottla/ottla/test/harness"
)

const dumpLimit = 3 * time.Minute

// Kafka's own dump tool reads everything that Ottla has written, finds nothing to complain of, and Ottla's kafka-dump-log prints the
// same of it to the letter.
func TestKafkasDumpToolReadsOttlasFiles(t *testing.T) {
	t.Parallel()
	if os.Getenv("OTTLA_TEST_BOOTSTRAP") != "" {
		t.Skip("the running broker's files are not ours to read")
	}
	dump := javaTool(t, "kafka-dump-log") // before the work: it may skip
	b := harness.Start(t, "offsets.topic.num.partitions=2", "log.index.interval.bytes=500", "transaction.state.log.num.partitions=2", "metadata.log.max.record.bytes.between.snapshots=1500")
	written := writeForDump(t, b)
	b.Stop()
	for _, kind := range dumpKinds() {
		files := kind.files(t, b.Dir)
		if len(files) == 0 {
			if kind.required {
				t.Errorf("%s: Ottla has written no such file", kind.name)
			}
			continue
		}
		for _, option := range kind.options {
			args := []string{"--files", strings.Join(files, ",")}
			if option != "" {
				args = append(args, option)
			}
			theirs := dump.args(args...).run(t, dumpLimit, "")
			ours := program{argv: append([]string{harness.Binary(t), "kafka-dump-log"}, args...)}.run(t, dumpLimit, "")
			if theirs.err != nil || ours.err != nil {
				t.Fatalf("%s %s: Kafka's tool ends with %v, Ottla's with %v", kind.name, option, theirs.err, ours.err)
			}
			checkDump(t, kind.name+" "+option, theirs)
			if theirs.stdout != ours.stdout || theirs.stderr != ours.stderr {
				t.Errorf("%s %s: Ottla's tool prints something else: %s", kind.name, option, firstDifference(theirs.stdout+theirs.stderr, ours.stdout+ours.stderr))
			}
			for _, want := range kind.wanted(written) {
				if option != "--index-sanity-check" && !strings.Contains(theirs.stdout, want) {
					t.Errorf("%s %s: %s is not in it", kind.name, option, want)
				}
			}
		}
	}
}

// A dumpKind is files that are dumped in the same way.
type dumpKind struct {
	name     string
	topics   *regexp.Regexp // of the partition's folder
	suffixes []string
	options  []string
	required bool
	content  []string // what a dump shows
}

// dumpKinds has the topic of share groups, too, which Ottla does not write yet: it is tested as soon as its files are there.
func dumpKinds() []dumpKind {
	logs := []string{".log", ".checkpoint"}
	topic := regexp.MustCompile
	return []dumpKind{
		{"data", topic(`^(plain|appended|deleted)-\d+$`), logs, []string{"--print-data-log"}, true,
			[]string{"compresscodec: none", "compresscodec: gzip", "compresscodec: snappy", "compresscodec: lz4", "compresscodec: zstd", "LogAppendTime: ", "headerKeys: [h1,h2]", "endTxnMarker: COMMIT", "endTxnMarker: ABORT", "isTransactional: true"}},
		{"group offsets", topic(`^__consumer_offsets-\d+$`), logs, []string{"--offsets-decoder"}, true,
			[]string{`"topic":"plain"`, `"type":"2"`, `"ownedPartitions"`, `"assignedPartitions":[{"topic":"plain"`, "payload: <DELETE>", "endTxnMarker: COMMIT", "isTransactional: true"}},
		{"cluster metadata", topic(`^__cluster_metadata-0$`), logs, []string{"--cluster-metadata-decoder"}, true,
			[]string{"TOPIC_RECORD", "PARTITION_RECORD", "CONFIG_RECORD", "PRODUCER_IDS_RECORD", "REGISTER_BROKER_RECORD", "REMOVE_TOPIC_RECORD", "LeaderChange: {",
				"Snapshot end offset: ", "SnapshotHeader {", "SnapshotFooter {"}},
		{"transactions", topic(`^__transaction_state-\d+$`), logs, []string{"--transaction-log-decoder"}, true,
			[]string{`"transactionalId":"old"`, `"transactionalId":"current"`, `"transactionStatus":0`, `"transactionStatus":1,"transactionPartitions":[{"topic":"__consumer_offsets"`,
				`"transactionStatus":2`, `"transactionStatus":3`, `"transactionStatus":4`, `"transactionStatus":5`, `"clientTransactionVersion":2`}},
		{"share groups", topic(`^__share_group_state-\d+$`), logs, []string{"--share-group-state-decoder"}, false, nil},
		{"indexes", topic(`.`), []string{".index", ".timeindex"}, []string{"", "--index-sanity-check", "--verify-index-only"}, true, nil},
		{"producer state", topic(`.`), []string{".snapshot", ".txnindex"}, []string{""}, true, []string{"producerId: ", "lastStableOffset: ", "coordinatorEpoch: 0"}},
	}
}

// wanted is what a dump has to show, with the last value of each topic.
func (k dumpKind) wanted(written []string) []string {
	if k.name != "data" {
		return k.content
	}
	return append(written, k.content...)
}

func (k dumpKind) files(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err == nil && k.topics.MatchString(filepath.Base(filepath.Dir(path))) && slices.Contains(k.suffixes, filepath.Ext(path)) {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

var (
	dumpComplaint = regexp.MustCompile(`(?m)^.*(isvalid: false|invalid bytes at the end|Error at |Unknown record type|controlType: UNKNOWN).*$`)
	// A segment that does not begin at 0 is no fault: the tool counts from there.
	segmentStart = regexp.MustCompile(`^Non-consecutive offsets in .*/0*([1-9]\d*)\.log\n  -1 is followed by (\d+)\n`)
)

// checkDump fails for everything that Kafka's tool finds fault with.
func checkDump(t *testing.T, name string, o outcome) {
	t.Helper()
	for _, line := range dumpComplaint.FindAllString(o.stdout, 5) {
		t.Errorf("%s: %s", name, line)
	}
	rest := o.stderr
	for {
		m := segmentStart.FindStringSubmatch(rest)
		if m == nil || m[1] != m[2] {
			break
		}
		rest = rest[len(m[0]):]
	}
	if rest != "" {
		t.Errorf("%s: Kafka's tool complains:\n%s", name, ending(rest))
	}
}

// firstDifference is the first line in which two texts differ.
func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d\n%s\nwant\n%s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

// writeForDump has a broker write files of every kind, over a clean stop and a crash. It returns values that have to be in them.
func writeForDump(t *testing.T, b *harness.Broker) (values []string) {
	ctx, cancel := context.WithTimeout(t.Context(), dumpLimit)
	defer cancel()
	w := &dumpWriter{t: t, ctx: ctx, addr: b.Addr}
	w.topics()
	for round := range 3 {
		for _, codec := range []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()} {
			w.produce(codec)
		}
		w.consume(fmt.Sprintf("group-%d", round))
		w.transact("current")
		w.transact("old", kgo.MaxVersions(kversion.V3_7_0()))
		switch round {
		case 0:
			b.Stop()
			b.Restart()
		case 1:
			b.Kill9()
			b.Restart()
		}
	}
	w.remove()
	return w.values
}

// A dumpWriter is the clients of one broker.
type dumpWriter struct {
	t      *testing.T
	ctx    context.Context
	addr   string
	values []string
}

func (w *dumpWriter) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *dumpWriter) client(opts ...kgo.Opt) *kgo.Client {
	w.t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(w.addr)}, opts...)...)
	w.must(err)
	w.t.Cleanup(c.Close)
	return c
}

func (w *dumpWriter) topics() {
	admin := kadm.NewClient(w.client())
	segment, append := "1048576", "LogAppendTime"
	for topic, configs := range map[string]map[string]*string{
		"plain": {"segment.bytes": &segment}, "appended": {"message.timestamp.type": &append}, "deleted": {"segment.bytes": &segment}, "removed": nil,
	} {
		_, err := admin.CreateTopic(w.ctx, 1, 1, configs, topic)
		w.must(err)
	}
}

// produce writes some 400 KB to each topic, so that three rounds of it roll segments.
func (w *dumpWriter) produce(codec kgo.CompressionCodec) {
	c := w.client(kgo.ProducerBatchCompression(codec), kgo.ProducerLinger(time.Millisecond), kgo.ProducerBatchMaxBytes(20_000))
	var records []*kgo.Record
	for _, topic := range []string{"plain", "appended", "deleted"} {
		for i := range 40 {
			noise := bytes.Repeat([]byte("-"), 10_000)
			for j := range len(noise) / 2 {
				noise[j] = "0123456789abcdefghijklmnopqrstuvwxyz"[rand.IntN(36)]
			}
			value := fmt.Sprintf("%s %d of %s in %v %x", topic, i, w.t.Name(), codec, rand.Uint64())
			w.values = append(w.values, value)
			r := &kgo.Record{Topic: topic, Key: noise[:i], Value: append([]byte(value), noise...), Headers: []kgo.RecordHeader{{Key: "h1", Value: []byte("x")}, {Key: "h2"}}}
			tombstone := &kgo.Record{Topic: topic, Key: []byte("gone"), Timestamp: time.UnixMilli(1_600_000_000_000 + int64(i))}
			records = append(records, r, tombstone)
		}
	}
	w.must(c.ProduceSync(w.ctx, records...).FirstErr())
}

// consume commits as a member of a classic group.
func (w *dumpWriter) consume(group string) {
	c := w.client(kgo.ConsumerGroup(group), kgo.ConsumeTopics("plain"), kgo.InstanceID("instance"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	fetches := c.PollFetches(w.ctx)
	w.must(fetches.Err())
	w.must(c.CommitUncommittedOffsets(w.ctx))
	c.CloseAllowingRebalance()
}

// transact commits and aborts transactions with records and offsets.
func (w *dumpWriter) transact(id string, opts ...kgo.Opt) {
	opts = append(opts, kgo.SeedBrokers(w.addr), kgo.TransactionalID(id), kgo.ConsumerGroup("copies-"+id), kgo.ConsumeTopics("plain"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxBytes(1000), kgo.FetchMaxPartitionBytes(1000), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	session, err := kgo.NewGroupTransactSession(opts...)
	w.must(err)
	defer session.Close()
	for n := range 4 {
		fetches := session.PollFetches(w.ctx)
		w.must(fetches.Err())
		w.must(session.Begin())
		value := fmt.Sprintf("transaction %d of %s %x", n, id, rand.Uint64())
		w.values = append(w.values, value)
		for _, topic := range []string{"plain", "deleted"} {
			w.must(session.ProduceSync(w.ctx, &kgo.Record{Topic: topic, Value: []byte(value)}).FirstErr())
		}
		committed, err := session.End(w.ctx, kgo.TransactionEndTry(n%2 == 0))
		w.must(err)
		if committed != (n%2 == 0) {
			w.t.Fatalf("transaction %d of %s: committed is %t", n, id, committed)
		}
	}
}

// remove deletes records, a group and a topic.
func (w *dumpWriter) remove() {
	admin := kadm.NewClient(w.client())
	ends, err := admin.ListEndOffsets(w.ctx, "deleted")
	w.must(err)
	end, _ := ends.Lookup("deleted", 0)
	offsets := make(kadm.Offsets)
	offsets.AddOffset("deleted", 0, end.Offset/2, -1)
	_, err = admin.DeleteRecords(w.ctx, offsets)
	w.must(err)
	leave, err := admin.LeaveGroup(w.ctx, kadm.LeaveGroup("group-0").InstanceIDs("instance"))
	w.must(err)
	w.must(leave.Error())
	deleted, err := admin.DeleteGroup(w.ctx, "group-0")
	w.must(err)
	w.must(deleted.Err)
	_, err = admin.DeleteTopics(w.ctx, "removed")
	w.must(err)
}
