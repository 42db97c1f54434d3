package txn

import (
	"fmt"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
)

// client is a producer that may die at any time; what it had on the way goes on without it.
type client struct {
	name     string
	id       string // transactional id
	life     int    // how often it was born
	tv2      bool
	producer statemachine.Producer
	ready    bool // initialized
	recover  bool // the next InitProducerId says who it was
	waits    bool
	tx       *transact // the open one; nil: none
	all      []*transact
}

// transact is one transaction as its producer sees it.
type transact struct {
	name    string
	records []*data
	commits bool // a commit was asked for
	ending  bool // its end was asked for: nothing else will do
	commit  bool
	told    fate
}

func (m *model) reborn(c *client) {
	*c = client{
		name: c.name, id: []string{"x", "y"}[m.rand.IntN(2)], life: c.life + 1, tv2: m.settings.Version == 2 && m.rand.IntN(4) > 0,
		producer: NoProducer, all: c.all,
	}
	m.note("%s/%d produces for %s, tv2=%t", c.name, c.life, c.id, c.tv2)
}

// act has a client do its next thing.
func (m *model) act(c *client) {
	switch {
	case !c.ready:
		m.initialize(c)
	case c.tx == nil:
		c.tx = &transact{name: fmt.Sprintf("%s/%d.%d", c.name, c.life, len(c.all))}
		c.all = append(c.all, c.tx)
		m.produce(c)
	case c.tx.ending || m.rand.IntN(3) == 0:
		m.end(c)
	default:
		m.produce(c)
	}
}

// ask notes a request of a client; the function that it returns notes the answer and reports whether the client still
// lives to hear it.
func (m *model) ask(c *client, format string, args ...any) func(answer string) bool {
	m.asked++
	n, life, answered := m.asked, c.life, false
	text := fmt.Sprintf("%d %s/%d ", n, c.name, life) + fmt.Sprintf(format, args...)
	m.note("%s", text)
	c.waits = true
	return func(answer string) bool {
		m.answered++
		if answered {
			m.bad("%s: answered again: %s", text, answer)
		}
		answered = true
		m.note("%s -> %s", text, answer)
		if c.life != life {
			return false
		}
		c.waits = false
		return true
	}
}

func (m *model) initialize(c *client) {
	rq := Init{TransactionalID: c.id, Timeout: int32(1000 * (1 + m.rand.IntN(60)))}
	if c.recover && c.producer != NoProducer {
		expected := c.producer
		rq.Expected = &expected
	}
	done := m.ask(c, "init as %s, recover %t", printProducer(c.producer), c.recover)
	who := fmt.Sprint(c.name, "/", c.life)
	answer := func(p statemachine.Producer, err error) {
		if err == nil {
			if owner, taken := m.given[p]; taken && owner != who {
				m.bad("%s is told %s, which was %s's", who, printProducer(p), owner)
			}
			m.given[p] = who
		}
		switch alive := done(printAnswer(p, err)); {
		case !alive:
		case err == nil:
			c.producer, c.ready, c.tx = p, true, nil
		case kafka.CodeOf(err) == kafka.ProducerFenced:
			m.reborn(c)
		}
	}
	m.do(func(t *Coordinator, now time.Time) statemachine.Output { return t.InitProducerID(now, rq, answer) },
		func(err error) { answer(NoProducer, err) })
}

// produce writes a record to some partition: first that becomes part of the transaction, for the old protocol by a request
// of its own; then its leader has that verified.
func (m *model) produce(c *client) {
	tp := kafka.TopicPartition{Topic: "t", Partition: int32(m.rand.IntN(len(m.partitions)))}
	rq := &AddPartitions{TransactionalID: c.id, Producer: c.producer, Partitions: []kafka.TopicPartition{tp}}
	if c.tv2 {
		rq.Version = 2
	}
	rq.Patience = time.Duration(m.rand.IntN(3)) * time.Second
	tx := c.tx
	m.add(c, rq, func() {
		if c.tv2 {
			m.append(c, tx, rq.Producer, tp, true)
			return
		}
		verify := *rq
		verify.Partitions, verify.VerifyOnly = []kafka.TopicPartition{tp}, true
		m.add(c, &verify, func() { m.append(c, tx, rq.Producer, tp, false) })
	})
}

// add adds or verifies; then goes on if that succeeded, whether the client still lives or not.
func (m *model) add(c *client, rq *AddPartitions, then func()) {
	verb := "add"
	if rq.VerifyOnly {
		verb = "verify"
	}
	done := m.ask(c, "%s %v as %s", verb, rq.Partitions, printProducer(rq.Producer))
	life := c.life
	answer := func(errs []error) {
		var err error
		if errs != nil {
			err = errs[0]
		}
		done(codeOf(err))
		if err == nil {
			then()
			return
		}
		if c.life == life {
			m.failed(c, err)
		}
	}
	m.do(func(t *Coordinator, now time.Time) statemachine.Output {
		out := t.AddPartitions(now, rq, answer)
		clear(rq.Partitions)
		return out
	}, func(err error) { answer([]error{err}) })
}

func (m *model) append(c *client, tx *transact, p statemachine.Producer, tp kafka.TopicPartition, tv2 bool) {
	r := &data{tx: tx}
	err := m.partitions[tp].produce(p, r)
	m.note("%s: a record of %s goes to %v: %s", tx.name, printProducer(p), tp, codeOf(err))
	if err == nil {
		if tx.told != fateOpen && tx.ending {
			m.bad("%s: a record after its end", tx.name)
		}
		tx.records = append(tx.records, r)
	}
}

// failed is what a client makes of an error.
func (m *model) failed(c *client, err error) {
	switch kafka.CodeOf(err) {
	case kafka.ProducerFenced, kafka.InvalidProducerIDMapping, kafka.InvalidTxnState, kafka.TransactionAbortable, kafka.UnknownServerError:
		if m.rand.IntN(2) == 0 {
			m.reborn(c)
			return
		}
		c.ready, c.recover, c.tx = false, m.rand.IntN(2) == 0, nil
	}
}

func (m *model) end(c *client) {
	tx := c.tx
	if !tx.ending {
		tx.ending, tx.commit = true, m.rand.IntN(3) > 0
	}
	tx.commits = tx.commits || tx.commit
	rq := End{TransactionalID: c.id, Producer: c.producer, Commit: tx.commit}
	if c.tv2 {
		rq.Version = 2
	}
	done := m.ask(c, "end %s as %s, commit %t", tx.name, printProducer(c.producer), tx.commit)
	life := c.life
	answer := func(p statemachine.Producer, err error) {
		if err == nil {
			tx.told = fateAborted
			if tx.commit {
				tx.told = fateCommitted
			}
		}
		switch alive := done(printAnswer(p, err)); {
		case !alive:
		case err == nil:
			c.tx = nil
			if c.tv2 {
				c.producer = p
			}
		case c.life == life:
			m.failed(c, err)
		}
	}
	m.do(func(t *Coordinator, now time.Time) statemachine.Output { return t.End(now, rq, answer) },
		func(err error) { answer(NoProducer, err) })
}
