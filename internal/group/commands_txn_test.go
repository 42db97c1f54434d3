package group

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// txnCommit runs `txn-commit GROUP CLIENT|- PRODUCER PARTITION=OFFSET... [id= gen= static= metadata=]`.
func (s *scenario) txnCommit(c *command) {
	rq := &wire.TxnOffsetCommitRequest{GroupID: c.Operand(0), GenerationID: -1, ProducerID: int64(must[int](s.t)(strconv.Atoi(c.Operand(2))))}
	if name := c.Operand(1); name != "-" {
		cl := s.client(c.Operand(0), name)
		rq.MemberID, rq.GenerationID = cl.memberID, cl.generation
	}
	rq.MemberID, rq.GenerationID = c.Text("id", rq.MemberID), int32(c.Number("gen", int(rq.GenerationID)))
	rq.GroupInstanceID = c.Pointer("static")
	for _, p := range c.Pairs {
		if slices.Contains([]string{"id", "gen", "static", "metadata"}, p[0]) {
			continue
		}
		tp := partition(s.t, p[0])
		rq.Topics = append(rq.Topics, wire.TxnOffsetCommitRequestTopic{Name: tp.Topic, Partitions: []wire.TxnOffsetCommitRequestPartition{{
			PartitionIndex: tp.Partition, CommittedOffset: int64(must[int](s.t)(strconv.Atoi(p[1]))), CommittedLeaderEpoch: -1, CommittedMetadata: c.Pointer("metadata"),
		}}})
	}
	s.do(func(g *Coordinator, now time.Time) statemachine.Output {
		return g.CommitTransaction(now, causes.Client{ID: "some"}, TxnCommit{TxnOffsetCommitRequest: rq}, func(r *wire.TxnOffsetCommitResponse, err error) {
			texts := []string{"txn-commit: " + kafka.CodeOf(err).String()}
			for _, topic := range r.Topics {
				for _, p := range topic.Partitions {
					texts = append(texts, fmt.Sprintf("%s-%d %s", topic.Name, p.PartitionIndex, code(p.ErrorCode)))
				}
			}
			s.say("%s", strings.Join(texts, " "))
		})
	}, s.refused)
}

// end runs `end PRODUCER commit|abort`.
func (s *scenario) end(c *command) {
	m := statemachine.Marker{Producer: statemachine.Producer{ID: int64(must[int](s.t)(strconv.Atoi(c.Operand(0))))}, Commit: c.Operand(1) == "commit"}
	s.do(func(g *Coordinator, _ time.Time) statemachine.Output {
		return g.EndTransaction(m, func(err error) { s.say("end: %s", kafka.CodeOf(err)) })
	}, s.refused)
}
