package statemachine_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/statemachine/memlog"
)

// register is a machine for tests: keys with values, and keys that expire.
type register struct {
	values  map[string]string
	offsets []int64
	due     time.Time
	wakes   atomic.Int32
	onWake  func(now time.Time) statemachine.Output
	pending map[int64][]string // records of open transactions
	stopped error
}

func newRegister() *register {
	return &register{values: map[string]string{}, pending: map[int64][]string{}}
}

func (m *register) Replay(offset int64, r statemachine.Record) error {
	if string(r.Key) == "poison" {
		return errors.New("poisoned")
	}
	m.offsets = append(m.offsets, offset)
	if r.Value == nil {
		delete(m.values, string(r.Key))
		return nil
	}
	m.values[string(r.Key)] = string(r.Value)
	return nil
}

func (m *register) ReplayTransactional(offset int64, p statemachine.Producer, r statemachine.Record) error {
	m.offsets = append(m.offsets, offset)
	m.pending[p.ID] = append(m.pending[p.ID], string(r.Key)+"="+string(r.Value))
	return nil
}

func (m *register) ReplayMarker(producerID int64, _ int16, commit bool) {
	for _, kv := range m.pending[producerID] {
		if key, value, _ := strings.Cut(kv, "="); commit {
			m.values[key] = value
		}
	}
	delete(m.pending, producerID)
}

func (m *register) NextWake() time.Time { return m.due }

func (m *register) Wake(now time.Time) statemachine.Output {
	m.wakes.Add(1)
	if m.onWake != nil {
		return m.onWake(now)
	}
	m.due = time.Time{}
	return statemachine.Output{}
}

func (m *register) Stopped(err error) { m.stopped = err }

// bench is an engine over a memlog with a journal of what was answered.
type bench struct {
	t       *testing.T
	log     *memlog.Log
	machine *register
	engine  *statemachine.Engine[*register]
	heard   []string
}

func newBench(t *testing.T, options statemachine.Options) *bench {
	t.Helper()
	b := &bench{t: t, log: memlog.New(), machine: newRegister()}
	options.Name = "register-0"
	options.Logger = slog.New(slog.DiscardHandler)
	b.engine = statemachine.New(b.machine, b.log, options)
	if err := b.engine.Load(); err != nil {
		t.Fatal(err)
	}
	return b
}

func record(key, value string) statemachine.Record {
	return statemachine.Record{Key: []byte(key), Value: []byte(value)}
}

// set appends one record and says "name ok" or "name: error" when it is answered.
func (b *bench) set(name, key, value string) {
	b.do(name, func(*register) statemachine.Output {
		return statemachine.Output{Records: []statemachine.Record{record(key, value)}}
	})
}

// get says "name=value" when it is answered.
func (b *bench) get(name, key string) {
	b.engine.Do(func(m *register, _ time.Time) statemachine.Output {
		text := fmt.Sprintf("%s %s=%s", name, key, m.values[key])
		return statemachine.Output{Then: []func(error){func(err error) { b.say(text, err) }}}
	}, func(err error) { b.say(name+" refused", err) })
}

func (b *bench) do(name string, op func(*register) statemachine.Output) {
	b.engine.Do(func(m *register, _ time.Time) statemachine.Output {
		out := op(m)
		out.Then = append(out.Then, func(err error) { b.say(name+" ok", err) })
		return out
	}, func(err error) { b.say(name+" refused", err) })
}

func (b *bench) say(text string, err error) {
	if err != nil {
		text = fmt.Sprintf("%s: %v", strings.TrimSuffix(text, " ok"), err)
	}
	b.heard = append(b.heard, text)
}

// expect checks what was answered since the last call.
func (b *bench) expect(want ...string) {
	b.t.Helper()
	if got := strings.Join(b.heard, "; "); got != strings.Join(want, "; ") {
		b.t.Errorf("answers: %s\nwant:    %s", got, strings.Join(want, "; "))
	}
	b.heard = nil
}
