package conformance

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// streamsTimeouts make a group notice quickly that an application was killed.
var streamsTimeouts = []string{
	"group.streams.min.session.timeout.ms=6000", "group.streams.session.timeout.ms=6000",
	"group.streams.min.heartbeat.interval.ms=1000", "group.streams.heartbeat.interval.ms=1000",
	"group.streams.initial.rebalance.delay.ms=0", "group.streams.num.standby.replicas=1",
}

// A word count with Kafka Streams and exactly_once_v2, in two processes, while the broker and the processes are killed: the
// counts of each word are 1, 2, 3, ... to the number of times that it was written, each once and in order.
func TestStreamsWordCount(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"classic", "streams"} {
		t.Run(protocol, func(t *testing.T) {
			wordCount(t, newTarget(t, streamsTimeouts...), protocol)
		})
	}
}

func wordCount(t *testing.T, tg target, protocol string) {
	in, out := tg.name("lines"), tg.name("counts")
	admin := kadm.NewClient(kafkaClient(t, tg))
	if answer, err := admin.CreateTopics(t.Context(), 3, tg.replicas(), nil, in, out); err != nil || answer.Error() != nil {
		t.Fatal(err, answer.Error())
	}
	app := javaProof(t, "WordCount").on(tg).with("APPLICATION="+tg.name("word-count"), "INPUT="+in, "OUTPUT="+out, "GROUP_PROTOCOL="+protocol)
	var apps []*process
	for _, name := range []string{"first", "second"} {
		apps = append(apps, app.with("CLIENT="+name, "STATE_DIR="+t.TempDir()).start(t, name))
	}
	lines := writeLines(t, tg, in)
	seen := readCommitted(t, tg, out)
	faults{t: t, tg: tg, processes: apps, progress: seen.count, step: 200}.run(5)
	want := lines.end()
	total := 0
	for _, n := range want {
		total += n
	}
	eventually(t, stuckLimit, func() string { return fmt.Sprintf("all counts: %d of %d", seen.count(), total) }, func() bool { return seen.count() >= total })
	for _, a := range apps {
		if a.ends() > 0 {
			t.Errorf("%s has ended by itself", a.name)
		}
		a.stop(30 * time.Second)
	}
	checkCounts(t, "read while the faults happened", seen.data(), want)
	checkCounts(t, "read at the end", wholeTopic(t, tg, out), want)
	t.Logf("%d counts of %d words", total, len(want))
}

// checkCounts compares the counts of every word with 1, 2, 3, ... up to what was written.
func checkCounts(t *testing.T, when string, records map[int32][]*kgo.Record, want map[string]int) {
	t.Helper()
	counted, wrong := map[string]int{}, 0
	for p, partition := range records {
		for _, r := range partition {
			word := string(r.Key)
			counted[word]++
			if n, err := strconv.Atoi(string(r.Value)); err != nil || n != counted[word] {
				if wrong++; wrong <= 10 {
					t.Errorf("%s: %q has the count %s at %d@%d, want %d", when, word, r.Value, p, r.Offset, counted[word])
				}
				counted[word] = n
			}
		}
	}
	for word, n := range want {
		if counted[word] != n {
			t.Errorf("%s: %q was counted %d times, was written %d times", when, word, counted[word], n)
		}
	}
}

// A lineWriter writes lines of random words until end.
type lineWriter struct {
	t      *testing.T
	stop   context.CancelFunc
	ended  sync.WaitGroup
	client *kgo.Client
	mu     struct {
		sync.Mutex
		words map[string]int // in acknowledged lines
	}
}

// writeLines writes 100 lines of four words a second. The producer is idempotent and never gives up: every line is in the
// topic once, whatever happens to the broker.
func writeLines(t *testing.T, tg target, topic string) *lineWriter {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	w := &lineWriter{t: t, stop: stop, client: kafkaClient(t, tg, kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()), kgo.ProducerLinger(0))}
	w.mu.words = map[string]int{}
	w.ended.Go(func() {
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		for ctx.Err() == nil {
			<-ticker.C
			w.write()
		}
	})
	t.Cleanup(func() {
		stop()
		w.ended.Wait()
	})
	return w
}

func (w *lineWriter) write() {
	words := make([]string, 4)
	for i := range words {
		words[i] = fmt.Sprintf("word-%02d", rand.IntN(40))
	}
	w.client.Produce(context.Background(), &kgo.Record{Value: []byte(strings.Join(words, " "))}, func(_ *kgo.Record, err error) {
		if err != nil {
			w.t.Errorf("writing a line: %v", err)
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, word := range words {
			w.mu.words[word]++
		}
	})
}

// end writes no more, and returns how often each word was written.
func (w *lineWriter) end() map[string]int {
	w.t.Helper()
	w.stop()
	w.ended.Wait()
	if err := w.client.Flush(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.words
}
