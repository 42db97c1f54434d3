package api

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// patience is how long an answer may take before a request counts as one that waits (a join, a fetch). On a busy machine
// one that does not wait may take longer; so what has to be answered is offered again, with more of it.
const patience = 5 * time.Millisecond

// answerLimit is what an answer may take for its work, on a busy machine too. Requests that hurt take much longer.
const answerLimit = 30 * time.Second

// offer sends one frame on a connection of its own, which it then closes, and returns the answer: nil if the connection
// was closed, or if the request waits for longer than patience. That every request is answered in the end, and only once, the server sees to: it
// panics on a second answer, and world.stop fails when one is missing.
func (w *world) offer(t testing.TB, body []byte, patience time.Duration) []byte {
	ours, theirs := net.Pipe()
	w.pipes.conns <- pipeConn{theirs}
	defer ours.Close()
	_ = ours.SetDeadline(time.Now().Add(answerLimit))
	if _, err := ours.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)); err != nil {
		return nil
	}
	_ = ours.SetReadDeadline(time.Now().Add(patience))
	var size [4]byte
	if _, err := io.ReadFull(ours, size[:]); err != nil {
		if !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		return nil
	}
	_ = ours.SetReadDeadline(time.Now().Add(answerLimit))
	answer := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(ours, answer); err != nil {
		t.Fatal("half an answer:", err)
	}
	return answer
}

// check offers one frame and has the answer decoded in the version of the request.
func (w *world) check(t testing.TB, body []byte, patience time.Duration) (answered bool) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	answer := w.offer(t, body, patience)
	if took := time.Since(start); took > answerLimit {
		t.Errorf("a request of %d bytes took %v: %x", len(body), took, body[:min(len(body), 200)])
	}
	runtime.ReadMemStats(&after)
	if spent, limit := after.TotalAlloc-before.TotalAlloc, uint64(64<<20+100*len(body)); spent > limit {
		t.Errorf("a request of %d bytes cost %d bytes of memory: %x", len(body), spent, body[:min(len(body), 200)])
	}
	key, version, correlation, err := wire.PeekRequest(body)
	if answer == nil || err != nil {
		return false
	}
	row := w.api.row(key)
	if row == nil {
		t.Fatalf("API %d is not served, but was answered", key)
	}
	if version < row.Min || version > row.Max {
		version = 0 // ApiVersions
	}
	r := wire.NewReader(answer)
	var header wire.ResponseHeader
	if err := header.Decode(r, wire.ResponseHeaderVersion(key, version)); err != nil || header.CorrelationID != correlation {
		t.Fatalf("%s version %d: response header %+v, %v", row.Name, version, header, err)
	}
	response := wire.NewResponse(key)
	if err := errors.Join(response.Decode(r, version), r.Done()); err != nil {
		t.Fatalf("%s version %d: the answer cannot be decoded: %v", row.Name, version, err)
	}
	return true
}

// filler makes requests out of values that have broken brokers.
type filler struct {
	*rand.Rand
	ids     []kafka.UUID
	batches [][]byte
}

func (f *filler) fill(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Pointer:
		if f.IntN(3) == 0 {
			v.SetZero()
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem(), depth)
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() && field.Name != "UnknownTags" {
				f.fill(v.Field(i), depth+1)
			}
		}
	case reflect.Slice:
		f.fillSlice(v, depth)
	case reflect.Array: // a UUID
		v.Set(reflect.ValueOf(f.ids[f.IntN(len(f.ids))]))
	case reflect.String:
		v.SetString([]string{"t", "t", "cached", "", "nope", kafka.OffsetsTopic, kafka.TransactionsTopic, "bad name", "..", "1", "consumer", "g", "retention.ms", string(make([]byte, 300))}[f.IntN(14)])
	case reflect.Bool:
		v.SetBool(f.IntN(2) == 0)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		few := []int64{0, 0, 1, 1, 2, -1, -2, 3, 4, 8, 16, 100, math.MaxInt8, math.MinInt8, math.MaxInt16, math.MinInt16, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64}
		v.SetInt(few[f.IntN(len(few))] << (64 - 8*v.Type().Size()) >> (64 - 8*v.Type().Size()))
	case reflect.Uint16, reflect.Uint32:
		v.SetUint(uint64(f.IntN(1 << 16)))
	case reflect.Float64:
		v.SetFloat([]float64{0, -1, math.NaN(), math.Inf(1)}[f.IntN(4)])
	}
}

func (f *filler) fillSlice(v reflect.Value, depth int) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		b := f.batches[f.IntN(len(f.batches))]
		b = append([]byte(nil), b...)
		if len(b) > 0 && f.IntN(3) == 0 {
			b[f.IntN(len(b))] ^= byte(1 + f.IntN(255))
		}
		v.SetBytes(b)
		return
	}
	n := f.IntN(4)
	if depth > 4 {
		n = f.IntN(2)
	}
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		f.fill(v.Index(i), depth+1)
	}
}

// newHostileWorld has two topics to get hold of.
func newHostileWorld(t testing.TB, seed uint64) (*world, *filler) {
	w := newWorld(t, vfs.NewMemory(), "auto.create.topics.enable=false", "group.max.session.timeout.ms=2000")
	c := w.dial()
	f := &filler{Rand: rand.New(rand.NewPCG(seed, 2))}
	f.ids = []kafka.UUID{{}, {1}, w.create(c, "t", 3), w.create(c, "cached", 1, "write.caching", "true")}
	f.batches = [][]byte{nil, {}, []byte("rubbish"), batch(t, "a", "b"), batch(t), make([]byte, 100), append(batch(t, "a"), batch(t, "b")...)}
	for id := range int64(3) { // of producers, in transactions and not, and a marker, which no client may write
		f.batches = append(f.batches, producerBatch(t, id, false), producerBatch(t, id, true), record.EndTxnMarker{Commit: true}.Batch(id, 1))
	}
	c.produce("t", -1, "some", "records")
	return w, f
}

// producerBatch is the first one of a producer.
func producerBatch(t testing.TB, id int64, transactional bool) []byte {
	b := record.NewBuilder(record.BatchOptions{Producer: &record.Producer{ID: id}, Transactional: transactional})
	b.Add(1, nil, []byte("x"))
	batch, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return batch
}

// Requests that are well formed, but hostile, for every API in every version.
func TestHostileRequests(t *testing.T) {
	w, f := newHostileWorld(t, 1)
	rounds := 12
	if testing.Short() || raceEnabled {
		rounds = 2
	}
	answered := map[string]int{}
	try := func(row row, patience time.Duration) {
		for version := row.Min; version <= row.Max; version++ {
			rq := wire.NewRequest(row.Key)
			f.fill(reflect.ValueOf(rq).Elem(), 0)
			if w.check(t, encodeOrEmpty(rq, version), patience) {
				answered[row.Name]++
			}
			if w.store.Current().TopicCount() > 300 {
				w, f = newHostileWorld(t, f.Uint64())
			}
		}
	}
	for range rounds {
		for _, row := range w.api.rows {
			try(row, patience)
		}
	}
	for _, row := range w.api.rows {
		for more := patience; answered[row.Name] == 0; more *= 2 {
			if more > answerLimit {
				t.Fatalf("%s never answered", row.Name)
			}
			try(row, more)
		}
	}
}

func encode(rq wire.Message, version int16) (body []byte, ok bool) {
	w := new(wire.Writer)
	id := "tester"
	header := wire.RequestHeader{RequestApiKey: rq.Key(), RequestApiVersion: version, CorrelationID: 7, ClientID: &id}
	header.Encode(w, wire.RequestHeaderVersion(rq.Key(), version))
	rq.Encode(w, version)
	if w.Err() != nil {
		return nil, false
	}
	return w.Bytes(), true
}

// encodeOrEmpty is encode, without the fields of a request that has some that the version does not have.
func encodeOrEmpty(rq wire.Message, version int16) []byte {
	body, ok := encode(rq, version)
	if !ok {
		rq.Reset()
		body, _ = encode(rq, version)
	}
	return body
}

// Everything that is not well formed.
func FuzzHandle(f *testing.F) {
	tb := outlastingTB{f}
	w, fill := newHostileWorld(tb, 1)
	for _, row := range w.api.rows {
		for _, version := range []int16{row.Min, row.Max} {
			for range 3 {
				rq := wire.NewRequest(row.Key)
				fill.fill(reflect.ValueOf(rq).Elem(), 0)
				if body, ok := encode(rq, version); ok {
					f.Add(row.Key, version, body[8:])
				}
			}
		}
	}
	f.Add(int16(18), int16(99), []byte{0, 0})
	f.Add(int16(-1), int16(0), []byte{0, 0})
	f.Add(int16(1000), int16(0), []byte{0, 0})
	f.Fuzz(func(t *testing.T, key, version int16, rest []byte) {
		body := binary.BigEndian.AppendUint16(nil, uint16(key))
		body = binary.BigEndian.AppendUint16(body, uint16(version))
		body = append(body, 0, 0, 0, 9)
		w.check(t, append(body, rest...), patience)
		if w.store.Current().TopicCount() > 300 {
			w.stop()
			w, _ = newHostileWorld(tb, 1)
		}
	})
}

// outlastingTB is for what lives longer than one call of a fuzz target, in which the methods of testing.F must not be called.
type outlastingTB struct{ testing.TB }

func (outlastingTB) Helper()           {}
func (outlastingTB) Cleanup(func())    {}
func (outlastingTB) Error(args ...any) { panic(fmt.Sprint(args...)) }
func (outlastingTB) Fatal(args ...any) { panic(fmt.Sprint(args...)) }
func (outlastingTB) Fatalf(format string, args ...any) {
	panic(fmt.Sprintf(format, args...))
}

// librdkafka 2.16 asks for all topics with a null array of four bytes instead of one. The three that are left over at the end
// of the request are nothing to Kafka; it is what every regular expression subscription begins with.
func TestBytesBehindARequestAreLetBe(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	defer w.stop()
	w.create(w.dial(), "t", 1)
	body := frame(t, "rdkafka", 1, &wire.MetadataRequest{AllowAutoTopicCreation: true}, 13)[4:]
	body = append(body, 1, 0, 0)
	answer := w.offer(t, body, answerLimit)
	r := wire.NewReader(answer)
	var header wire.ResponseHeader
	var response wire.MetadataResponse
	if err := errors.Join(header.Decode(r, 1), response.Decode(r, 13), r.Done()); err != nil || len(response.Topics) != 1 {
		t.Fatalf("%v, %d topics in %x", err, len(response.Topics), answer)
	}
}
