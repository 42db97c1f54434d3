package group

import (
	"slices"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/producerstate"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// offsetPlace is where an offset belongs.
type offsetPlace struct {
	group string
	kafka.TopicPartition
}

// openTransaction has the offsets that a producer has written in its open transaction. They are pending: nobody sees them
// until the transaction commits.
type openTransaction map[offsetPlace]committed

// TxnCommit are offsets that become committed together with a producer's transaction (KIP-98).
type TxnCommit struct {
	*wire.TxnOffsetCommitRequest
	// Verify and Guard are those of statemachine.Output: proof that the coordinator of the transaction was asked.
	Verify bool
	Guard  producerstate.Guard
}

// CommitTransaction writes offsets of a group as part of a producer's transaction. Who may do so is what kind.checkTxnCommit
// says; a member of a group that does not exist gets ILLEGAL_GENERATION. The answer's results follow the request's topics
// and partitions. Nothing of the request is used after CommitTransaction has returned.
func (c *Coordinator) CommitTransaction(now time.Time, from causes.Client, rq TxnCommit, answer func(*wire.TxnOffsetCommitResponse, error)) statemachine.Output {
	var out outcome
	c.begin(&out, now)
	err := c.checkTxnCommit(rq.TxnOffsetCommitRequest)
	response := new(wire.TxnOffsetCommitResponse)
	if err != nil {
		c.noteFenced(now, rq.GroupID, whoIs(from, rq.MemberID, rq.GroupInstanceID), rq.GenerationID, err)
	} else {
		response = c.writePending(&out, now, rq.TxnOffsetCommitRequest)
		out.Verify, out.Guard = rq.Verify, rq.Guard
	}
	out.then(func(failed error) {
		if failed != nil {
			response, err = new(wire.TxnOffsetCommitResponse), failed
		}
		answer(response, err)
	})
	return out.Output
}

func (c *Coordinator) checkTxnCommit(rq *wire.TxnOffsetCommitRequest) error {
	if g := c.groups[rq.GroupID]; g != nil {
		return g.kind.checkTxnCommit(c, rq)
	}
	if rq.GenerationID >= 0 {
		return kafka.Errorf(kafka.IllegalGeneration, "group %s does not exist, so it has no generation %d", rq.GroupID, rq.GenerationID)
	}
	return nil
}

func (c *Coordinator) writePending(out *outcome, now time.Time, rq *wire.TxnOffsetCommitRequest) *wire.TxnOffsetCommitResponse {
	c.encoder.reset()
	limit := c.options.Settings().MaxMetadataBytes
	response := &wire.TxnOffsetCommitResponse{Topics: make([]wire.TxnOffsetCommitResponseTopic, len(rq.Topics))}
	for i := range rq.Topics {
		topic, results := &rq.Topics[i], &response.Topics[i]
		results.Name = topic.Name
		results.Partitions = make([]wire.TxnOffsetCommitResponsePartition, len(topic.Partitions))
		for j := range topic.Partitions {
			p, result := &topic.Partitions[j], &results.Partitions[j]
			result.PartitionIndex = p.PartitionIndex
			if tooLong(textOf(p.CommittedMetadata), limit) {
				result.ErrorCode = int16(kafka.OffsetMetadataTooLarge)
				continue
			}
			out.write(c.encoder.record(rq.GroupID, kafka.TopicPartition{Topic: topic.Name, Partition: p.PartitionIndex}, committed{
				offset: p.CommittedOffset, leaderEpoch: p.CommittedLeaderEpoch, metadata: textOf(p.CommittedMetadata),
				at: now.UnixMilli(), expires: noRetention,
			}))
		}
	}
	if len(out.Records) > 0 {
		out.Producer = &statemachine.Producer{ID: rq.ProducerID, Epoch: rq.ProducerEpoch}
	}
	return response
}

// EndTransaction appends the marker that ends a producer's transaction: its pending offsets become the group's, or vanish.
func (c *Coordinator) EndTransaction(m statemachine.Marker, answer func(error)) statemachine.Output {
	return statemachine.Output{Marker: &m, Then: []func(error){answer}}
}

// ReplayTransactional implements statemachine.Transactional. Kafka writes tombstones of offsets outside of transactions
// only; one within counts at once, as there.
func (c *Coordinator) ReplayTransactional(offset int64, p statemachine.Producer, r statemachine.Record) error {
	kind, err := wire.RecordType(r.Key)
	if err != nil {
		return err
	}
	if kind != legacyOffsetRecord && kind != offsetRecordType || r.Value == nil {
		return c.Replay(offset, r)
	}
	id, tp, err := c.offsetKey(kind, r.Key)
	if err != nil {
		return err
	}
	o, err := offsetValue(offset, r.Value)
	if err != nil {
		return err
	}
	groupID := string(id)
	open := c.open[p.ID]
	if open == nil {
		open = openTransaction{}
		c.open[p.ID] = open
	}
	open[offsetPlace{groupID, tp}] = o
	c.groupOf(groupID).addPending(tp, p.ID)
	return nil
}

// ReplayMarker implements statemachine.Transactional. Of an offset that was committed outside of the transaction as well,
// the one whose record came last counts: compaction of the log must not change which.
func (c *Coordinator) ReplayMarker(producerID int64, _ int16, commit bool) {
	open := c.open[producerID]
	delete(c.open, producerID)
	for place, o := range open {
		g := c.groups[place.group]
		if g == nil {
			continue // it cannot be: a group stays while offsets are pending
		}
		g.removePending(place.TopicPartition, producerID)
		if was, ok := g.offsets[place.TopicPartition]; commit && (!ok || o.record > was.record) {
			g.offsets[place.TopicPartition] = o
		}
	}
}

// forgetPending removes the pending offsets of a partition, of all producers.
func (c *Coordinator) forgetPending(g *group, tp kafka.TopicPartition) {
	for _, producerID := range g.pending[tp] {
		delete(c.open[producerID], offsetPlace{g.id, tp})
	}
	delete(g.pending, tp)
}

// addPending notes that a producer's open transaction has an offset of a partition.
func (g *group) addPending(tp kafka.TopicPartition, producerID int64) {
	if slices.Contains(g.pending[tp], producerID) {
		return
	}
	if g.pending == nil {
		g.pending = map[kafka.TopicPartition][]int64{}
	}
	g.pending[tp] = append(g.pending[tp], producerID)
}

func (g *group) removePending(tp kafka.TopicPartition, producerID int64) {
	left := slices.DeleteFunc(g.pending[tp], func(id int64) bool { return id == producerID })
	if len(left) == 0 {
		delete(g.pending, tp)
		return
	}
	g.pending[tp] = left
}
