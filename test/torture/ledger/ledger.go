package ledger

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Promise is what the clients of a topic may rely on.
type Promise struct {
	// Once: a record is there once. Without it (no idempotent producer) it may be there again.
	Once bool
	// Trimmed: retention deletes records from the beginning.
	Trimmed bool
	// Latest: compaction may take all but the latest record of each producer.
	Latest bool
	// Transactions: markers and aborted records take offsets that no reader sees.
	Transactions bool
	// Gapless: a producer's numbers in a partition follow each other, for readers too: its aborted ones are sent again.
	Gapless bool
}

// Entry names a record.
type Entry struct {
	Topic                       string
	Producer, Partition, Number int
}

func (e Entry) String() string {
	return fmt.Sprintf("%s-%d, producer %d, number %d", e.Topic, e.Partition, e.Producer, e.Number)
}

// Value is the content of the record.
func (e Entry) Value() []byte {
	return fmt.Appendf(nil, "%s %d %d %d", e.Topic, e.Producer, e.Partition, e.Number)
}

// Parse reads the content of a record.
func Parse(value []byte) (e Entry, err error) {
	n, err := fmt.Sscanf(string(value), "%s %d %d %d", &e.Topic, &e.Producer, &e.Partition, &e.Number)
	if err == nil && (n != 4 || e.Number < 0 || e.Producer < 0) {
		err = fmt.Errorf("%q names no record", value)
	}
	return e, err
}

// stream is what one producer sends to one partition.
type stream struct {
	topic               string
	producer, partition int
}

func (e Entry) stream() stream { return stream{e.Topic, e.Producer, e.Partition} }

// Place is a partition.
type Place struct {
	Topic     string
	Partition int32
}

// Ledger is what clients were told. All methods are safe for concurrent use.
type Ledger struct {
	mu struct {
		sync.Mutex
		acknowledged map[stream][]int64 // offset + 1 by number; 0: not acknowledged
		perTopic     map[string]int
		committed    map[string]map[Place]int64 // by group
		commits      map[string]int
		transactions map[string]*transactions // by topic
		failures     []string                 // the last few
	}
}

// New returns an empty ledger.
func New() *Ledger {
	l := new(Ledger)
	l.mu.acknowledged, l.mu.perTopic = map[stream][]int64{}, map[string]int{}
	l.mu.transactions = map[string]*transactions{}
	l.mu.committed, l.mu.commits = map[string]map[Place]int64{}, map[string]int{}
	return l
}

// Acknowledge notes that a record was acknowledged, at an offset.
func (l *Ledger) Acknowledge(e Entry, offset int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := e.stream()
	list := l.mu.acknowledged[s]
	for len(list) <= e.Number {
		list = append(list, 0)
	}
	list[e.Number] = offset + 1
	l.mu.acknowledged[s] = list
	l.mu.perTopic[e.Topic]++
}

// Commit notes that a group's commit was acknowledged.
func (l *Ledger) Commit(group string, next map[Place]int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.committed[group] == nil {
		l.mu.committed[group] = map[Place]int64{}
	}
	maps.Copy(l.mu.committed[group], next)
	l.mu.commits[group]++
}

// Fail notes what a client was refused; it is shown when nothing goes on.
func (l *Ledger) Fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.failures = append(l.mu.failures, err.Error())
	l.mu.failures = l.mu.failures[max(0, len(l.mu.failures)-5):]
}

// Failures are the last ones.
func (l *Ledger) Failures() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.mu.failures, "; ")
}

// Acknowledgements counts them by topic, and commits by group.
func (l *Ledger) Acknowledgements() (topics, groups map[string]int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.mu.perTopic), maps.Clone(l.mu.commits)
}

// Committed returns the offsets whose commit was acknowledged.
func (l *Ledger) Committed(group string) map[Place]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.mu.committed[group])
}

// snapshot copies the books of one topic.
func (l *Ledger) snapshot(topic string) map[stream][]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := map[stream][]int64{}
	for s, list := range l.mu.acknowledged {
		if s.topic == topic {
			all[s] = slices.Clone(list)
		}
	}
	return all
}

// Snapshot is what a topic's clients had been told at one moment.
type Snapshot struct {
	topic        string
	acknowledged map[stream][]int64
	confirmed    int // so many transactions
}

// Snapshot returns what was acknowledged so far; later acknowledgements do not change it.
func (l *Ledger) Snapshot(topic string) Snapshot {
	told := Snapshot{topic: topic, acknowledged: l.snapshot(topic)}
	l.in(topic, func(x *transactions) { told.confirmed = x.confirmed })
	return told
}
