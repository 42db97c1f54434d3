package txn

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/statemachine/memlog"
	"github.com/ottla/ottla/internal/statemachine/script"
)

// bench is a coordinator on an engine over a log in memory, with partitions that take markers and a source of producer ids.
type bench struct {
	t        testing.TB
	clock    *script.Clock
	settings Settings
	log      *memlog.Log
	machine  *Coordinator
	engine   *statemachine.Engine[*Coordinator]
	epoch    int32 // of the coordinator

	ids      int64
	idsErr   error
	idsWait  bool
	idsAsked []func(int64, error)

	// markers writes markers; nil: all succeed at once.
	markers func(m Marker, done func([]error))
}

func newBench(t testing.TB) *bench {
	b := &bench{t: t, clock: script.NewClock(), log: memlog.New(), settings: Settings{
		MaxTimeout: 15 * time.Minute, IDExpiration: 7 * 24 * time.Hour, AbortInterval: 10 * time.Second, ExpiryInterval: time.Hour, Version: 2,
	}}
	b.start()
	return b
}

var errStopped = kafka.Errorf(kafka.NotCoordinator, "the coordinator moves")

// start makes a new coordinator that replays the log.
func (b *bench) start() {
	b.machine = New(Options{
		Epoch:         b.epoch,
		Settings:      func() Settings { return b.settings },
		NewProducerID: b.newProducerID,
		Markers: func(m Marker, done func([]error)) {
			if b.markers == nil {
				done(nil)
				return
			}
			b.markers(m, done)
		},
		// As the broker does it: whoever coordinates the partition by now gets the step.
		Again: func(op func(*Coordinator, time.Time) statemachine.Output, failed func(error)) {
			b.engine.Do(op, failed)
		},
		Logger: slog.New(slog.DiscardHandler),
	})
	b.epoch++
	b.engine = statemachine.New(b.machine, b.log, statemachine.Options{
		Name: "__transaction_state-0", Clock: b.clock, Errors: statemachine.CoordinatorError, Logger: slog.New(slog.DiscardHandler),
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
	old.Stop(errStopped)
}

func (b *bench) newProducerID(done func(int64, error)) {
	switch {
	case b.idsWait:
		b.idsAsked = append(b.idsAsked, done)
	case b.idsErr != nil:
		done(noProducerID, b.idsErr)
	default:
		b.ids++
		done(b.ids, nil)
	}
}

// giveIDs serves who waits for a producer id.
func (b *bench) giveIDs() {
	b.idsWait = false
	asked := b.idsAsked
	b.idsAsked = nil
	for _, done := range asked {
		b.newProducerID(done)
	}
}

// do runs a step; refused is told why it was not run.
func (b *bench) do(op func(c *Coordinator, now time.Time) statemachine.Output, refused func(error)) {
	b.engine.Do(op, refused)
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

var errIDs = kafka.Errorf(kafka.CoordinatorLoadInProgress, "a test has it so")

// codeOf is the name of an error's code; errors that no client may see stand out.
func codeOf(err error) string {
	if errors.Is(err, errNeedsProducerID) {
		return "LEAKED"
	}
	return kafka.CodeOf(err).String()
}
