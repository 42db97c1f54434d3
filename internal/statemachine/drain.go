package statemachine

import (
	"fmt"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/producerstate"
	"github.com/ottla/ottla/internal/record"
)

const (
	// roundSteps is how many steps run before their commit is asked for: enough to share it, few enough
	// that the first of a long queue does not wait for the last.
	roundSteps = 64
	// borrowedRounds is how many rounds run on the goroutine of one caller of Do before the rest moves to a
	// goroutine of its own: a connection must not serve all others for ever.
	borrowedRounds = 16
)

// drain runs queued steps until there are none. The caller has set mu.busy and thereby owns the machine.
func (e *Engine[M]) drain() {
	ended := false
	defer func() {
		if !ended { // a step panicked: nobody can say what the machine is worth now
			e.Stop(kafka.Errorf(kafka.UnknownServerError, "%s: a step did not return", e.options.Name))
		}
	}()
	for range borrowedRounds {
		round, more := e.nextRound()
		if !more {
			ended = true
			return
		}
		for _, s := range round {
			e.run(s)
		}
		clear(round)
		e.spare = round[:0]
		e.await()
		e.answers.deliver()
	}
	ended = true
	go e.drain()
}

// nextRound takes the next steps of the queue. When there are none it sets the alarm, gives the machine free
// and returns false; a stopped engine is seen off instead.
func (e *Engine[M]) nextRound() (round []step[M], more bool) {
	e.mu.Lock()
	for e.mu.phase != stopped && len(e.mu.queue) == 0 {
		if e.alarm.checked {
			e.alarm.checked = false
			e.mu.busy = false
			e.mu.Unlock()
			return nil, false
		}
		// NextWake may be slow: ask without the lock, then look whether a step came meanwhile.
		e.mu.Unlock()
		e.setAlarm()
		e.mu.Lock()
	}
	if e.mu.phase == stopped {
		err := e.mu.err
		e.mu.Unlock()
		e.farewell(err)
		return nil, false
	}
	e.alarm.checked = false
	n := min(len(e.mu.queue), roundSteps)
	round = e.mu.queue[:n:n]
	if e.mu.queue = e.mu.queue[n:]; len(e.mu.queue) == 0 {
		e.mu.queue, e.spare = e.spare, nil
	}
	e.mu.Unlock()
	return round, true
}

// run runs one step: decide, append, replay, and leave the answers to the commit.
func (e *Engine[M]) run(s step[M]) {
	if err := e.Err(); err != nil { // stopped by an earlier step of this round
		if s.failed != nil {
			s.failed(err)
		}
		return
	}
	out := s.op(e.machine, e.options.Clock.Now())
	if !out.empty() {
		if err := e.write(&out); err != nil {
			if s.failed == nil && len(out.Then) == 0 {
				e.options.Logger.Error("a wake-up's records could not be appended", "machine", e.options.Name, "error", err)
			}
			e.answers.refuse(out.Then, e.options.Errors(err))
			return
		}
	}
	e.answers.add(e.written, out.Then)
}

// write appends the output's records and replays them. After an error of the append nothing has changed;
// records that are in the log but cannot be replayed stop the engine.
func (e *Engine[M]) write(out *Output) error {
	batch, err := build(&e.builder, out, e.options.Clock.Now())
	if err != nil {
		return err
	}
	if limit := e.options.MaxBatchBytes; limit > 0 && len(batch) > limit {
		return kafka.Errorf(kafka.RecordListTooLarge,
			"a batch of %d bytes with %d records for %s exceeds max.message.bytes = %d",
			len(batch), len(out.Records), e.options.Name, limit)
	}
	next, err := e.append(out, batch)
	if err != nil {
		e.alarm.failed = true
		return err
	}
	e.written = next
	if err := e.replay(out); err != nil {
		e.options.Logger.Error("appended records cannot be replayed", "machine", e.options.Name, "error", err)
		e.Stop(e.options.Errors(kafka.Errorf(kafka.UnknownServerError, "%v", err)))
	}
	return nil
}

// append appends a step's batch as what it is.
func (e *Engine[M]) append(out *Output, batch []byte) (next int64, err error) {
	if out.Marker == nil && out.Producer == nil {
		return e.log.Append(batch)
	}
	log, ok := e.log.(TransactionLog)
	if !ok {
		return 0, kafka.Errorf(kafka.UnknownServerError, "BUG: a step for a transaction on the log of %s, which has none", e.options.Name)
	}
	how := producerstate.Append{Origin: record.Coordinator, Verify: out.Verify, Guard: out.Guard}
	if out.Marker != nil {
		how.TransactionVersion = out.Marker.Version
	}
	return log.AppendTransactional(batch, how)
}

// replay applies the records of a step that has just been appended.
func (e *Engine[M]) replay(out *Output) error {
	if m := out.Marker; m != nil {
		t, ok := any(e.machine).(Transactional)
		if !ok {
			return fmt.Errorf("%s: the machine appended a transaction marker but does not take part in transactions", e.options.Name)
		}
		t.ReplayMarker(m.Producer.ID, m.Producer.Epoch, m.Commit)
		return nil
	}
	base := e.written - int64(len(out.Records))
	for i, r := range out.Records {
		if err := replayOne(e.machine, base+int64(i), out.Producer, r); err != nil {
			return fmt.Errorf("%s: replaying offset %d: %w", e.options.Name, base+int64(i), err)
		}
	}
	return nil
}

// replayOne hands one record to the method of the machine that is meant for it.
func replayOne(m Machine, offset int64, p *Producer, r Record) error {
	if p == nil {
		return m.Replay(offset, r)
	}
	t, ok := m.(Transactional)
	if !ok {
		return fmt.Errorf("a record of producer %d's transaction in a log without transactions", p.ID)
	}
	return t.ReplayTransactional(offset, *p, r)
}

// await asks for the commit of everything written, unless it is asked for already.
func (e *Engine[M]) await() {
	offset := e.written
	if !e.answers.ask(offset) {
		return
	}
	e.log.Await(offset, func(err error) {
		if err == nil {
			e.answers.commit(offset)
			e.answers.deliver()
			return
		}
		e.Stop(e.options.Errors(err))
	})
}

// wake is the step that an alarm brings about.
func wake[M Machine](m M, now time.Time) Output {
	if at := m.NextWake(); at.IsZero() || now.Before(at) {
		return Output{}
	}
	return m.Wake(now)
}
