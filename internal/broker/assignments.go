package broker

import (
	"slices"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/wire"
)

// assignments tells the controller in which log directories the replicas of this broker are (AssignReplicasToDirs,
// KIP-858), on a goroutine of its own, until it has taken note.
type assignments struct {
	mu struct {
		sync.Mutex
		pending map[replica]partition.Assignment // the newest of each
		order   []replica
	}
	wake chan struct{} // holds one
}

type replica struct {
	topicID   kafka.UUID
	partition int32
}

func newAssignments() *assignments {
	a := &assignments{wake: make(chan struct{}, 1)}
	a.mu.pending = map[replica]partition.Assignment{}
	return a
}

// add takes an assignment in the place of an older one of the same replica.
func (a *assignments) add(x partition.Assignment) {
	a.put(x, true)
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// put keeps an assignment; one that is there already stays unless this one is newer.
func (a *assignments) put(x partition.Assignment, newer bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := replica{x.TopicID, x.Partition}
	_, there := a.mu.pending[key]
	if !there {
		a.mu.order = append(a.mu.order, key)
	}
	if !there || newer {
		a.mu.pending[key] = x
	}
}

// maxAssignments is the most that one request may hold (AssignReplicasToDirsRequest).
const maxAssignments = 2250

// take returns the assignments for one request, oldest first.
func (a *assignments) take() []partition.Assignment {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := min(len(a.mu.order), maxAssignments)
	taken := make([]partition.Assignment, n)
	for i, key := range a.mu.order[:n] {
		taken[i] = a.mu.pending[key]
		delete(a.mu.pending, key)
	}
	a.mu.order = slices.Delete(a.mu.order, 0, n)
	return taken
}

// The pauses before the controller is asked again (AssignmentsManager).
const (
	firstAssignmentPause = 100 * time.Millisecond
	maxAssignmentPause   = 10 * time.Second
)

// sendAssignments sends what is added until the broker stops.
func (b *Broker) sendAssignments() {
	pause := firstAssignmentPause
	for {
		taken := slices.DeleteFunc(b.assignments.take(), func(x partition.Assignment) bool { return !b.hasReplica(x) })
		if len(taken) == 0 {
			select {
			case <-b.ctx.Done():
				return
			case <-b.assignments.wake:
			}
			continue
		}
		failed, err := b.assign(taken)
		for _, x := range failed {
			b.assignments.put(x, false)
		}
		if len(failed) == 0 {
			pause = firstAssignmentPause
			continue
		}
		b.log.Warn("the controller did not take note of the log directories of replicas; it is asked again", "replicas", len(failed), "error", err)
		select {
		case <-b.ctx.Done():
			return
		case <-time.After(pause):
			pause = min(2*pause, maxAssignmentPause)
		}
	}
}

// hasReplica reports whether the image still has the replica on this broker.
func (b *Broker) hasReplica(x partition.Assignment) bool {
	topic := b.store.Current().TopicByID(x.TopicID)
	if topic == nil {
		return false
	}
	p := topic.Partition(x.Partition)
	return p != nil && p.IsReplica(b.node)
}

// assign sends one request and returns the assignments that the controller did not take, with one of the reasons.
func (b *Broker) assign(all []partition.Assignment) (failed []partition.Assignment, reason error) {
	response, err := ask(b, (*controller.Controller).AssignReplicasToDirs, assignRequest(b.node, b.epoch.Load(), all))
	if err == nil {
		err = refusal("AssignReplicasToDirs", response.ErrorCode)
	}
	if err != nil {
		return all, err
	}
	codes := map[replica]int16{}
	for _, dir := range response.Directories {
		for _, topic := range dir.Topics {
			for _, p := range topic.Partitions {
				codes[replica{topic.TopicID, p.PartitionIndex}] = p.ErrorCode
			}
		}
	}
	for _, x := range all {
		if code := codes[replica{x.TopicID, x.Partition}]; code != 0 {
			failed, reason = append(failed, x), kafka.ErrorCode(code)
			continue
		}
		if x.Done != nil {
			x.Done()
		}
	}
	return failed, reason
}

func assignRequest(node int32, epoch int64, all []partition.Assignment) *wire.AssignReplicasToDirsRequest {
	rq := &wire.AssignReplicasToDirsRequest{BrokerID: node, BrokerEpoch: epoch}
	for _, x := range all {
		d := slices.IndexFunc(rq.Directories, func(d wire.AssignReplicasToDirsRequestDirectoryData) bool { return d.ID == x.Dir })
		if d < 0 {
			d = len(rq.Directories)
			rq.Directories = append(rq.Directories, wire.AssignReplicasToDirsRequestDirectoryData{ID: x.Dir})
		}
		topics := &rq.Directories[d].Topics
		t := slices.IndexFunc(*topics, func(t wire.AssignReplicasToDirsRequestTopicData) bool { return t.TopicID == x.TopicID })
		if t < 0 {
			t = len(*topics)
			*topics = append(*topics, wire.AssignReplicasToDirsRequestTopicData{TopicID: x.TopicID})
		}
		(*topics)[t].Partitions = append((*topics)[t].Partitions, wire.AssignReplicasToDirsRequestPartitionData{PartitionIndex: x.Partition})
	}
	return rq
}
