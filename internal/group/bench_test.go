package group

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/statemachine/memlog"
	"github.com/ottla/ottla/internal/statemachine/script"
	"github.com/ottla/ottla/internal/wire"
)

// bench is a coordinator on an engine over a log in memory.
type bench struct {
	t        testing.TB
	clock    *script.Clock
	settings Settings
	log      *memlog.Log
	machine  *Coordinator
	engine   *statemachine.Engine[*Coordinator]
	ids      int
	image    *metadata.Image
	consumer ConsumerSettings
	streams  StreamsSettings
	// background is what the coordinator wants done beside its steps; it is done after each of them.
	background []func()
}

func newBench(t testing.TB) *bench {
	b := &bench{t: t, clock: script.NewClock(), log: memlog.New(), image: metadata.Empty("test"), consumer: ConsumerSettings{
		SessionTimeout: 45 * time.Second, HeartbeatInterval: 5 * time.Second,
	}, streams: StreamsSettings{SessionTimeout: 45 * time.Second, HeartbeatInterval: 5 * time.Second}, settings: Settings{
		StreamsMaxSize:  1 << 30,
		ConsumerMaxSize: 1 << 30, Assignors: []string{"uniform", "range"}, Upgrade: true, Downgrade: true, RegexRefresh: 10 * time.Minute,

		MinSessionTimeout: 6 * time.Second, MaxSessionTimeout: 30 * time.Minute, InitialRebalanceDelay: 3 * time.Second,
		MaxSize: 1 << 30, MaxMetadataBytes: 4096, OffsetsRetention: 7 * 24 * time.Hour, ExpiryInterval: 10 * time.Minute,
	}}
	b.start()
	return b
}

// start makes a new coordinator that replays the log.
func (b *bench) start() {
	machine := New(Options{
		Settings:   func() Settings { return b.settings },
		Consumer:   func(string) ConsumerSettings { return b.consumer },
		Streams:    func(string) StreamsSettings { return b.streams },
		Image:      func() *metadata.Image { return b.image },
		Background: func(f func()) { b.background = append(b.background, f) },
		NewID: func() string {
			b.ids++
			return strconv.Itoa(b.ids)
		},
		// As the broker does it: whoever coordinates the partition by now gets the step.
		Again: func(op func(*Coordinator, time.Time) statemachine.Output) {
			b.engine.Do(op, func(error) {})
		},
		Logger: slog.New(slog.DiscardHandler),
	})
	b.machine = machine
	b.engine = statemachine.New(machine, b.log, statemachine.Options{
		Name: "__consumer_offsets-0", Clock: b.clock, Errors: statemachine.CoordinatorError, Logger: slog.New(slog.DiscardHandler),
	})
	if err := b.engine.Load(); err != nil {
		b.t.Fatal(err)
	}
}

// restart has another coordinator replay the log and then stops the first: what that one still has done by Again meets
// the other, as in a statemachine.Host.
func (b *bench) restart() {
	old := b.engine
	b.start()
	old.Stop(kafka.Errorf(kafka.NotCoordinator, "the coordinator moves"))
}

// do runs a step; refused is told why it was not run.
func (b *bench) do(op func(c *Coordinator, now time.Time) statemachine.Output, refused func(error)) {
	b.engine.Do(op, refused)
	b.work()
}

// work does what is left to do beside the steps.
func (b *bench) work() {
	for len(b.background) > 0 {
		f := b.background[0]
		b.background = b.background[1:]
		f()
	}
}

// advance lets time pass.
func (b *bench) advance(d time.Duration) {
	b.clock.Advance(d)
	b.work()
}

// change changes the cluster's metadata.
func (b *bench) change(records ...wire.Message) {
	delta := b.image.Change()
	for _, r := range records {
		if err := delta.Replay(r); err != nil {
			b.t.Fatal(err)
		}
	}
	b.image = delta.Apply(b.image.Offset()+int64(len(records)), 1)
}

// topicID is the id that a test's topic has.
func topicID(name string) (id kafka.UUID) {
	copy(id[:], "topic "+name)
	return id
}

// createTopic creates a topic, or adds partitions to it. Partition i has its replica on broker i modulo 3.
func (b *bench) createTopic(name string, partitions int) {
	var records []wire.Message
	first := 0
	if topic := b.image.Topic(name); topic != nil {
		first = len(topic.Partitions)
	} else {
		records = append(records, &wire.TopicRecord{Name: name, TopicID: topicID(name)})
	}
	for i := first; i < partitions; i++ {
		broker := []int32{int32(i % 3)}
		records = append(records, &wire.PartitionRecord{PartitionID: int32(i), TopicID: topicID(name), Replicas: broker, Isr: broker, Leader: broker[0]})
	}
	b.change(records...)
}

// deleteTopic deletes a topic.
func (b *bench) deleteTopic(name string) { b.change(&wire.RemoveTopicRecord{TopicID: topicID(name)}) }

// code is the name of an error code.
func code(c int16) string { return kafka.ErrorCode(c).String() }

// partition reads "topic-7".
func partition(t testing.TB, text string) kafka.TopicPartition {
	i := strings.LastIndexByte(text, '-')
	if i < 0 {
		t.Fatalf("%q is no partition", text)
	}
	id, err := strconv.Atoi(text[i+1:])
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return kafka.TopicPartition{Topic: text[:i], Partition: int32(id)}
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// quoted shows bytes.
func quoted(b []byte) string { return fmt.Sprintf("%q", b) }
