package ledger

import "slices"

// Transaction names one transaction of a producer on a topic. A producer has one at a time.
type Transaction struct {
	Topic            string
	Producer, Number int
}

// outcome is what the client knows of a transaction.
type outcome int8

const (
	// unasked: the client has not asked for a commit (yet, or it asked for an abort): nobody may see anything of it.
	unasked outcome = iota
	// inDoubt: it has asked, and has no answer: readers see all of it or nothing.
	inDoubt
	// committed: the answer was a success.
	committed
)

// work is what a transaction wrote.
type work struct {
	outcome   outcome
	confirmed int // how many of the topic were, with this one; 0: it was not
	sent      []Entry
	at        []int64 // by sent: offset + 1; 0: not acknowledged
}

// transactions are those of one topic.
type transactions struct {
	works     map[Transaction]*work
	of        map[stream][]Transaction // by number of the record
	asked     []Transaction            // in the order in which their commit was asked for
	confirmed int                      // how many were answered with success
}

func newTransactions() *transactions {
	return &transactions{works: map[Transaction]*work{}, of: map[stream][]Transaction{}}
}

// in runs f on the transactions of a topic.
func (l *Ledger) in(topic string, f func(*transactions)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	x := l.mu.transactions[topic]
	if x == nil {
		x = newTransactions()
		l.mu.transactions[topic] = x
	}
	f(x)
}

// Send notes that a record is about to be sent within a transaction; its producer's numbers in a partition go up by one.
func (l *Ledger) Send(t Transaction, e Entry) {
	l.in(t.Topic, func(x *transactions) {
		w := x.works[t]
		if w == nil {
			w = new(work)
			x.works[t] = w
		}
		w.sent, w.at = append(w.sent, e), append(w.at, 0)
		s := e.stream()
		for len(x.of[s]) <= e.Number {
			x.of[s] = append(x.of[s], Transaction{})
		}
		x.of[s][e.Number] = t
	})
}

// Stored notes that a record of a transaction was acknowledged, at an offset. That is no promise before the commit.
func (l *Ledger) Stored(t Transaction, e Entry, offset int64) {
	l.in(t.Topic, func(x *transactions) {
		w := x.works[t]
		if i := slices.Index(w.sent, e); i >= 0 {
			w.at[i] = offset + 1
		}
	})
}

// Ask notes that the commit is about to be asked for. Who does not ask wants the records never to be seen.
func (l *Ledger) Ask(t Transaction) {
	l.in(t.Topic, func(x *transactions) {
		if w := x.works[t]; w != nil {
			w.outcome = inDoubt
			x.asked = append(x.asked, t)
		}
	})
}

// Confirm notes that the commit was answered with success: the records count as acknowledged.
func (l *Ledger) Confirm(t Transaction) {
	n := 0
	l.in(t.Topic, func(x *transactions) {
		if w := x.works[t]; w != nil {
			x.confirmed++
			w.outcome, w.confirmed, n = committed, x.confirmed, len(w.sent)
		}
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.perTopic[t.Topic] += n
}

// Transactions counts those of a topic by what became of them, as far as their clients know.
func (l *Ledger) Transactions(topic string) (committed, doubtful, others int) {
	l.in(topic, func(x *transactions) {
		committed = x.confirmed
		doubtful = len(x.asked) - x.confirmed
		others = len(x.works) - len(x.asked)
	})
	return committed, doubtful, others
}

// Freeze returns a ledger with what is in this one now about transactions of a topic; the rest is empty.
func (l *Ledger) Freeze(topic string) *Ledger {
	frozen := New()
	l.in(topic, func(x *transactions) {
		frozen.in(topic, func(y *transactions) {
			for t, w := range x.works {
				y.works[t] = &work{w.outcome, w.confirmed, slices.Clone(w.sent), slices.Clone(w.at)}
			}
			for s, list := range x.of {
				y.of[s] = slices.Clone(list)
			}
			y.asked, y.confirmed = slices.Clone(x.asked), x.confirmed
		})
	})
	return frozen
}
