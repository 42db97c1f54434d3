package producerstate

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// fact is a batch that is in a log.
type fact struct {
	id            int64
	epoch         int16
	seq, count    int32
	first, last   int64 // offsets
	ts            int64
	transactional bool
	marker        bool
	commit        bool
	coordinator   int32
}

func (f fact) lastSeq() int32 { return int32((int64(f.seq) + int64(f.count) - 1) & math.MaxInt32) }

// history is the model of a Table: it remembers no state but the log itself, and answers each question by reading the log from its
// beginning. Beside the log it keeps what the log does not tell: who was forgotten when, how much a restart left, which questions
// to the coordinator are open.
type history struct {
	log       []fact
	high      int64           // the high watermark
	loaded    int64           // the offset of the snapshot from which the last restart came, 0 for none
	forgotten map[int64]int64 // by producer: batches below do not count
	asked     map[int64]*question
	guards    Guard
}

// question is one to the coordinator.
type question struct {
	since  int64
	guard  Guard
	epoch  int16
	lowest int32
	bump   bool
}

func newHistory() *history {
	return &history{forgotten: map[int64]int64{}, asked: map[int64]*question{}}
}

func (h *history) end() int64 {
	if len(h.log) == 0 {
		return 0
	}
	return h.log[len(h.log)-1].last + 1
}

// memory is what the log says of one producer.
type memory struct {
	known       bool
	epoch       int16
	coordinator int32
	lastTime    int64
	open        int64  // first offset of the open transaction
	batches     []fact // in the epoch
}

func (m memory) lastSeq() int32 {
	if len(m.batches) == 0 {
		return -1
	}
	return m.batches[len(m.batches)-1].lastSeq()
}

func (h *history) of(id int64) memory {
	m := memory{coordinator: -1, open: NoOffset}
	for _, f := range h.log {
		if f.id != id || f.first < h.forgotten[id] {
			continue
		}
		if !m.known || f.epoch != m.epoch {
			m.known, m.epoch, m.batches = true, f.epoch, nil
		}
		m.lastTime = f.ts
		switch {
		case f.marker:
			m.coordinator, m.open = f.coordinator, NoOffset
		default:
			m.batches = append(m.batches, f)
			if f.transactional && m.open == NoOffset {
				m.open = f.first
			}
		}
	}
	return m
}

// recent are the five batches whose resending is recognised, also after a restart.
func (h *history) recent(m memory) []fact { return m.batches[max(len(m.batches)-5, 0):] }

// tells reports whether the answer to a resent batch is right.
func (f fact) tells(dup AppendedBatch) bool {
	return dup.FirstOffset == f.first && dup.LastOffset == f.last && dup.Timestamp == f.ts
}

// ended are all transactions that have a marker, by it.
func (h *history) ended() (all []Completed) {
	open := map[int64]int64{}
	for _, f := range h.log {
		first, isOpen := open[f.id]
		switch {
		case f.marker && isOpen:
			delete(open, f.id)
			stable := f.first + 1
			for _, o := range open {
				stable = min(stable, o)
			}
			all = append(all, Completed{f.id, first, f.first, stable, !f.commit})
		case f.transactional && !f.marker && !isOpen:
			open[f.id] = f.first
		}
	}
	return all
}

// undecided is the first offset of the oldest open transaction, unstable also of those whose marker may be lost yet.
func (h *history) undecided() int64 {
	least := int64(math.MaxInt64)
	for _, id := range h.producers() {
		if m := h.of(id); m.open != NoOffset {
			least = min(least, m.open)
		}
	}
	return least
}

func (h *history) unstable() int64 {
	least := h.undecided()
	for _, done := range h.ended() {
		if done.LastOffset >= max(h.high, h.loaded) {
			least = min(least, done.FirstOffset)
		}
	}
	return least
}

func (h *history) producers() []int64 {
	ids := map[int64]bool{}
	for _, f := range h.log {
		if f.first >= h.forgotten[f.id] {
			ids[f.id] = true
		}
	}
	return slices.Sorted(maps.Keys(ids))
}

// described is what DescribeProducers must tell.
func (h *history) described() []Producer {
	list := []Producer{}
	for _, id := range h.producers() {
		m := h.of(id)
		list = append(list, Producer{id, m.epoch, m.lastSeq(), m.lastTime, m.coordinator, m.open})
	}
	slices.SortFunc(list, func(a, b Producer) int { return cmp.Compare(a.ProducerID, b.ProducerID) })
	return list
}

// judge says what the log's leader must answer to a batch: a duplicate of a fact, a code, or neither.
func (h *history) judge(f fact, how Append) (resent *fact, code kafka.ErrorCode) {
	m := h.of(f.id)
	zombie := m.known && f.epoch < m.epoch
	if how.Origin == record.Client && m.known && f.epoch == m.epoch {
		for _, old := range h.recent(m) {
			if old.seq == f.seq && old.lastSeq() == f.lastSeq() {
				return &old, 0
			}
		}
	}
	begins := f.transactional && (m.open == NoOffset || m.epoch != f.epoch)
	switch {
	case f.marker:
		return nil, h.judgeMarker(f, m, how)
	case zombie:
		return nil, kafka.InvalidProducerEpoch
	case begins && how.Verify && !h.answered(f.id, how.Guard):
		return nil, kafka.InvalidTxnState
	case how.Origin == record.Client && !h.inOrder(f, m):
		return nil, kafka.OutOfOrderSequenceNumber
	case m.open != NoOffset && !f.transactional:
		return nil, kafka.InvalidTxnState
	}
	return nil, 0
}

func (h *history) answered(id int64, guard Guard) bool {
	q := h.asked[id]
	return q != nil && guard != NoGuard && guard == q.guard
}

func (h *history) inOrder(f fact, m memory) bool {
	if q := h.asked[f.id]; q != nil && (q.bump && f.seq != 0 && len(m.batches) == 0 || f.seq > q.lowest) {
		return false
	}
	switch {
	case !m.known:
		return true
	case f.epoch != m.epoch || len(m.batches) == 0:
		return f.seq == 0
	}
	return f.seq == int32((int64(m.lastSeq())+1)&math.MaxInt32)
}

func (h *history) judgeMarker(f fact, m memory, how Append) kafka.ErrorCode {
	again := f.epoch == m.epoch && (m.open == NoOffset || f.epoch == math.MaxInt16)
	switch {
	case !m.known:
		return 0
	case f.epoch < m.epoch, how.TransactionVersion >= 2 && f.epoch == m.epoch && !again:
		return kafka.InvalidProducerEpoch
	case f.coordinator < m.coordinator:
		return kafka.TransactionCoordinatorFenced
	}
	return 0
}

// ask is a question to the coordinator; refused for a zombie, needless in an open transaction.
func (h *history) ask(now, id int64, epoch int16, seq int32, bump bool) (Guard, kafka.ErrorCode) {
	m := h.of(id)
	if m.known && epoch < m.epoch {
		return NoGuard, kafka.InvalidProducerEpoch
	}
	if m.open != NoOffset && m.epoch == epoch {
		return NoGuard, 0
	}
	q := h.asked[id]
	if q == nil {
		h.guards++
		q = &question{now, h.guards, epoch, seq, bump}
		h.asked[id] = q
	}
	if epoch > q.epoch || epoch == q.epoch && seq < q.lowest {
		q.epoch, q.lowest = epoch, seq
	}
	return q.guard, 0
}

// enter puts a batch at the end of the log.
func (h *history) enter(f fact) {
	h.log = append(h.log, f)
	q := h.asked[f.id]
	next := q != nil && f.marker && q.bump && q.epoch == f.epoch // it is the next transaction's question
	if f.transactional && !next {
		delete(h.asked, f.id)
	}
}

// expire forgets producers that wrote nothing for so long, and questions that nobody followed.
func (h *history) expire(now, ms int64) {
	for _, id := range h.producers() {
		if m := h.of(id); m.open == NoOffset && now-m.lastTime >= ms {
			h.forgotten[id] = h.end()
		}
	}
	maps.DeleteFunc(h.asked, func(_ int64, q *question) bool { return now-q.since >= ms })
}
