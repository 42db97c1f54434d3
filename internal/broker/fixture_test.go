package broker

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/vfs"
)

// options are those of a broker on free ports, with its data in /data of the given disk.
func options(t testing.TB, fsys vfs.FS, sets ...string) Options {
	t.Helper()
	c, _, err := config.Load(config.Sources{Sets: append([]string{
		"listeners=PLAINTEXT://localhost:0", "http.address=localhost:0", "log.dirs=/data",
		"offsets.topic.num.partitions=5", "group.initial.rebalance.delay.ms=0",
	}, sets...)})
	if err != nil {
		t.Fatal(err)
	}
	return Options{Config: c, FS: fsys, Logger: slog.New(slog.NewTextHandler(&testWriter{t: t}, &slog.HandlerOptions{Level: slog.LevelWarn}))}
}

// testWriter logs to the test while that runs.
type testWriter struct {
	t  testing.TB
	mu sync.Mutex
}

func (w *testWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.t.Context().Err() == nil {
		w.t.Log(strings.TrimSpace(string(p)))
	}
	return len(p), nil
}

func start(t testing.TB, fsys vfs.FS, sets ...string) *Broker {
	t.Helper()
	b, err := Start(t.Context(), options(t, fsys, sets...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// patience is how long a test waits for what comes at once on an idle machine.
const patience = 30 * time.Second

// stop stops a broker, which must be clean and need no patience of clients: they wait for a minute and more.
func stop(t testing.TB, b *Broker) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := b.Stop(ctx); err != nil || ctx.Err() != nil {
		t.Error("stop:", err, ctx.Err())
	}
}

func connect(t testing.TB, b *Broker, more ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(b.Listeners()[0].Address()), kgo.RetryTimeout(patience), kgo.RequestRetries(20),
	}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func createTopic(t testing.TB, b *Broker, name string, partitions int32) {
	t.Helper()
	if _, err := kadm.NewClient(connect(t, b)).CreateTopic(t.Context(), partitions, 1, nil, name); err != nil {
		t.Fatal(err)
	}
}

// consume reads n records of a topic from its beginning.
func consume(t testing.TB, b *Broker, topic string, n int) []*kgo.Record {
	t.Helper()
	c := connect(t, b, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var all []*kgo.Record
	for len(all) < n {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("%d of %d records of %s, then %v", len(all), n, topic, err)
		}
		all = append(all, fetches.Records()...)
	}
	return all
}

// get asks the broker's HTTP endpoint.
func get(t testing.TB, b *Broker, path string) (status int, body string) {
	t.Helper()
	response, err := http.Get("http://" + b.HTTPAddress() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(content)
}
