package replication

import (
	"bytes"
	"io"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/storagecheck"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// liar is a leader whose answers a fuzzer makes up.
type liar struct {
	mu      sync.Mutex
	choices []byte
	spent   chan struct{}
}

func (l *liar) pick(n int) int {
	if len(l.choices) == 0 {
		return 0
	}
	b := l.choices[0]
	l.choices = l.choices[1:]
	return int(b) % n
}

// number is mostly about as large as known.
func (l *liar) number(known int64) int64 {
	switch n := l.pick(14); {
	case n < 7:
		return known
	case n < 11:
		return known + int64(n) - 8
	default:
		return []int64{-1, math.MaxInt64, math.MinInt64}[n-11]
	}
}

func (l *liar) send(_ int32, _ int, rq *wire.FetchRequest, response *wire.FetchResponse, _ time.Duration, done func(error)) {
	go func() {
		l.mu.Lock()
		if len(l.choices) == 0 {
			l.mu.Unlock()
			time.Sleep(time.Second)
			select {
			case l.spent <- struct{}{}:
			default:
			}
			done(kafka.NetworkException)
			return
		}
		response.Reset()
		l.answer(rq, response)
		l.mu.Unlock()
		time.Sleep(time.Millisecond)
		done(nil)
	}()
}

func (l *liar) answer(rq *wire.FetchRequest, response *wire.FetchResponse) {
	response.SessionID = int32(l.number(int64(rq.SessionID)))
	if l.pick(10) == 9 {
		response.ErrorCode = int16(l.pick(120))
	}
	topic := wire.FetchResponseFetchableTopicResponse{TopicID: kafka.UUID{1}}
	if l.pick(12) == 11 {
		topic.TopicID = kafka.UUID{2}
	}
	var asked wire.FetchRequestFetchPartition
	if len(rq.Topics) > 0 && len(rq.Topics[0].Partitions) > 0 {
		asked = rq.Topics[0].Partitions[0]
	}
	for range 1 + l.pick(2) {
		topic.Partitions = append(topic.Partitions, l.partition(asked))
	}
	response.Responses = []wire.FetchResponseFetchableTopicResponse{topic}
}

func (l *liar) partition(asked wire.FetchRequestFetchPartition) wire.FetchResponsePartitionData {
	var p wire.FetchResponsePartitionData
	p.Reset()
	p.PartitionIndex = int32(l.pick(12) / 11)
	p.HighWatermark, p.LogStartOffset = l.number(asked.FetchOffset), l.number(0)
	switch l.pick(8) {
	case 6:
		p.DivergingEpoch.Epoch, p.DivergingEpoch.EndOffset = int32(l.number(int64(asked.LastFetchedEpoch))), l.number(asked.FetchOffset)
	case 7:
		p.ErrorCode, p.LogStartOffset = int16(kafka.OffsetOutOfRange), l.number(asked.FetchOffset+2)
	}
	at := asked.FetchOffset
	for range l.pick(4) {
		b := l.batch(l.number(at))
		p.Records, at = append(p.Records, b...), b.LastOffset()+1
	}
	if len(p.Records) > 0 && l.pick(8) == 7 {
		p.Records = p.Records[:l.pick(len(p.Records))]
	}
	return p
}

// batch is one batch; not with zstd, whose encoders are shared by all tests.
func (l *liar) batch(base int64) record.Batch {
	o := record.BatchOptions{BaseOffset: base, LeaderEpoch: int32(l.number(0)), Compression: record.NewCompression(record.Codec(l.pick(4))), Control: l.pick(6) == 5}
	if l.pick(2) == 1 {
		o.Producer = &record.Producer{ID: l.number(1), Epoch: int16(l.number(0)), Sequence: int32(l.number(0))}
		o.Transactional = l.pick(2) == 1
	}
	b := record.NewBuilder(o)
	if o.Control {
		b.AddControl(1, record.ControlType(l.pick(8)), []byte{0, 0, 0, 0, 0, 1}[:l.pick(7)])
	} else {
		for range 1 + l.pick(3) {
			b.Add(l.number(1), nil, []byte("lie"))
		}
	}
	out, err := b.Build()
	if err != nil {
		return l.plain(base)
	}
	if l.pick(4) == 3 {
		out = slices.Clone(out)
		out[l.pick(len(out))] ^= byte(1 + l.pick(255))
	}
	return out
}

func (l *liar) plain(base int64) record.Batch {
	b := record.NewBuilder(record.BatchOptions{BaseOffset: base})
	b.Add(1, nil, nil)
	out, err := b.Build()
	if err != nil {
		panic(err)
	}
	return out
}

// FuzzAnswers: whatever a leader answers, a follower lives on, and its log is one that opens again without damage.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1})
	for kind := range byte(8) {
		f.Add([]byte{0, 0, 0, 0, 0, 9, 0, kind, 3, 3, 0, 0, 0, 0, 1, 1, 0, 0, 1, 2, 0, 0, 0, kind, 0, 0, 0, 9, 9, 9, 7, 2, 12, 0, 3})
		f.Add([]byte{0, 9, 0, 0, 1, 12, 11, kind, 13, 12, 3, 11, 0, 0, 1, 1, 12, 3, 1, 2, 0, kind, kind, kind, 0, 0, 3, 9, 9, 9, 7, 2, 12, 0, 3})
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		synctest.Test(t, func(t *testing.T) { checkLies(t, in) })
	})
}

// followed is broker 2 that follows t-0, of which broker 1 is the leader as far as it can tell.
type followed struct {
	dir     *commitlog.Dir
	follows *Followers
	set     *partition.Set
	t0      *partition.Partition
}

// followLiar starts broker 2 on a disk. Its log says what it thinks of the leader.
func followLiar(t *testing.T, disk vfs.FS, send func(int32, int, *wire.FetchRequest, *wire.FetchResponse, time.Duration, func(error)), said io.Writer) followed {
	loaded, _, err := config.Load(config.Sources{})
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(said, nil))
	b := followed{dir: openLog(t, disk)}
	b.follows = New(Options{
		Node: 2, BrokerEpoch: func() int64 { return 2 }, Send: send, Logger: logger, Settings: func() Settings {
			return Settings{MaxWait: 500 * time.Millisecond, MinBytes: 1, MaxBytes: 10 << 20, PartitionMaxBytes: 1 << 20, Backoff: 100 * time.Millisecond, Timeout: 30 * time.Second, Fetchers: 1}
		},
	})
	b.set = partition.NewSet(partition.Options{
		Node: 2, Dirs: []*commitlog.Dir{b.dir}, Logger: logger,
		TopicConfig: func(im *metadata.Image, topic string) *config.Topic { return loaded.Topic(im.TopicConfig(topic)) },
		Role:        b.follows.Update, BrokerEpoch: func() int64 { return 2 }, ReplicaLag: func() time.Duration { return time.Second },
	})
	empty := metadata.Empty("c")
	delta := empty.Change()
	for _, r := range []wire.Message{
		&wire.RegisterBrokerRecord{BrokerID: 1, BrokerEpoch: 1}, &wire.RegisterBrokerRecord{BrokerID: 2, BrokerEpoch: 2}, &wire.TopicRecord{Name: "t", TopicID: kafka.UUID{1}},
		&wire.PartitionRecord{TopicID: kafka.UUID{1}, Replicas: []int32{1, 2}, Isr: []int32{1, 2}, Leader: 1, Directories: make([]kafka.UUID, 2)},
	} {
		if err := delta.Replay(r); err != nil {
			t.Fatal(err)
		}
	}
	image := delta.Apply(4, 1)
	b.set.Apply(empty, image, metadata.Diff(empty, image))
	if b.t0, err = b.set.Get("t", 0); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b followed) stop(t *testing.T) {
	b.follows.Close()
	b.set.Close()
	if err := b.dir.Failed(); err != nil {
		t.Errorf("the log directory failed: %v", err)
	}
	if err := b.dir.Close(); err != nil {
		t.Error(err)
	}
}

func openLog(t *testing.T, disk vfs.FS) *commitlog.Dir {
	dir, err := commitlog.Open(disk, "/d", commitlog.Options{ClusterID: "c", NodeID: 2, JournalBytes: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func checkLies(t *testing.T, in []byte) {
	disk := vfs.NewMemory()
	leader := &liar{choices: in, spent: make(chan struct{}, 1)}
	b := followLiar(t, disk, leader.send, io.Discard)
	<-leader.spent
	log := b.t0.Log()
	if start, high, end := log.StartOffset(), log.HighWatermark(), log.EndOffset(); start < 0 || high < start || end < high {
		t.Errorf("the log begins at %d, ends at %d, its high watermark is %d", start, end, high)
	}
	b.stop(t)
	report, err := storagecheck.Check(t.Context(), disk, "/d", storagecheck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range report.Findings {
		// Offsets that no record has (Lost) are those of a compacted topic, too; and a marker that is none is passed over.
		if found.Severity == storagecheck.Damaged && !strings.Contains(found.Problem, "is no transaction marker") {
			t.Errorf("on the disk: %v", found)
		}
	}
	end := log.EndOffset()
	dir := openLog(t, disk)
	defer dir.Close()
	if again := dir.Log(kafka.TopicPartition{Topic: "t"}); again == nil || again.EndOffset() != end || again.Unloadable() != nil {
		t.Errorf("opened again the log is %v, and ended at %d", again, end)
	}
}

// A leader that sends what does not follow is asked again after pauses, and the log says what is wrong.
func TestBatchesThatDoNotFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		builder := new(liar)
		asked := 0
		send := func(_ int32, _ int, rq *wire.FetchRequest, response *wire.FetchResponse, _ time.Duration, done func(error)) {
			response.Reset()
			for _, topic := range rq.Topics {
				for _, p := range topic.Partitions {
					asked++
					var answer wire.FetchResponsePartitionData
					answer.Reset()
					answer.PartitionIndex, answer.HighWatermark = p.Partition, 2
					answer.Records = append(slices.Clone(builder.plain(0)), builder.plain(0)...)
					response.Responses = append(response.Responses, wire.FetchResponseFetchableTopicResponse{TopicID: topic.TopicID, Partitions: []wire.FetchResponsePartitionData{answer}})
				}
			}
			response.SessionID = 1
			time.AfterFunc(time.Millisecond, func() { done(nil) })
		}
		var said bytes.Buffer
		b := followLiar(t, vfs.NewMemory(), send, &said)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if asked < 2 || asked > 110 {
			t.Errorf("asked %d times in 10 s, with pauses that grow to 100 ms", asked)
		}
		if text := "was asked for offset 0 on and sent batches that do not follow"; strings.Count(said.String(), text) != 1 {
			t.Errorf("not said once: %q, but\n%s", text, said.String())
		}
		if end := b.t0.Log().EndOffset(); end != 0 {
			t.Errorf("the log ends at %d", end)
		}
		b.stop(t)
	})
}
