package conformance

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// memoryLimit is what the broker's memory may grow to while it is told of 10 GB of frames and fed 11 GB of zeros in compressed
// batches. It starts with about 20 MB; one batch is decompressed at a time per processor, to 128 MiB at most.
func memoryLimit() int64 { return 256<<20 + int64(runtime.NumCPU())*(256<<20) }

// hostileStarts are first bytes of a connection after which the broker must close it and say why.
var hostileStarts = []struct {
	name  string
	bytes []byte
}{
	{"half a frame", frame(make([]byte, 100))[:50]},
	{"giant length", binary.BigEndian.AppendUint32(nil, 0x7fffffff)},
	{"negative length", binary.BigEndian.AppendUint32(nil, 0x80000000)},
	{"HTTP", []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")},
	{"TLS hello", []byte{0x16, 3, 1, 0, 0xc8, 1, 0, 0, 0xc4, 3, 3, 1, 2, 3, 4, 5, 6, 7, 8}},
	{"unknown API", frame(header(9999, 0))},
	{"unsupported version", frame(append(header(3, 99), 0, 0, 0, 0))},
	{"array longer than the frame", frame(append(header(3, 1), 0x7f, 0xff, 0xff, 0xff))},
	{"string longer than the frame", frame(append(header(3, 1), 0, 0, 0, 1, 0x7f, 0xff, 'x'))},
	{"endless varint", frame(append(header(3, 12), bytes.Repeat([]byte{0xff}, 64)...))},
	{"unknown tags beyond the frame", frame(append(header(3, 12), 0xff, 0xff, 0xff, 0xff, 0x0f))},
	{"no header", frame([]byte{0, 3})},
	{"client id beyond the frame", frame([]byte{0, 3, 0, 1, 0, 0, 0, 1, 0x7f, 0xff, 'x'})},
}

func TestBadInput(t *testing.T) {
	tg := newTarget(t)
	for i, c := range hostileStarts {
		t.Run(c.name, func(t *testing.T) {
			from := fmt.Sprintf("127.0.7.%d", i+1)
			p := dial(t, tg, from)
			p.send(c.bytes)
			p.CloseWrite()
			p.wantClosed()
			wantLogLine(t, tg, from)
		})
	}
	t.Run("random bytes", func(t *testing.T) { randomBytes(t, tg) })
	if tg.own != nil { // real Kafka takes the memory at once
		t.Run("announced frames", func(t *testing.T) { announcedFrames(t, tg) })
	}
	t.Run("ApiVersions of the future", func(t *testing.T) { futureApiVersions(t, tg) })
	t.Run("records", func(t *testing.T) { badRecords(t, tg) })
	t.Run("names", func(t *testing.T) { badNames(t, tg) })
	t.Run("memory stays bounded", func(t *testing.T) {
		if peak, known := peakMemory(tg); known && peak > memoryLimit() {
			t.Errorf("the broker used up to %d MB, at most %d are allowed", peak>>20, memoryLimit()>>20)
		} else if known {
			t.Logf("peak memory %d MB", peak>>20)
		}
	})
	t.Run("serves on", func(t *testing.T) { servesOn(t, tg) })
}

// wantLogLine waits for a line of the broker's log that names the peer and a reason.
func wantLogLine(t *testing.T, tg target, from string) {
	t.Helper()
	if tg.own == nil {
		return
	}
	for deadline := time.Now().Add(answerLimit); ; time.Sleep(10 * time.Millisecond) {
		for line := range strings.Lines(tg.own.Log()) {
			var entry struct{ Peer, Reason string }
			if json.Unmarshal([]byte(line), &entry) == nil && strings.HasPrefix(entry.Peer, from+":") && entry.Reason != "" {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Errorf("no line of the broker's log names the peer %s and a reason", from)
			return
		}
	}
}

// randomBytes: whatever the bytes mean, the connection ends once the peer has said all.
func randomBytes(t *testing.T, tg target) {
	source := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		b := make([]byte, 1+source.IntN(300))
		for i := range b {
			b[i] = byte(source.Uint32())
		}
		if source.IntN(2) == 0 { // a frame that is complete, for an API and version that exist
			b = frame(append(header(int16(source.IntN(93)), int16(source.IntN(5))), b...))
		}
		p := dial(t, tg, "")
		p.send(b)
		p.CloseWrite()
		p.wantClosed()
		p.Close()
		if t.Failed() {
			t.Fatalf("after %x", b)
		}
	}
}

// announcedFrames: a length alone must not cost memory.
func announcedFrames(t *testing.T, tg target) {
	for range 100 {
		p := dial(t, tg, "")
		p.send(binary.BigEndian.AppendUint32(nil, 100<<20-1))
		p.send(header(0, 9))
	}
	servesOn(t, tg) // while all of them wait
}

// A client that is newer than the broker gets error 35 in the oldest form, on a connection that stays open.
func futureApiVersions(t *testing.T, tg target) {
	p := dial(t, tg, "")
	for range 2 {
		p.send(frame(append(header(18, 99), 0, 1, 1, 0)))
		var head [10]byte
		if _, err := p.Read(head[:]); err != nil {
			t.Fatal(err)
		}
		rest := make([]byte, binary.BigEndian.Uint32(head[:])-6)
		if _, err := p.Read(rest); err != nil {
			t.Fatal(err)
		}
		if code := binary.BigEndian.Uint16(head[8:]); code != 35 {
			t.Errorf("error code %d, want 35 (UNSUPPORTED_VERSION)", code)
		}
	}
}

// badNames: topics with names that cannot be.
func badNames(t *testing.T, tg target) {
	const invalidTopic = 17
	for _, name := range []string{"", ".", "..", "a/b", "a b", "ü", "a\x00b", strings.Repeat("x", 250)} {
		p := dial(t, tg, "")
		rq := kmsg.NewPtrCreateTopicsRequest()
		rq.Version = 5
		topic := kmsg.NewCreateTopicsRequestTopic()
		topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, 1, 1
		rq.Topics = append(rq.Topics, topic)
		if code := p.ask(rq).(*kmsg.CreateTopicsResponse).Topics[0].ErrorCode; code != invalidTopic {
			t.Errorf("CreateTopics of %q: error code %d, want %d (INVALID_TOPIC_EXCEPTION)", name, code, invalidTopic)
		}
		ask := kmsg.NewPtrMetadataRequest()
		ask.Version, ask.AllowAutoTopicCreation = 9, true
		ask.Topics = []kmsg.MetadataRequestTopic{{Topic: &name}}
		if code := p.ask(ask).(*kmsg.MetadataResponse).Topics[0].ErrorCode; code != invalidTopic {
			t.Errorf("Metadata of %q: error code %d, want %d (INVALID_TOPIC_EXCEPTION)", name, code, invalidTopic)
		}
	}
}

// servesOn produces and consumes as a normal client does.
func servesOn(t *testing.T, tg target) {
	t.Helper()
	topic := tg.name(strings.ReplaceAll(t.Name(), "/", "."))
	cl := kafkaClient(t, tg, kgo.ConsumeTopics(topic), kgo.AllowAutoTopicCreation(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.MetadataMinAge(50*time.Millisecond))
	if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("still here")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	for records := 0; records == 0; {
		fetches := cl.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		records = fetches.NumRecords()
	}
}

// peakMemory is the most resident memory that our own broker had, where the system tells.
func peakMemory(tg target) (peak int64, known bool) {
	if tg.own == nil {
		return 0, false
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", tg.own.PID))
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			_, err := fmt.Sscan(rest, &peak)
			return peak << 10, err == nil
		}
	}
	return 0, false
}
