package api

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

func TestProduce(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	c := w.dial()
	id := w.create(c, "t", 2)
	one := batch(t, "a", "b")
	transactional := record.NewBuilder(record.BatchOptions{Transactional: true, Producer: &record.Producer{ID: 1}})
	transactional.Add(time.Now().UnixMilli(), nil, []byte("x"))
	inTransaction, err := transactional.Build()
	if err != nil {
		t.Fatal(err)
	}
	text := "tx"
	next := int64(0)
	for _, test := range []struct {
		name    string
		rq      *wire.ProduceRequest
		version int16
		want    kafka.ErrorCode
	}{
		{"acks=1", produceRequest(1, answerLimit, "t", id, map[int32][]byte{0: one}), 12, 0},
		{"acks=all", produceRequest(-1, answerLimit, "t", id, map[int32][]byte{0: one}), 12, 0},
		{"oldest version", produceRequest(-1, answerLimit, "t", kafka.ZeroUUID, map[int32][]byte{0: one}), 3, 0},
		{"by id", produceRequest(-1, answerLimit, "", id, map[int32][]byte{0: one}), 13, 0},
		{"unknown id", produceRequest(-1, answerLimit, "", kafka.UUID{9}, map[int32][]byte{0: one}), 13, kafka.UnknownTopicID},
		{"zero id", produceRequest(-1, answerLimit, "", kafka.ZeroUUID, map[int32][]byte{0: one}), 13, kafka.UnknownTopicID},
		{"acks=2", produceRequest(2, answerLimit, "t", id, map[int32][]byte{0: one}), 12, kafka.InvalidRequiredAcks},
		{"no such topic", produceRequest(1, answerLimit, "u", id, map[int32][]byte{0: one}), 12, kafka.UnknownTopicOrPartition},
		{"no such partition", produceRequest(-1, answerLimit, "t", id, map[int32][]byte{7: one}), 12, kafka.UnknownTopicOrPartition},
		{"null records", produceRequest(-1, answerLimit, "t", id, map[int32][]byte{0: nil}), 12, kafka.InvalidRecord},
		{"rubbish", produceRequest(-1, answerLimit, "t", id, map[int32][]byte{0: []byte("rubbish")}), 12, kafka.InvalidRecord},
		{"internal topic", produceRequest(1, answerLimit, kafka.OffsetsTopic, id, map[int32][]byte{0: one}), 12, kafka.InvalidTopicException},
		{"transaction without an id", produceRequest(-1, answerLimit, "t", id, map[int32][]byte{0: inTransaction}), 12, kafka.TransactionalIDAuthorizationFailed},
		{"transaction that nobody coordinates", &wire.ProduceRequest{TransactionalID: &text, Acks: -1, TopicData: produceRequest(-1, 0, "t", id, map[int32][]byte{0: inTransaction}).TopicData}, 12, kafka.NotEnoughReplicas},
	} {
		answer := ask[wire.ProduceResponse](c, test.rq, test.version)
		p := answer.Responses[0].PartitionResponses[0]
		if kafka.ErrorCode(p.ErrorCode) != test.want {
			t.Errorf("%s: %v, want %v", test.name, kafka.ErrorCode(p.ErrorCode), test.want)
			continue
		}
		want := int64(-1)
		if test.want == 0 {
			want, next = next, next+2
		}
		if p.BaseOffset != want || p.LogAppendTimeMs != -1 || p.Index != test.rq.TopicData[0].PartitionData[0].Index {
			t.Errorf("%s: %+v, want base offset %d", test.name, p, want)
		}
	}
	// Some partitions fail, the others do not; the order is that of the request.
	rq := produceRequest(-1, answerLimit, "t", id, map[int32][]byte{1: one})
	rq.TopicData[0].PartitionData = append(rq.TopicData[0].PartitionData, wire.ProduceRequestPartitionProduceData{Index: 5, Records: one},
		wire.ProduceRequestPartitionProduceData{Index: 0, Records: one})
	var got []string
	for _, p := range ask[wire.ProduceResponse](c, rq, 12).Responses[0].PartitionResponses {
		got = append(got, fmt.Sprint(p.Index, kafka.ErrorCode(p.ErrorCode), p.BaseOffset))
	}
	if want := []string{fmt.Sprint(1, kafka.None, 0), fmt.Sprint(5, kafka.UnknownTopicOrPartition, -1), fmt.Sprint(0, kafka.None, next)}; !slices.Equal(got, want) {
		t.Errorf("partitions %q, want %q", got, want)
	}
}

// With acks=0 nothing comes back; a failure ends the connection.
func TestProduceWithoutAnswer(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	c := w.dial()
	w.create(c, "t", 1)
	c.send(produceRequest(0, 0, "t", kafka.ZeroUUID, map[int32][]byte{0: batch(t, "a")}), 12)
	if p := c.produce("t", -1, "b"); p.BaseOffset != 1 {
		t.Errorf("%+v", p)
	}
	c.send(produceRequest(0, 0, "none", kafka.ZeroUUID, map[int32][]byte{0: batch(t, "a")}), 12)
	c.ended()
}

func TestProduceWaitsForTheDisk(t *testing.T) {
	g := newGate(vfs.NewMemory())
	w := newWorld(t, g)
	c := w.dial()
	w.create(c, "t", 2)
	g.shut()
	rq := produceRequest(-1, answerLimit, "t", kafka.ZeroUUID, map[int32][]byte{0: batch(t, "a"), 1: batch(t, "b")})
	first := c.send(rq, 12)
	w.waits("a produce", w.api.metrics.waitingProduces)
	c.silent(20 * time.Millisecond)
	g.reopen()
	answer := new(wire.ProduceResponse)
	c.receive(first, answer, 12)
	for _, p := range answer.Responses[0].PartitionResponses {
		if p.ErrorCode != 0 || p.BaseOffset != 0 {
			t.Errorf("%+v", p)
		}
	}
	if n := w.api.metrics.waitingProduces.Value(); n != 0 {
		t.Errorf("%v requests wait", n)
	}
}

func TestProduceTimesOut(t *testing.T) {
	g := newGate(vfs.NewMemory())
	w := newWorld(t, g)
	c := w.dial()
	w.create(c, "t", 1)
	g.shut()
	start := time.Now()
	var sent []int32
	timeouts := []time.Duration{0, -time.Second, minProduceTimeout + 30*time.Millisecond}
	for _, timeout := range timeouts {
		sent = append(sent, c.send(produceRequest(-1, timeout, "t", kafka.ZeroUUID, map[int32][]byte{0: batch(t, "a")}), 12))
	}
	for i, n := range sent {
		answer := new(wire.ProduceResponse)
		c.receive(n, answer, 12)
		p := answer.Responses[0].PartitionResponses[0]
		if kafka.ErrorCode(p.ErrorCode) != kafka.RequestTimedOut || p.BaseOffset != -1 || p.ErrorMessage == nil {
			t.Errorf("%+v", p)
		}
		if took := time.Since(start); took < max(timeouts[i], minProduceTimeout) { // how late it may be, TestDeadlines says
			t.Errorf("timeout %v took %v", timeouts[i], took)
		}
	}
	g.reopen()
	if p := c.produce("t", -1, "b"); p.BaseOffset != 3 {
		t.Errorf("%+v; what timed out is in the log all the same", p)
	}
}

func TestProduceFailsWhileItWaits(t *testing.T) {
	t.Run("the topic is deleted", func(t *testing.T) {
		g := newGate(vfs.NewMemory())
		w := newWorld(t, g)
		c, admin := w.dial(), w.dial()
		w.create(admin, "t", 1)
		g.shut()
		defer g.reopen()
		first := c.send(produceRequest(-1, time.Minute, "t", kafka.ZeroUUID, map[int32][]byte{0: batch(t, "a")}), 12)
		w.waits("the produce", w.api.metrics.waitingProduces)
		c.silent(20 * time.Millisecond)
		removed := admin.send(&wire.DeleteTopicsRequest{Topics: []wire.DeleteTopicsRequestDeleteTopicState{{Name: new("t")}}}, 6)
		answer := new(wire.ProduceResponse)
		c.receive(first, answer, 12)
		if code := kafka.ErrorCode(answer.Responses[0].PartitionResponses[0].ErrorCode); code != kafka.UnknownTopicOrPartition {
			t.Errorf("%v", code)
		}
		admin.receive(removed, new(wire.DeleteTopicsResponse), 6)
	})
	t.Run("the disk fails", func(t *testing.T) {
		faulty := vfs.Faulty(vfs.NewMemory())
		g := newGate(faulty)
		w := newWorld(t, g)
		c := w.dial()
		w.create(c, "t", 2)
		g.shut()
		faulty.Add(vfs.Rule{Op: vfs.OpSync, Path: "*.log", Err: errors.New("bad sector")})
		first := c.send(produceRequest(-1, time.Minute, "t", kafka.ZeroUUID, map[int32][]byte{0: batch(t, "a"), 1: batch(t, "a")}), 12)
		w.waits("the produce", w.api.metrics.waitingProduces)
		c.silent(20 * time.Millisecond)
		g.reopen()
		answer := new(wire.ProduceResponse)
		c.receive(first, answer, 12)
		for _, p := range answer.Responses[0].PartitionResponses {
			if kafka.ErrorCode(p.ErrorCode) != kafka.KafkaStorageError || p.BaseOffset != -1 {
				t.Errorf("%+v", p)
			}
		}
		if p := c.produce("t", 1, "b"); kafka.ErrorCode(p.ErrorCode) != kafka.KafkaStorageError {
			t.Errorf("%+v", p)
		}
	})
}

// Many clients pipeline requests with every acks and timeout while topics come and go: each answer belongs to its request
// (a Produce that is used again too early would mix them up, answer twice, or not at all).
func TestProduceUnderStress(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	admin := w.dial()
	topics := []string{"a", "b", "c"}
	for _, topic := range topics {
		w.create(admin, topic, 4)
	}
	var clients sync.WaitGroup
	var succeeded, failed atomic.Int64
	for n := range 4 {
		c := w.dial()
		random := rand.New(rand.NewPCG(uint64(n), 1))
		clients.Go(func() {
			type sent struct {
				correlation int32
				rq          *wire.ProduceRequest
			}
			queue := make(chan sent, 20)
			var reader sync.WaitGroup
			reader.Go(func() {
				for s := range queue {
					answer := new(wire.ProduceResponse)
					if err := c.tryReceive(s.correlation, answer, 12); err != nil {
						t.Errorf("reading: %v", err)
						return
					}
					checkProduceAnswer(t, s.rq, answer, &succeeded, &failed)
				}
			})
			for i := range 300 {
				rq := new(wire.ProduceRequest)
				rq.Acks, rq.TimeoutMs = int16(-1+2*random.IntN(2)), int32(random.IntN(3)*20)
				for _, topic := range topics[:1+random.IntN(3)] {
					rq.TopicData = append(rq.TopicData, wire.ProduceRequestTopicProduceData{Name: topic})
					data := &rq.TopicData[len(rq.TopicData)-1]
					for p := range random.IntN(6) {
						data.PartitionData = append(data.PartitionData, wire.ProduceRequestPartitionProduceData{
							Index: int32(p), Records: batch(t, fmt.Sprint(n, " ", i))})
					}
				}
				c.correlation++
				b := frame(t, c.id, c.correlation, rq, 12)
				queue <- sent{c.correlation, rq}
				if _, err := c.conn.Write(b); err != nil {
					t.Errorf("writing: %v", err)
					break
				}
			}
			close(queue)
			reader.Wait()
		})
	}
	for range 20 {
		w.remove(admin, "c")
		w.create(admin, "c", 4)
	}
	clients.Wait()
	if succeeded.Load() == 0 || failed.Load() == 0 {
		t.Errorf("%d succeeded, %d failed: the test tries too little", succeeded.Load(), failed.Load())
	}
	if n := w.api.metrics.waitingProduces.Value(); n != 0 {
		t.Errorf("%v requests still wait", n)
	}
}

func checkProduceAnswer(t *testing.T, rq *wire.ProduceRequest, answer *wire.ProduceResponse, succeeded, failed *atomic.Int64) {
	if len(answer.Responses) != len(rq.TopicData) {
		t.Errorf("%d topics, want %d", len(answer.Responses), len(rq.TopicData))
		return
	}
	for i, topic := range answer.Responses {
		want := rq.TopicData[i]
		if topic.Name != want.Name || len(topic.PartitionResponses) != len(want.PartitionData) {
			t.Errorf("topic %s with %d partitions, want %s with %d", topic.Name, len(topic.PartitionResponses), want.Name, len(want.PartitionData))
			continue
		}
		for j, p := range topic.PartitionResponses {
			ok := p.ErrorCode == 0
			if p.Index != want.PartitionData[j].Index || ok != (p.BaseOffset >= 0) || ok != (p.ErrorMessage == nil) || len(p.RecordErrors) != 0 {
				t.Errorf("%s: %+v", topic.Name, p)
			}
			if !ok {
				failed.Add(1)
				continue
			}
			succeeded.Add(1)
		}
	}
}

// flush.messages=1 is Kafka's way to have every answer wait for the disk, that of acks=1 too, whatever its timeout.
func TestProduceWaitsForItsFlush(t *testing.T) {
	for _, caching := range []string{"false", "true"} {
		g := newGate(vfs.NewMemory())
		w := newWorld(t, g)
		c := w.dial()
		w.create(c, "t", 1, "flush.messages", "1", "write.caching", caching)
		for _, acks := range []int16{1, -1} {
			g.shut()
			timeout := answerLimit
			if acks == 1 {
				timeout = 0
			}
			n := c.send(produceRequest(acks, timeout, "t", kafka.ZeroUUID, map[int32][]byte{0: batch(t, "a")}), 12)
			w.waits("the produce", w.api.metrics.waitingProduces)
			c.silent(20 * time.Millisecond)
			g.reopen()
			answer := new(wire.ProduceResponse)
			c.receive(n, answer, 12)
			if p := answer.Responses[0].PartitionResponses[0]; p.ErrorCode != 0 {
				t.Errorf("write.caching=%s, acks=%d: %+v", caching, acks, p)
			}
		}
	}
}
