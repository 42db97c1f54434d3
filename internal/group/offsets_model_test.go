package group

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// TestRandomTransactions has producers commit offsets with their transactions while others commit, delete and expire them,
// and the log is slow, refuses and moves. Which offset counts is told by rules that look at the log alone (whatLogSays); what
// was acknowledged has to be in the log, which is checked, too.
func TestRandomTransactions(t *testing.T) {
	seeds := 60
	if testing.Short() {
		seeds = 10
	}
	for seed := range seeds {
		m := &offsetsModel{bench: newBench(t), rand: rand.New(rand.NewPCG(uint64(seed), 3)), acknowledged: map[int64]bool{}}
		m.settings.OffsetsRetention = 20 * time.Minute
		for range 250 {
			m.step()
			if m.rand.IntN(3) == 0 {
				m.check()
			}
			if t.Failed() {
				t.Fatalf("seed %d\n%s", seed, tail(m.journal, 30))
			}
		}
		m.end()
		if t.Failed() {
			t.Fatalf("seed %d\n%s", seed, tail(m.journal, 30))
		}
	}
}

type offsetsModel struct {
	*bench
	rand         *rand.Rand
	journal      []string
	asked        int64
	answered     int64
	acknowledged map[int64]bool // offsets (each is committed once) that somebody was told are stored
	held         bool
}

var (
	modelGroups     = []string{"g0", "g1"}
	modelPartitions = []kafka.TopicPartition{{Topic: "t"}, {Topic: "t", Partition: 1}, {Topic: "u"}}
)

func (m *offsetsModel) note(format string, args ...any) {
	m.journal = append(m.journal, fmt.Sprintf(format, args...))
}

// ask notes a request; the function that it returns takes the answer.
func (m *offsetsModel) ask(format string, args ...any) func(error) {
	m.asked++
	text := fmt.Sprintf("%d ", m.asked) + fmt.Sprintf(format, args...)
	m.note("%s", text)
	answers := 0
	return func(err error) {
		m.answered++
		if answers++; answers > 1 {
			m.t.Errorf("%s: answered again, with %v", text, err)
		}
		m.note("%s -> %s", text, kafka.CodeOf(err))
	}
}

func (m *offsetsModel) group() string { return modelGroups[m.rand.IntN(len(modelGroups))] }

func (m *offsetsModel) partition() kafka.TopicPartition {
	return modelPartitions[m.rand.IntN(len(modelPartitions))]
}

func (m *offsetsModel) producer() statemachine.Producer {
	return statemachine.Producer{ID: int64(m.rand.IntN(4))}
}

func (m *offsetsModel) step() {
	group, tp := m.group(), m.partition()
	switch n := m.rand.IntN(100); {
	case n < 35:
		m.commitPending(group, tp, m.producer())
	case n < 45:
		m.commit(group, tp)
	case n < 70:
		marker := statemachine.Marker{Producer: m.producer(), Commit: m.rand.IntN(2) == 0}
		done := m.ask("producer %d ends, commit %t", marker.Producer.ID, marker.Commit)
		m.do(func(g *Coordinator, _ time.Time) statemachine.Output { return g.EndTransaction(marker, done) }, done)
	case n < 73:
		done := m.ask("delete offsets of %v in %s", tp, group)
		rq := &wire.OffsetDeleteRequest{GroupID: group, Topics: []wire.OffsetDeleteRequestTopic{{
			Name: tp.Topic, Partitions: []wire.OffsetDeleteRequestPartition{{PartitionIndex: tp.Partition}},
		}}}
		m.do(func(g *Coordinator, _ time.Time) statemachine.Output {
			return g.DeleteOffsets(causes.Client{}, rq, func(_ *wire.OffsetDeleteResponse, err error) { done(err) })
		}, done)
	case n < 75:
		m.delete(group)
	case n < 77:
		m.note("topic %s is deleted", tp.Topic)
		m.do(func(g *Coordinator, _ time.Time) statemachine.Output {
			return g.ForgetTopics(map[string]bool{tp.Topic: true})
		}, func(error) {})
	case n < 82:
		m.pass(time.Duration(m.rand.IntN(12)) * time.Minute)
	default:
		m.trouble()
	}
}

func (m *offsetsModel) commitPending(group string, tp kafka.TopicPartition, p statemachine.Producer) {
	value := m.asked + 1
	done := m.ask("producer %d commits %v=%d in %s", p.ID, tp, value, group)
	rq := &wire.TxnOffsetCommitRequest{
		GroupID: group, ProducerID: p.ID, ProducerEpoch: p.Epoch, GenerationID: -1,
		Topics: []wire.TxnOffsetCommitRequestTopic{{Name: tp.Topic, Partitions: []wire.TxnOffsetCommitRequestPartition{{
			PartitionIndex: tp.Partition, CommittedOffset: value, CommittedLeaderEpoch: -1,
		}}}},
	}
	m.do(func(g *Coordinator, now time.Time) statemachine.Output {
		return g.CommitTransaction(now, causes.Client{}, TxnCommit{TxnOffsetCommitRequest: rq}, func(_ *wire.TxnOffsetCommitResponse, err error) {
			m.acknowledged[value] = err == nil
			done(err)
		})
	}, done)
}

func (m *offsetsModel) commit(group string, tp kafka.TopicPartition) {
	value := m.asked + 1
	done := m.ask("commit %v=%d in %s", tp, value, group)
	rq := &wire.OffsetCommitRequest{
		GroupID: group, GenerationIDOrMemberEpoch: -1, RetentionTimeMs: noRetention,
		Topics: []wire.OffsetCommitRequestTopic{{Name: tp.Topic, Partitions: []wire.OffsetCommitRequestPartition{{
			PartitionIndex: tp.Partition, CommittedOffset: value, CommittedLeaderEpoch: -1,
		}}}},
	}
	m.do(func(g *Coordinator, now time.Time) statemachine.Output {
		return g.CommitOffsets(now, causes.Client{}, 9, rq, func(_ *wire.OffsetCommitResponse, err error) {
			m.acknowledged[value] = err == nil
			done(err)
		})
	}, done)
}

// delete deletes a group: pending offsets must not bring it back.
func (m *offsetsModel) delete(group string) {
	end, done := m.log.End(), m.ask("delete %s", group)
	m.do(func(g *Coordinator, _ time.Time) statemachine.Output { return g.Delete(causes.Client{}, group, done) }, done)
	if m.log.End() == end {
		return
	}
	for tp, said := range whatLogSays(m.t, m.bench)[group] {
		if said != (offsetSays{value: -1}) {
			m.t.Errorf("%s was deleted, and %v still is %+v", group, tp, said)
		}
	}
}

// pass has time pass: offsets expire, but none that is pending.
func (m *offsetsModel) pass(d time.Duration) {
	before, end := whatLogSays(m.t, m.bench), m.log.End()
	m.note("%v later", d)
	m.clock.Advance(d)
	for _, e := range logEvents(m.t, m.bench) {
		if e.at >= end && !e.marker && e.value < 0 && before[e.group][e.TopicPartition].pending {
			m.t.Errorf("the offset of %v in %s expired, and one is pending", e.TopicPartition, e.group)
		}
	}
}

// trouble is what happens to the log and to the coordinator.
func (m *offsetsModel) trouble() {
	switch m.rand.IntN(5) {
	case 0:
		m.note("appends fail")
		m.log.FailAppends(kafka.Errorf(kafka.NotEnoughReplicas, "a test has it so"))
	case 1:
		m.log.FailAppends(nil)
	case 2:
		m.held = true
		m.log.Hold()
	case 3:
		m.held = false
		m.log.Release()
	case 4:
		m.note("restart")
		m.restart()
	}
}

// check compares what is fetched with what the log says. While commits are held, nobody is answered.
func (m *offsetsModel) check() {
	if m.held {
		return
	}
	says := whatLogSays(m.t, m.bench)
	for _, stable := range []bool{false, true} {
		for _, group := range modelGroups {
			for _, all := range []bool{false, true} {
				if got, want := m.fetched(group, stable, all), says.fetch(group, stable, all); got != want {
					m.t.Errorf("%s, stable %t, all %t: %s; by the log it is %s", group, stable, all, got, want)
				}
			}
		}
	}
}

func (m *offsetsModel) fetched(group string, stable, all bool) (text string) {
	rq := &wire.OffsetFetchRequestGroup{GroupID: group}
	if !all {
		for _, tp := range modelPartitions {
			rq.Topics = append(rq.Topics, wire.OffsetFetchRequestTopics{Name: tp.Topic, PartitionIndexes: []int32{tp.Partition}})
		}
	}
	m.do(func(g *Coordinator, _ time.Time) statemachine.Output {
		return g.FetchOffsets(rq, stable, func(r *wire.OffsetFetchResponseGroup, err error) {
			if err != nil {
				m.t.Error(err)
			}
			for _, topic := range r.Topics {
				for _, p := range topic.Partitions {
					text += fmt.Sprintf(" %s-%d=%d %s", topic.Name, p.PartitionIndex, p.CommittedOffset, code(p.ErrorCode))
				}
			}
		})
	}, func(err error) { m.t.Error(err) })
	return text
}

// end lets everything come to its end: everybody has one answer, and what was acknowledged is in the log.
func (m *offsetsModel) end() {
	m.log.FailAppends(nil)
	m.held = false
	m.log.Release()
	m.check()
	m.restart()
	m.check()
	m.engine.Stop(kafka.Errorf(kafka.NotCoordinator, "the end"))
	if m.asked != m.answered {
		m.t.Errorf("%d requests, %d answers", m.asked, m.answered)
	}
	stored := map[int64]bool{}
	for _, e := range logEvents(m.t, m.bench) {
		stored[e.value] = true
	}
	for value, ok := range m.acknowledged {
		if ok && !stored[value] {
			m.t.Errorf("%d was acknowledged and is not in the log", value)
		}
	}
}

// logEvent is a record about an offset, or a marker.
type logEvent struct {
	at       int64
	producer int64 // -1: outside of transactions
	marker   bool
	commit   bool
	group    string
	kafka.TopicPartition
	value int64 // -1: tombstone, or a marker
}

func logEvents(t testing.TB, b *bench) (events []logEvent) {
	for _, batch := range b.log.Batches() {
		if batch.Attributes().Control() {
			marker, _, err := batch.EndTxnMarker()
			if err != nil {
				t.Fatal(err)
			}
			events = append(events, logEvent{at: batch.BaseOffset(), producer: batch.ProducerID(), marker: true, commit: marker.Commit, value: -1})
			continue
		}
		for r, err := range batch.Records(1 << 20) {
			if err != nil {
				t.Fatal(err)
			}
			if kind := must[int16](t)(wire.RecordType(r.Key)); kind != offsetRecordType {
				continue
			}
			var key wire.OffsetCommitKey
			if err := wire.DecodeRecordKey(r.Key, &key); err != nil {
				t.Fatal(err)
			}
			e := logEvent{at: r.Offset, producer: batch.ProducerID(), group: key.Group, value: -1}
			e.Topic, e.Partition = key.Topic, key.Partition
			if r.Value != nil {
				var value wire.OffsetCommitValue
				must[int16](t)(wire.DecodeRecordValue(r.Value, &value))
				e.value = value.Offset
			}
			events = append(events, e)
		}
	}
	return events
}

// logSays is by group and partition what a log means.
type logSays map[string]map[kafka.TopicPartition]offsetSays

type offsetSays struct {
	value   int64 // -1: none
	pending bool
}

// whatLogSays reads a log by these rules. A record counts if it stands behind the last tombstone of its offset and is not part
// of a transaction, or the first marker of its producer behind it commits; of those that count the last one does. An offset is
// pending while a record of it behind the last tombstone has no marker of its producer behind it.
func whatLogSays(t testing.TB, b *bench) logSays {
	events, says := logEvents(t, b), logSays{}
	for _, group := range modelGroups {
		says[group] = map[kafka.TopicPartition]offsetSays{}
		for _, tp := range modelPartitions {
			said := offsetSays{value: -1}
			for i, e := range events {
				switch {
				case e.marker || e.group != group || e.TopicPartition != tp:
				case e.value < 0:
					said = offsetSays{value: -1}
				case e.producer < 0:
					said.value = e.value
				default:
					ended, committed := fateOf(events[i+1:], e.producer)
					said.pending = said.pending || !ended
					if committed {
						said.value = e.value
					}
				}
			}
			says[group][tp] = said
		}
	}
	return says
}

func fateOf(rest []logEvent, producer int64) (ended, committed bool) {
	for _, e := range rest {
		if e.marker && e.producer == producer {
			return true, e.commit
		}
	}
	return false, false
}

func (s logSays) fetch(group string, stable, all bool) string {
	var text strings.Builder
	for _, tp := range modelPartitions {
		said := s[group][tp]
		if all && said.value < 0 {
			continue
		}
		if stable && said.pending {
			fmt.Fprintf(&text, " %s-%d=-1 UNSTABLE_OFFSET_COMMIT", tp.Topic, tp.Partition)
			continue
		}
		fmt.Fprintf(&text, " %s-%d=%d NONE", tp.Topic, tp.Partition, said.value)
	}
	return text.String()
}
