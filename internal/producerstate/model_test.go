package producerstate

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

var (
	modelSeed  = flag.Uint64("model.seed", 1, "first seed of TestModel")
	modelSeeds = flag.Int("model.seeds", 150, "how many schedules TestModel has")
)

// Random schedules of idempotent and transactional appends, markers of both transaction versions, questions to the coordinator,
// restarts from snapshots, truncations and expiry give what a model says that reads nothing but the log. A failure names the
// seed: go test -run TestModel -model.seed=N -model.seeds=1 plays it again.
func TestModel(t *testing.T) {
	met := map[string]int{}
	for seed := *modelSeed; seed < *modelSeed+uint64(*modelSeeds); seed++ {
		s := newSchedule(t, seed)
		for s.step = range 300 {
			s.next()
			s.compare()
			if t.Failed() {
				t.Fatalf("seed %d, step %d, after\n%s", seed, s.step, s.tail())
			}
		}
		if s.checkLog(); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
		for what, n := range s.met {
			met[what] += n
		}
	}
	for _, what := range []string{"appended", "duplicate", "OUT_OF_ORDER_SEQUENCE_NUMBER", "INVALID_PRODUCER_EPOCH", "INVALID_TXN_STATE", "TRANSACTION_COORDINATOR_FENCED",
		"committed", "aborted", "wrapped", "loaded", "replayed", "truncated", "expired", "asked", "marker again"} {
		if met[what] < *modelSeeds/10 {
			t.Errorf("%s: only %d times in %d schedules", what, met[what], *modelSeeds)
		}
	}
	t.Log(met)
}

// schedule drives a table and its model.
type schedule struct {
	*testing.T
	*rand.Rand
	seed  uint64
	step  int
	table *Table
	model *history
	log   []record.Batch
	kept  map[int64]keptState // snapshots by offset
	told  []Completed         // what markers ended, as the table said, by marker
	by    []*modelProducer
	lines []string
	met   map[string]int
}

// keptState is a snapshot with what the model must forget when it is loaded.
type keptState struct {
	file      []byte
	forgotten map[int64]int64
}

// modelProducer is one that plays by the rules, mostly.
type modelProducer struct {
	id       int64
	epoch    int16
	seq      int32 // next
	txn      bool  // transactional
	tv       int16
	guard    Guard
	coord    int32
	inFlight []fact // sent before, the newest last
}

func newSchedule(t *testing.T, seed uint64) *schedule {
	s := &schedule{T: t, Rand: rand.New(rand.NewPCG(seed, 5)), seed: seed, table: New(kafka.TopicPartition{Topic: "t"}), model: newHistory(), kept: map[int64]keptState{}, met: map[string]int{}}
	for id := range int64(4) {
		s.by = append(s.by, &modelProducer{id: 10 + id, txn: id > 0, tv: int16(id), seq: []int32{0, math.MaxInt32 - 5}[s.IntN(2)], epoch: []int16{0, 0, math.MaxInt16 - 2}[s.IntN(3)]})
	}
	return s
}

func (s *schedule) note(format string, args ...any) {
	s.lines = append(s.lines, fmt.Sprintf("%d: ", s.step)+fmt.Sprintf(format, args...))
}

func (s *schedule) tail() (text string) {
	for _, line := range s.lines[max(0, len(s.lines)-40):] {
		text += line + "\n"
	}
	return text
}

func (s *schedule) next() {
	p := s.by[s.IntN(len(s.by))]
	switch n := s.IntN(100); {
	case n < 45:
		s.send(p)
	case n < 55 && len(p.inFlight) > 0: // again, as after a lost answer
		s.produce(p, p.inFlight[max(0, len(p.inFlight)-1-s.IntN(7))])
	case n < 62:
		s.misbehave(p)
	case n < 80 && p.txn:
		s.mark(p)
	case n < 84:
		s.model.high += s.Int64N(s.table.End() - s.model.high + 1)
		s.table.SetHighWatermark(s.model.high)
	case n < 88:
		s.kept[s.table.End()] = keptState{s.table.Snapshot(), maps.Clone(s.model.forgotten)}
	case n < 91:
		s.restart(s.table.End())
	case n < 94:
		s.met["truncated"]++
		s.restart(s.boundary())
	case n < 96 && s.seed%2 == 0:
		s.expire()
	}
}

// boundary is the beginning of a batch at or above the high watermark, or the end.
func (s *schedule) boundary() int64 {
	ends := []int64{s.table.End()}
	for _, b := range s.log {
		if b.BaseOffset() >= s.model.high {
			ends = append(ends, b.BaseOffset())
		}
	}
	return ends[s.IntN(len(ends))]
}

// send is a batch as it should come next.
func (s *schedule) send(p *modelProducer) {
	f := fact{id: p.id, epoch: p.epoch, seq: p.seq, count: 1 + s.Int32N(3), transactional: p.txn}
	if p.txn && s.IntN(10) > 0 {
		s.ask(p)
	}
	if s.produce(p, f) {
		p.seq = int32((int64(f.lastSeq()) + 1) & math.MaxInt32)
		if p.seq < f.seq {
			s.met["wrapped"]++
		}
	} else if s.IntN(2) == 0 { // as Java's producer does after an error that it cannot resolve
		p.seq = 0
		if p.epoch < math.MaxInt16 && !p.txn {
			p.epoch++
		} else if m := s.model.of(p.id); m.known {
			p.epoch, p.seq = m.epoch, int32((int64(m.lastSeq())+1)&math.MaxInt32)
		}
	}
}

// misbehave is a batch with something wrong, or of a zombie.
func (s *schedule) misbehave(p *modelProducer) {
	f := fact{id: p.id, epoch: p.epoch, seq: p.seq, count: 1 + s.Int32N(3), transactional: p.txn}
	switch s.IntN(5) {
	case 0:
		f.seq = int32((int64(f.seq) + 1 + s.Int64N(3)) & math.MaxInt32)
	case 1:
		f.epoch = max(f.epoch-1, 0)
	case 2:
		f.transactional = !f.transactional
	case 3:
		f.epoch, f.seq = min(f.epoch, math.MaxInt16-1)+1, s.Int32N(2)
	case 4:
		p.guard += Guard(s.IntN(3))
	}
	s.produce(p, f)
}

func (s *schedule) ask(p *modelProducer) {
	guard, err := s.table.StartVerification(p.id, p.epoch, p.seq, p.tv >= 2, int64(s.step))
	want, code := s.model.ask(int64(s.step), p.id, p.epoch, p.seq, p.tv >= 2)
	s.note("ask of %d, epoch %d, sequence %d: guard %d, %v", p.id, p.epoch, p.seq, guard, err)
	if guard != want || codeOf(err) != code {
		s.Errorf("a question of producer %d has guard %d, %v; want %d, %v", p.id, guard, err, want, code)
	}
	s.met["asked"]++
	p.guard = guard
}

func codeOf(err error) kafka.ErrorCode {
	if err == nil {
		return 0
	}
	return kafka.CodeOf(err)
}

// produce offers a client's batch; appended is false for a duplicate, too.
func (s *schedule) produce(p *modelProducer, f fact) (appended bool) {
	f.ts = int64(s.step)
	b := record.NewBuilder(record.BatchOptions{Producer: &record.Producer{ID: f.id, Epoch: f.epoch, Sequence: f.seq}, Transactional: f.transactional})
	for range f.count {
		b.Add(f.ts, nil, nil)
	}
	batch, err := b.Build()
	if err != nil {
		s.Fatal(err)
	}
	appended = s.offer(batch, f, Append{Verify: f.transactional, Guard: p.guard})
	if appended {
		p.inFlight = append(p.inFlight, f)
	}
	return appended
}

// mark ends the transaction as a coordinator does, of either version, or as one does that is wrong about it.
func (s *schedule) mark(p *modelProducer) {
	f := fact{id: p.id, epoch: p.epoch, count: 1, transactional: true, marker: true, commit: s.IntN(2) == 0, ts: int64(s.step)}
	switch s.IntN(8) {
	case 0:
		p.coord++
	case 1:
		p.coord = max(0, p.coord-1)
	case 2:
		f.epoch = max(0, f.epoch-1)
	}
	f.coordinator = p.coord
	if p.tv >= 2 && f.epoch < math.MaxInt16 && s.IntN(8) > 0 {
		f.epoch++
	}
	batch := record.EndTxnMarker{Commit: f.commit, CoordinatorEpoch: f.coordinator, Timestamp: f.ts}.Batch(f.id, f.epoch)
	before := s.model.of(p.id)
	if !s.offer(batch, f, Append{Origin: record.Coordinator, TransactionVersion: p.tv}) {
		return
	}
	if before.known && before.epoch == f.epoch && before.open == NoOffset {
		s.met["marker again"]++
	}
	if f.epoch > p.epoch {
		p.epoch, p.seq = f.epoch, 0
	}
}

// offer does what a leader does with a batch.
func (s *schedule) offer(b record.Batch, f fact, how Append) (appended bool) {
	f.first = s.table.End()
	f.last = f.first + int64(f.count) - 1
	dup, duplicate, err := s.table.Check(b, f.first, how)
	resent, code := s.model.judge(f, how)
	s.note("%+v with %+v: %+v %t, %v", f, how, dup, duplicate, err)
	switch {
	case codeOf(err) != code:
		s.Errorf("%v, want %v", err, code)
	case duplicate != (resent != nil):
		s.Errorf("taken for a duplicate: %t of %+v; want %+v", duplicate, dup, resent)
	case duplicate && !resent.tells(dup):
		s.Errorf("a duplicate of %+v, want %+v", dup, *resent)
	case err != nil:
		s.met[code.String()]++
	case duplicate:
		s.met["duplicate"]++
	}
	if err != nil || duplicate || s.Failed() {
		return false
	}
	b.SetBaseOffset(f.first)
	done, ended, err := s.table.Update(b)
	if err != nil {
		s.Error(err)
	}
	s.log = append(s.log, b)
	s.model.enter(f)
	s.met["appended"]++
	if ended {
		s.told = append(s.told, done)
		s.met[map[bool]string{true: "aborted", false: "committed"}[done.Aborted]]++
	}
	return true
}

// restart loads the newest snapshot at or below an offset, and replays the log from there up to the offset.
func (s *schedule) restart(to int64) {
	s.note("restart at %d of %d", to, s.table.End())
	s.log = slices.DeleteFunc(s.log, func(b record.Batch) bool { return b.LastOffset() >= to })
	s.model.log = slices.DeleteFunc(s.model.log, func(f fact) bool { return f.last >= to })
	s.told = slices.DeleteFunc(s.told, func(c Completed) bool { return c.LastOffset >= to })
	from := int64(-1)
	for offset := range s.kept {
		if offset > to {
			delete(s.kept, offset)
		} else {
			from = max(from, offset)
		}
	}
	if from < 0 {
		from = 0
		s.table.Reset(0)
		s.model.forgotten = map[int64]int64{}
		s.met["replayed"]++
	} else {
		s.met["loaded"]++
		if err := s.table.Load(s.kept[from].file, from, int64(s.step), neverExpires); err != nil {
			s.Error(err)
		}
		s.model.forgotten = maps.Clone(s.kept[from].forgotten)
	}
	s.model.loaded = from
	for _, b := range s.log {
		if b.BaseOffset() >= from {
			if _, _, err := s.table.Update(b); err != nil {
				s.Error(err)
			}
			if b.Attributes().Transactional() {
				s.replayed(b)
			}
		}
	}
	s.table.SetHighWatermark(s.model.high)
}

// replayed: who replays a batch has no use for a question about it.
func (s *schedule) replayed(b record.Batch) {
	q := s.model.asked[b.ProducerID()]
	if q != nil && !(b.Attributes().Control() && q.bump && q.epoch == b.ProducerEpoch()) {
		delete(s.model.asked, b.ProducerID())
	}
}

func (s *schedule) expire() {
	now, ms := int64(s.step), int64(20+s.IntN(60))
	before := len(s.model.producers())
	dropped := s.table.Expire(now, ms)
	s.model.expire(now, ms)
	s.note("expired %d", dropped)
	s.met["expired"] += dropped
	if want := before - len(s.model.producers()); dropped != want {
		s.Errorf("%d expired, want %d", dropped, want)
	}
}

// compare holds all that a table tells against the model.
func (s *schedule) compare() {
	if diff := cmp.Diff(s.model.described(), s.table.Producers()); diff != "" {
		s.Errorf("producers: %s", diff)
	}
	offset := func(o int64, ok bool) int64 {
		if !ok {
			return math.MaxInt64
		}
		return o
	}
	if got, want := offset(s.table.FirstUnstableOffset()), s.model.unstable(); got != want {
		s.Errorf("the first unstable offset is %d, want %d", got, want)
	}
	if got, want := offset(s.table.FirstUndecidedOffset()), s.model.undecided(); got != want {
		s.Errorf("the first undecided offset is %d, want %d", got, want)
	}
	if s.table.End() != s.model.end() {
		s.Errorf("the end is %d, want %d", s.table.End(), s.model.end())
	}
	if want := s.model.ended(); !slices.Equal(s.told, want) {
		s.Errorf("ended transactions: %+v, want %+v", s.told, want)
	}
	fresh := New(kafka.TopicPartition{Topic: "t"})
	if err := fresh.Load(s.table.Snapshot(), s.table.End(), 0, neverExpires); err != nil {
		s.Error(err)
	}
	if diff := cmp.Diff(s.table.Producers(), fresh.Producers()); diff != "" || !bytes.Equal(fresh.Snapshot(), s.table.Snapshot()) {
		s.Errorf("loaded from its snapshot: %s", diff)
	}
}

// checkLog reads the log as its consumers do: whatever was sent and however often, each producer's sequence in one epoch is
// there without a gap and once. Of producers that expired nothing is promised, so half of the schedules have none.
func (s *schedule) checkLog() {
	if s.met["expired"] > 0 {
		return
	}
	last := map[int64]fact{}
	for _, f := range s.model.log {
		before, seen := last[f.id]
		switch {
		case seen && f.epoch < before.epoch:
			s.Errorf("epoch %d follows %d: %+v", f.epoch, before.epoch, f)
		case f.marker:
		case seen && f.epoch == before.epoch && !before.marker && f.seq != int32((int64(before.lastSeq())+1)&math.MaxInt32), seen && f.epoch > before.epoch && f.seq != 0:
			s.Errorf("sequence %d follows %d: %+v", f.seq, before.lastSeq(), f)
		}
		if !f.marker || !seen || f.epoch > before.epoch {
			last[f.id] = f
		}
	}
}
