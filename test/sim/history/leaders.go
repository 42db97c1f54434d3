package history

import (
	"sync"
	"time"
)

// Leaders is what brokers told of leaders and their epochs.
type Leaders struct {
	mu struct {
		sync.Mutex
		leaders     map[term]told
		controllers map[int32]told
		newest      map[view]int32
		faults      faults
	}
}

// term is a leadership: at most one broker has it.
type term struct {
	topicID   [16]byte
	partition int32
	epoch     int32
}

type told struct {
	leader int32
	by     string
	when   time.Time
}

// view is what one process thinks of a partition.
type view struct {
	process   string
	topicID   [16]byte
	partition int32
}

// NewLeaders returns an empty history.
func NewLeaders() *Leaders {
	l := new(Leaders)
	l.mu.leaders, l.mu.controllers, l.mu.newest = map[term]told{}, map[int32]told{}, map[view]int32{}
	return l
}

// Partition notes that a process (a node between two restarts) told of a partition's leader. -1 is nobody.
func (l *Leaders) Partition(process string, p Partition, topicID [16]byte, leader, epoch int32, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := view{process, topicID, p.Partition}
	if newest, known := l.mu.newest[v]; known && epoch < newest {
		l.mu.faults.add("%s tells of leader epoch %d of %v at %s, and told of %d before", process, epoch, p, clock(now), newest)
	}
	l.mu.newest[v] = max(epoch, l.mu.newest[v])
	if leader < 0 || epoch < 0 {
		return
	}
	at := term{topicID, p.Partition, epoch}
	if first, known := l.mu.leaders[at]; !known {
		l.mu.leaders[at] = told{leader, process, now}
	} else if first.leader != leader {
		l.mu.faults.add("two leaders of %v in epoch %d: broker %d (told by %s at %s) and %d (told by %s at %s)", p, epoch, first.leader, first.by, clock(first.when), leader, process, clock(now))
	}
}

// Controller notes that a process told who leads the metadata quorum in an epoch.
func (l *Leaders) Controller(process string, leader, epoch int32, now time.Time) {
	if leader < 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if first, known := l.mu.controllers[epoch]; !known {
		l.mu.controllers[epoch] = told{leader, process, now}
	} else if first.leader != leader {
		l.mu.faults.add("two controllers in epoch %d: %d (told by %s at %s) and %d (told by %s at %s)", epoch, first.leader, first.by, clock(first.when), leader, process, clock(now))
	}
}

// Counts is how many leaderships of partitions and of the quorum were heard of.
func (l *Leaders) Counts() (partitions, controllers int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.mu.leaders), len(l.mu.controllers)
}

// Faults is what is wrong.
func (l *Leaders) Faults() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.faults
}
