package statemachine

import (
	"log/slog"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// Options tune an engine; the zero value works.
type Options struct {
	// Name says in logs and errors whose machine this is, such as "__consumer_offsets-7".
	Name string
	// Clock is the source of time; nil means the process's clock.
	Clock Clock
	// MaxBatchBytes bounds the batch of one step (Kafka: max.message.bytes of the internal topic); a step
	// that needs more fails with RECORD_LIST_TOO_LARGE. 0: the log alone decides.
	MaxBatchBytes int
	// Errors turns an error of the log, or of the engine, into what a client is told: CoordinatorError for
	// coordinators. Nil: as it is.
	Errors func(error) error
	// Logger takes what nobody is told otherwise; nil means slog.Default().
	Logger *slog.Logger
}

// phase is how far an engine is in its life; it only grows.
type phase int

const (
	loading phase = iota
	running
	stopped
)

// step is a queued call of the machine.
type step[M Machine] struct {
	op     func(m M, now time.Time) Output
	failed func(error) // nil for the engine's own wake-ups
}

// Engine runs one machine over one log. Its methods may be called from any goroutine.
type Engine[M Machine] struct {
	log     Log
	options Options
	answers answers

	mu struct {
		sync.Mutex
		phase phase
		err   error // why it stopped
		queue []step[M]
		busy  bool // some goroutine owns the machine: it loads, runs steps or says goodbye
	}

	// Owned by whoever set mu.busy.
	machine M
	written int64 // offset after the last appended or loaded record
	alarm   alarm
	builder record.Builder
	spare   []step[M] // an empty queue, to be used again
}

// New returns an engine for a machine that has replayed nothing yet. Until Load has succeeded every step
// fails with COORDINATOR_LOAD_IN_PROGRESS.
func New[M Machine](machine M, log Log, options Options) *Engine[M] {
	options.Clock = options.clock()
	if options.Errors == nil {
		options.Errors = func(err error) error { return err }
	}
	if options.Logger == nil {
		options.Logger = slog.Default()
	}
	e := &Engine[M]{log: log, options: options, machine: machine}
	e.mu.busy = true // Load takes over
	return e
}

// Do runs op as a step: now, on this goroutine, if the machine is free; otherwise on the goroutine that runs
// it, after the steps that are queued. op must not block, and must keep neither m nor its parts. Exactly one
// of these happens: op is called and its Output is taken care of, or failed (if not nil) is called with the
// reason.
func (e *Engine[M]) Do(op func(m M, now time.Time) Output, failed func(err error)) {
	if err := e.enqueue(step[M]{op: op, failed: failed}); err != nil && failed != nil {
		failed(err)
	}
}

// ready returns why steps would not be taken now, or nil.
func (e *Engine[M]) ready() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.readyLocked()
}

func (e *Engine[M]) readyLocked() error {
	switch e.mu.phase {
	case stopped:
		return e.mu.err
	case loading:
		return e.options.Errors(kafka.Errorf(kafka.CoordinatorLoadInProgress,
			"%s is still being loaded from its log; try again", e.options.Name))
	}
	return nil
}

// enqueue queues a step and drains the queue unless somebody else does.
func (e *Engine[M]) enqueue(s step[M]) error {
	e.mu.Lock()
	if err := e.readyLocked(); err != nil {
		e.mu.Unlock()
		return err
	}
	e.mu.queue = append(e.mu.queue, s)
	if e.mu.busy {
		e.mu.Unlock()
		return nil
	}
	e.mu.busy = true
	e.mu.Unlock()
	e.drain()
	return nil
}

// Err returns why the engine has stopped, or nil.
func (e *Engine[M]) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.mu.err
}

// Stop ends the engine: queued steps and uncommitted answers fail with err (which goes to clients as it is),
// and so does every later step. A step that is running ends first, with its answers failing. Stopping twice
// keeps the first reason.
func (e *Engine[M]) Stop(err error) {
	e.mu.Lock()
	if e.mu.phase == stopped {
		e.mu.Unlock()
		return
	}
	loaded := e.mu.phase == running
	e.mu.phase, e.mu.err = stopped, err
	queue := e.mu.queue
	e.mu.queue = nil
	free := !e.mu.busy
	e.mu.busy = true
	e.mu.Unlock()

	if free && loaded {
		e.farewell(err)
	}
	e.answers.fail(err)
	for _, s := range queue {
		if s.failed != nil {
			s.failed(err)
		}
	}
	e.answers.deliver()
}

// farewell is the last thing that happens to a loaded machine. The caller owns the machine and keeps it for
// ever: busy is never reset.
func (e *Engine[M]) farewell(err error) {
	e.alarm.cancel()
	if s, ok := any(e.machine).(Stopper); ok {
		s.Stopped(err)
	}
}
