package txn

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
)

// TestRandomSchedules lets producers that go on, die and come back as zombies write to partitions through coordinators
// that move, on a log that is slow, refuses and fails, with markers that come late or not at all. What must hold: the
// records of a transaction have one fate in all partitions, which is the one that its producer was told.
func TestRandomSchedules(t *testing.T) {
	seeds, steps := 200, 500
	if testing.Short() {
		seeds = 25
	}
	for seed := range seeds {
		first := runModel(t, uint64(seed), steps)
		if t.Failed() {
			t.Fatalf("seed %d; the last lines are\n%s", seed, tail(first, 60))
		}
		if seed%10 == 0 && !slices.Equal(first, runModel(t, uint64(seed), steps)) {
			t.Fatalf("seed %d: two runs differ", seed)
		}
	}
}

func tail(lines []string, n int) string {
	text := ""
	for _, l := range lines[max(0, len(lines)-n):] {
		text += l + "\n"
	}
	return text
}

// model is what a test knows about a run.
type model struct {
	*bench
	rand       *rand.Rand
	clients    []*client
	partitions map[kafka.TopicPartition]*partition
	held       []func() // answers of markers on their way
	asked      int
	answered   int
	journal    []string
	given      map[statemachine.Producer]string // who was told an id and epoch
}

func (m *model) note(format string, args ...any) {
	m.journal = append(m.journal, fmt.Sprintf(format, args...))
}

func (m *model) bad(format string, args ...any) {
	m.note("BAD "+format, args...)
	m.t.Errorf(format, args...)
}

func runModel(t *testing.T, seed uint64, steps int) []string {
	m := &model{
		bench: newBench(t), rand: rand.New(rand.NewPCG(seed, 9)), partitions: map[kafka.TopicPartition]*partition{},
		given: map[statemachine.Producer]string{},
	}
	m.settings.Version = []int16{2, 2, 0}[m.rand.IntN(3)]
	m.settings.IDExpiration = []time.Duration{7 * 24 * time.Hour, 20 * time.Minute}[m.rand.IntN(2)]
	m.settings.ExpiryInterval = 10 * time.Minute
	m.markers = m.deliver
	for i := range int32(4) {
		m.partitions[kafka.TopicPartition{Topic: "t", Partition: i}] = newPartition()
	}
	for i := range 4 {
		m.clients = append(m.clients, &client{name: fmt.Sprint("c", i)})
		m.reborn(m.clients[i])
	}
	if m.rand.IntN(3) == 0 {
		m.nearTheEnd()
	}
	for range steps {
		m.step()
	}
	m.settle()
	return m.journal
}

// nearTheEnd has the producers' epochs run out soon.
func (m *model) nearTheEnd() {
	for i, id := range []string{"x", "y"} {
		s := status{producerID: int64(1000 + i), previousID: noProducerID, nextID: noProducerID, lastEpoch: noProducerEpoch,
			epoch: int16(lastUsableEpoch - m.rand.IntN(4)), timeout: 60_000, started: noTimestamp, updated: m.clock.Now().UnixMilli()}
		m.do(func(t *Coordinator, now time.Time) statemachine.Output {
			var out outcome
			t.begin(&out, now)
			t.write(&out, id, s)
			return out.Output
		}, nil)
	}
}

func (m *model) step() {
	c := m.clients[m.rand.IntN(len(m.clients))]
	switch n := m.rand.IntN(100); {
	case n < 65:
		if !c.waits {
			m.act(c)
		}
	case n < 68:
		m.reborn(c)
	case n < 80:
		m.clock.Advance(time.Duration(m.rand.IntN(3000)) * time.Millisecond)
	case n < 81:
		m.clock.Advance(time.Duration(m.rand.IntN(15)) * time.Minute)
	case n < 90:
		m.someMarkers()
	case n < 94:
		m.heal()
	default:
		m.trouble()
	}
	m.check()
}

// trouble is what happens to the log and to the coordinator.
func (m *model) trouble() {
	switch m.rand.IntN(5) {
	case 0:
		m.note("appends fail")
		m.log.FailAppends(kafka.Errorf(kafka.NotEnoughReplicas, "a test has it so"))
	case 1:
		m.note("commits wait")
		m.log.Hold()
	case 2:
		m.note("producer ids wait")
		m.idsWait = true
	case 3:
		m.note("producer ids fail")
		m.idsErr = errIDs
	case 4:
		m.note("restart")
		if m.rand.IntN(3) == 0 {
			m.log.FailCommits(kafka.Errorf(kafka.KafkaStorageError, "a test has it so"))
			m.log.FailCommits(nil)
		}
		m.checkRestart()
	}
}

func (m *model) heal() {
	m.note("all is well")
	m.log.FailAppends(nil)
	m.log.Release()
	m.idsErr = nil
	m.giveIDs()
}

// checkRestart has another coordinator load the log: it must know what the first knew.
func (m *model) checkRestart() {
	before := durable(m.machine)
	m.restart()
	after := durable(m.machine)
	for id, was := range before {
		if is := after[id]; !reflect.DeepEqual(was, is) {
			m.bad("%s: %+v is %+v after a restart", id, was, is)
		}
	}
	if len(after) != len(before) {
		m.bad("%d ids instead of %d after a restart", len(after), len(before))
	}
	if m.log.End() > 0 && m.rand.IntN(2) == 0 {
		m.clock.Advance(time.Millisecond)
	}
}

// durable is what the log tells.
func durable(c *Coordinator) map[string]status {
	all := map[string]status{}
	for id, t := range c.transactions {
		s := t.status
		s.lastEpoch = noProducerEpoch
		s.owner = nil
		if c.options.Settings().Version == 0 {
			s.previousID, s.nextID, s.version = noProducerID, noProducerID, 0
		}
		if len(s.partitions) == 0 {
			s.partitions = nil
		}
		all[id] = s
	}
	return all
}

// check checks what holds between any two steps.
func (m *model) check() {
	for id, t := range m.machine.transactions {
		open := t.state == Ongoing || t.state.deciding()
		switch {
		case open != (m.machine.open[id] == t):
			m.bad("%s is in %s, and open: %t", id, t.state, m.machine.open[id] == t)
		case t.state == Empty && len(t.partitions) > 0, !t.state.deciding() && t.unmarked != nil:
			m.bad("%s in %s has partitions", id, t.state)
		case !slices.IsSortedFunc(t.partitions, comparePartitions):
			m.bad("%s: partitions %v", id, t.partitions)
		}
	}
	for id, waiting := range m.machine.parked {
		if t := m.machine.transactions[id]; t == nil || !t.state.deciding() || len(waiting) == 0 || m.machine.nextImpatient.IsZero() {
			m.bad("%d requests wait for %s in vain", len(waiting), id)
		}
	}
	for id := range m.machine.open {
		if m.machine.transactions[id] == nil {
			m.bad("%s is open and unknown", id)
		}
	}
}

// settle lets everything end well, and checks the ends.
func (m *model) settle() {
	m.heal()
	for n := 0; n < 3 || n < 1000 && m.deciding() > 0; n++ {
		for len(m.held) > 0 {
			m.someMarkers()
		}
		m.clock.Advance(5 * time.Second)
	}
	m.note("the end")
	if m.asked != m.answered {
		m.bad("%d requests, %d answers", m.asked, m.answered)
	}
	if n := m.deciding(); n > 0 {
		m.bad("%d transactions never end", n)
	}
	for _, c := range m.clients {
		for _, tx := range c.all {
			m.checkFate(tx)
		}
	}
}

// deciding counts the transactions whose markers are on their way.
func (m *model) deciding() (n int) {
	for _, t := range m.machine.transactions {
		if t.state.deciding() {
			n++
		}
	}
	return n
}

// checkFate checks that all records of a transaction came to the end that its producer was told.
func (m *model) checkFate(tx *transact) {
	committed, open := 0, 0
	for _, r := range tx.records {
		switch r.fate {
		case fateCommitted:
			committed++
		case fateOpen:
			open++
		}
	}
	switch {
	case committed > 0 && committed < len(tx.records):
		m.bad("%s: %d of %d records are committed", tx.name, committed, len(tx.records))
	case tx.told == fateCommitted && committed < len(tx.records):
		m.bad("%s was told to be committed: %d of %d records are, %d are open", tx.name, committed, len(tx.records), open)
	case tx.told == fateAborted && committed > 0:
		m.bad("%s was told to be aborted: %d of %d records are committed", tx.name, committed, len(tx.records))
	case committed > 0 && !tx.commits:
		m.bad("%s is committed, and nobody asked for that", tx.name)
	}
}
