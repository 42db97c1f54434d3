package txn

import (
	"fmt"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// run runs one command:
//
//	set version=1 max-timeout=1m id-expiration=1h 2pc      change settings
//	init ID [timeout=1m expect=ID/EPOCH 2pc keep from=CLIENT]
//	add ID PARTITION... [as=ID/EPOCH v=2 patience=100ms from=CLIENT], verify likewise
//	end ID commit|abort [as=ID/EPOCH v=2 from=CLIENT]
//	why ID [last=]                                         how it is and what is remembered, the last ones
//	describe ID, list [STATE...] [pid= duration= pattern=]
//	given ID STATE [pid= epoch= last= previous= partitions]   writes a record
//	markers hold|go|ok, markers CODE [PARTITION]           what partitions do with markers; go answers those that wait
//	ids hold|go|fail                                       what the source of producer ids does
//	advance DURATION
//	fail-append [CODE], hold, release, fail-commit CODE, restart, stop
//
// The owner of a transactional id remembers the producer id and epoch that it was told last. v=2 is TV2, else the old
// protocol.
func (s *scenario) run(c *command) {
	switch c.Verb {
	case "set":
		s.set(c)
	case "init":
		s.init(c)
	case "add", "verify":
		s.add(c)
	case "end":
		s.end(c)
	case "describe":
		id := c.Operand(0)
		s.do(func(t *Coordinator, _ time.Time) statemachine.Output {
			return t.Describe(id, func(d wire.DescribeTransactionsResponseTransactionState, err error) {
				s.say("%s", printDescribed(d, err, s.start))
			})
		}, s.refused)
	case "list":
		s.list(c)
	case "why":
		s.why(c)
	case "given":
		s.given(c)
	case "markers":
		s.setMarkers(c)
	case "ids":
		s.setIDs(c)
	case "advance":
		s.clock.Advance(must[time.Duration](s.t)(time.ParseDuration(c.Operand(0))))
	case "fail-append":
		var err error
		if len(c.Operands) > 0 {
			err = s.failure(c.Operand(0))
		}
		s.log.FailAppends(err)
	case "hold":
		s.log.Hold()
	case "release":
		s.log.Release()
	case "fail-commit":
		s.log.FailCommits(s.failure(c.Operand(0)))
	case "stop":
		s.engine.Stop(errStopped)
	case "restart":
		s.restart()
	default:
		s.t.Fatalf("no command %q", c.Verb)
	}
}

func (s *scenario) refused(err error) { s.say("not run: %s", codeOf(err)) }

// failure is an error of the given name.
func (s *scenario) failure(name string) error {
	for code := kafka.UnknownServerError; code < 200; code++ {
		if code.String() == name {
			return kafka.Errorf(code, "a test has it so")
		}
	}
	s.t.Fatalf("no error is called %q", name)
	return nil
}

func (s *scenario) set(c *command) {
	s.settings.Version = int16(c.Number("version", int(s.settings.Version)))
	s.settings.MaxTimeout = c.Duration("max-timeout", s.settings.MaxTimeout)
	s.settings.IDExpiration = c.Duration("id-expiration", s.settings.IDExpiration)
	s.settings.TwoPhaseCommit = c.Is("2pc")
}

func (s *scenario) init(c *command) {
	rq := Init{
		TransactionalID: c.Operand(0), Timeout: int32(c.Duration("timeout", time.Minute).Milliseconds()),
		TwoPhaseCommit: c.Is("2pc"), KeepPrepared: c.Is("keep"), Client: clientOf(c),
	}
	if p := producerOf(s.t, c, "expect", NoProducer); p != NoProducer {
		rq.Expected = &p
	}
	if err := s.settings.CheckInit(&rq); err != nil {
		s.say("init: %v", err)
		if rq.TransactionalID != "" {
			s.do(func(t *Coordinator, now time.Time) statemachine.Output { return t.NoteInitRefused(now, &rq, err) }, s.refused)
		}
		return
	}
	s.do(func(t *Coordinator, now time.Time) statemachine.Output {
		return t.InitProducerID(now, rq, func(p statemachine.Producer, err error) {
			if err == nil {
				s.producers[rq.TransactionalID] = p
			}
			s.say("init: %s", printAnswer(p, err))
		})
	}, s.refused)
}

func (s *scenario) add(c *command) {
	rq := &AddPartitions{
		TransactionalID: c.Operand(0), Producer: producerOf(s.t, c, "as", s.producers[c.Operand(0)]), Partitions: partitionsOf(s.t, c, 1),
		VerifyOnly: c.Verb == "verify", Version: int16(c.Number("v", 0)), Patience: c.Duration("patience", 0),
		Client: clientOf(c),
	}
	s.do(func(t *Coordinator, now time.Time) statemachine.Output {
		out := t.AddPartitions(now, rq, func(errs []error) {
			texts := []string{"NONE"}
			if errs != nil {
				texts = nil
			}
			for _, err := range errs {
				texts = append(texts, codeOf(err))
			}
			s.say("%s: %s", c.Verb, strings.Join(texts, " "))
		})
		clear(rq.Partitions) // the request is used again
		return out
	}, s.refused)
}

func (s *scenario) end(c *command) {
	rq := End{
		TransactionalID: c.Operand(0), Producer: producerOf(s.t, c, "as", s.producers[c.Operand(0)]), Commit: c.Is("commit"), Version: int16(c.Number("v", 0)),
		Client: clientOf(c),
	}
	s.do(func(t *Coordinator, now time.Time) statemachine.Output {
		return t.End(now, rq, func(p statemachine.Producer, err error) {
			if err == nil && p != NoProducer {
				s.producers[rq.TransactionalID] = p
			}
			s.say("end: %s", printAnswer(p, err))
		})
	}, s.refused)
}

func (s *scenario) list(c *command) {
	rq := &wire.ListTransactionsRequest{StateFilters: c.Operands, DurationFilter: c.Duration("duration", -time.Millisecond).Milliseconds()}
	rq.TransactionalIDPattern = c.Pointer("pattern")
	if id := c.Number("pid", -1); id >= 0 {
		rq.ProducerIDFilters = []int64{int64(id)}
	}
	filter, unknown, err := NewFilter(rq)
	if err != nil {
		s.say("list: %v", err)
		return
	}
	if unknown != nil {
		s.say("unknown: %q", unknown)
	}
	s.do(func(t *Coordinator, now time.Time) statemachine.Output {
		return t.List(now, &filter, func(listed []wire.ListTransactionsResponseTransactionState, err error) {
			texts := []string{"list: " + codeOf(err)}
			for _, l := range listed {
				texts = append(texts, fmt.Sprintf("%s(%d %s)", l.TransactionalID, l.ProducerID, l.TransactionState))
			}
			s.say("%s", strings.Join(texts, " "))
		})
	}, s.refused)
}

func (s *scenario) given(c *command) {
	state, ok := stateOf(c.Operand(1))
	if !ok {
		s.t.Fatal("no state", c.Operand(1))
	}
	given := status{
		state: state, producerID: int64(c.Number("pid", 100)), previousID: int64(c.Number("previous", noProducerID)), nextID: noProducerID,
		epoch: int16(c.Number("epoch", 0)), lastEpoch: int16(c.Number("last", noProducerEpoch)), timeout: 60_000,
		started: s.clock.Now().UnixMilli(), updated: s.clock.Now().UnixMilli(), version: int16(c.Number("v", 2)),
	}
	given.partitions = given.with(partitionsOf(s.t, c, 2))
	s.producers[c.Operand(0)] = given.producer()
	s.do(func(t *Coordinator, now time.Time) statemachine.Output {
		var out outcome
		t.begin(&out, now)
		t.write(&out, c.Operand(0), given)
		return out.Output
	}, s.refused)
}

func (s *scenario) setMarkers(c *command) {
	switch name := c.Operand(0); name {
	case "hold":
		s.hold = true
	case "ok":
		clear(s.refusals)
	case "go":
		s.hold = false
		held := s.held
		s.held = nil
		for _, answer := range held {
			answer()
		}
	default:
		var tp kafka.TopicPartition
		if len(c.Operands) > 1 {
			tp = partitionsOf(s.t, c, 1)[0]
		}
		s.refusals[tp] = s.failure(name)
	}
}

func (s *scenario) setIDs(c *command) {
	switch c.Operand(0) {
	case "hold":
		s.idsWait = true
	case "go":
		s.idsErr = nil
		s.giveIDs()
	case "fail":
		s.idsErr = errIDs
		s.giveIDs()
	}
}

func (s *scenario) why(c *command) {
	s.do(func(t *Coordinator, now time.Time) statemachine.Output {
		return t.Why(now, c.Operand(0), func(r *Report, err error) {
			if err != nil {
				s.say("%v", err)
				return
			}
			r.Causes = r.Causes[max(0, len(r.Causes)-c.Number("last", len(r.Causes))):]
			s.say("%s", printReport(r, s.start))
		})
	}, s.refused)
}
