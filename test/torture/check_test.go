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

// readOn reads a topic from where the reading is to its present end, with a client of its own, and returns what is wrong. The
// offsets of what was acknowledged are taken before.
func readOn(t *testing.T, b *harness.Broker, admin *kadm.Client, topic topic, r *ledger.Reading, book *ledger.Ledger) []string {
	t.Helper()
	told := book.Snapshot(topic.name)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	starts := again(t, func() (kadm.ListedOffsets, error) { return admin.ListStartOffsets(ctx, topic.name) })
	ends := again(t, func() (kadm.ListedOffsets, error) { return admin.ListEndOffsets(ctx, topic.name) })
	from, left := map[int32]kgo.Offset{}, map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		start, _ := starts.Lookup(topic.name, o.Partition)
		if next := r.Next(o.Partition, start.Offset); next < o.Offset {
			from[o.Partition] = kgo.NewOffset().At(next)
			left[o.Partition] = o.Offset
		}
	})
	if len(from) > 0 {
		client := connect(t, b, append(quickRetries(), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic.name: from}), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
		for len(left) > 0 {
			fetches := client.PollFetches(ctx)
			if err := fetches.Err(); err != nil {
				t.Fatalf("%s: after %d records, with %v to come: %v", topic.name, r.Records(), left, err)
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
		client.Close()
	}
	starts = again(t, func() (kadm.ListedOffsets, error) { return admin.ListStartOffsets(ctx, topic.name) })
	starts.Each(func(o kadm.ListedOffset) { r.Trim(o.Partition, o.Offset) })
	return r.Faults(told)
}

// checkCommits compares the groups' offsets with the commits that had been acknowledged before.
func checkCommits(t *testing.T, admin *kadm.Client, book *ledger.Ledger) (faults []string) {
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
