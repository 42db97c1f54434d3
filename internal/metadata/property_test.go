package metadata

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// history draws records that a log could hold, each valid after those before it.
type history struct {
	rand    *rand.Rand
	model   model
	created int
}

// model is a plain picture of what the records say, built without the package's own tables.
type model struct {
	topics  map[string]kafka.UUID
	parts   map[string]int
	brokers map[int32]int64
	configs map[ConfigResource]map[string]string
}

func newHistory(seed uint64) *history {
	return &history{rand: rand.New(rand.NewPCG(seed, 7)), model: model{
		map[string]kafka.UUID{}, map[string]int{}, map[int32]int64{}, map[ConfigResource]map[string]string{},
	}}
}

func (h *history) pick(n int) int { return h.rand.IntN(n) }

func (h *history) someTopic() (string, bool) {
	names := slices.Sorted(maps.Keys(h.model.topics))
	if len(names) == 0 {
		return "", false
	}
	return names[h.pick(len(names))], true
}

func (h *history) ids() []int32 {
	list := []int32{}
	for range h.pick(4) {
		list = append(list, int32(h.pick(5)))
	}
	return list
}

func (h *history) next() wire.Message {
	switch h.pick(8) {
	case 0, 1:
		return h.topic()
	case 2, 3:
		return h.partition()
	case 4:
		return h.config()
	case 5:
		return h.broker()
	default:
		return h.other()
	}
}

func (h *history) topic() wire.Message {
	name := fmt.Sprintf("topic-%d", h.pick(400))
	if id, found := h.model.topics[name]; found {
		delete(h.model.topics, name)
		delete(h.model.parts, name)
		delete(h.model.configs, ConfigResource{ConfigTopic, name})
		return &wire.RemoveTopicRecord{TopicID: id}
	}
	h.created++
	id := kafka.UUID{byte(h.pick(256)), byte(h.created >> 8), byte(h.created)}
	h.model.topics[name] = id
	return &wire.TopicRecord{Name: name, TopicID: id}
}

func (h *history) partition() wire.Message {
	name, found := h.someTopic()
	if !found {
		return new(wire.NoOpRecord)
	}
	n := h.model.parts[name]
	if n > 0 && h.pick(3) == 0 {
		r := new(wire.PartitionChangeRecord)
		r.Reset()
		r.TopicID, r.PartitionID = h.model.topics[name], int32(h.pick(n))
		r.Leader = int32(h.pick(4)) - 2
		r.Isr, r.EligibleLeaderReplicas, r.LastKnownElr = h.ids(), h.ids(), h.ids()
		r.LeaderRecoveryState = int8(h.pick(3)) - 1
		return r
	}
	if n > 0 && h.pick(20) == 0 {
		return &wire.ClearElrRecord{TopicName: name}
	}
	h.model.parts[name]++
	replicas := h.ids()
	return &wire.PartitionRecord{
		TopicID: h.model.topics[name], PartitionID: int32(n), Replicas: replicas, Isr: h.ids(), Leader: int32(h.pick(3)),
		LeaderEpoch: int32(h.pick(9)), PartitionEpoch: int32(h.pick(9)), Directories: make([]kafka.UUID, len(replicas)),
		RemovingReplicas: h.ids(), AddingReplicas: h.ids(), EligibleLeaderReplicas: h.ids(),
	}
}

func (h *history) config() wire.Message {
	resource := ConfigResource{ConfigBroker, ""}
	if name, found := h.someTopic(); found && h.pick(4) > 0 {
		resource = ConfigResource{ConfigTopic, name}
	}
	r := &wire.ConfigRecord{ResourceType: int8(resource.Type), ResourceName: resource.Name, Name: fmt.Sprintf("key%d", h.pick(3))}
	if h.pick(3) > 0 {
		value := fmt.Sprint(h.pick(10))
		r.Value = &value
		if h.model.configs[resource] == nil {
			h.model.configs[resource] = map[string]string{}
		}
		h.model.configs[resource][r.Name] = value
	} else {
		delete(h.model.configs[resource], r.Name)
		if len(h.model.configs[resource]) == 0 {
			delete(h.model.configs, resource)
		}
	}
	return r
}

func (h *history) broker() wire.Message {
	id := int32(h.pick(5))
	epoch, found := h.model.brokers[id]
	if !found || h.pick(3) == 0 {
		h.created++
		h.model.brokers[id] = int64(h.created)
		rack := "r"
		return &wire.RegisterBrokerRecord{
			BrokerID: id, BrokerEpoch: int64(h.created), Rack: &rack, Fenced: true, LogDirs: []kafka.UUID{{9: byte(id + 1)}},
			EndPoints: []wire.RegisterBrokerRecordBrokerEndpoint{{Name: "PLAINTEXT", Host: "h", Port: 9}},
			Features:  []wire.RegisterBrokerRecordBrokerFeature{{Name: "b", MaxSupportedVersion: 2}, {Name: "a", MaxSupportedVersion: 1}},
		}
	}
	switch h.pick(5) {
	case 0:
		delete(h.model.brokers, id)
		return &wire.UnregisterBrokerRecord{BrokerID: id, BrokerEpoch: epoch}
	case 1:
		return &wire.FenceBrokerRecord{ID: id, Epoch: epoch}
	case 2:
		return &wire.UnfenceBrokerRecord{ID: id, Epoch: epoch}
	}
	return &wire.BrokerRegistrationChangeRecord{
		BrokerID: id, BrokerEpoch: epoch, Fenced: int8(h.pick(3)) - 1, InControlledShutdown: int8(h.pick(2)),
		LogDirs: []kafka.UUID{{9: 9}}, CordonedLogDirs: []kafka.UUID{},
	}
}

func (h *history) other() wire.Message {
	name := fmt.Sprintf("n%d", h.pick(4))
	switch h.pick(11) {
	case 0:
		return &wire.FeatureLevelRecord{Name: name, FeatureLevel: int16(h.pick(3))}
	case 1:
		return &wire.ProducerIdsRecord{BrokerID: 1, BrokerEpoch: 5, NextProducerID: int64(h.pick(100) * 1000)}
	case 2:
		r := &wire.ClientQuotaRecord{QuotaKey: "rate", Value: float64(h.pick(9)), Remove: h.pick(3) == 0}
		r.Entity = []wire.ClientQuotaRecordEntityData{{EntityType: "user", EntityName: &name}, {EntityType: "client-id"}}
		if h.pick(2) == 0 {
			slices.Reverse(r.Entity)
		}
		return r
	case 3:
		return &wire.UserScramCredentialRecord{Name: name, Mechanism: 1, Salt: []byte{1}, StoredKey: []byte{2}, ServerKey: []byte{3}, Iterations: 4096}
	case 4:
		return &wire.RemoveUserScramCredentialRecord{Name: name, Mechanism: 1}
	case 5:
		return &wire.AccessControlEntryRecord{ID: kafka.UUID{byte(h.pick(9))}, ResourceName: name, Principal: "User:a", Host: "*"}
	case 6:
		return &wire.DelegationTokenRecord{TokenID: name, Owner: "o", Renewers: []string{"r"}}
	case 7:
		return &wire.RemoveDelegationTokenRecord{TokenID: name}
	case 8:
		return &wire.RegisterControllerRecord{ControllerID: int32(h.pick(3)), IncarnationID: kafka.UUID{1}}
	case 9:
		return &wire.ZkMigrationStateRecord{ZkMigrationState: int8(h.pick(3))}
	}
	return new(wire.NoOpRecord)
}

// draw writes an image as its encoded records.
func draw(t *testing.T, im *Image) string {
	t.Helper()
	var b strings.Builder
	for m := range im.Records() {
		value, err := wire.EncodeMetadataRecord(m, RecordVersion(m))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %x\n", recordName(m), value)
	}
	return b.String()
}

// TestImageIsItsRecords: an image equals the one rebuilt from its records, earlier images never change, and Diff
// names exactly the topics and configurations that differ.
func TestImageIsItsRecords(t *testing.T) {
	for seed := range uint64(30) {
		h := newHistory(seed)
		im, log := Empty("c"), []wire.Message{}
		delta := im.Change()
		earlier, drawn := im, draw(t, im)
		before := maps.Clone(h.model.topics)
		for step := range 1500 {
			m := h.next()
			log = append(log, m)
			if err := delta.ReplayAt(int64(step), m); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if h.pick(20) > 0 {
				continue
			}
			next := delta.Apply(int64(step), 3)
			checkDiff(t, Diff(im, next), before, h.model.topics)
			im, before = next, maps.Clone(h.model.topics)
			if h.pick(5) == 0 {
				if now := draw(t, earlier); now != drawn {
					t.Fatalf("seed %d: an earlier image changed:\n%s", seed, cmp.Diff(drawn, now))
				}
				earlier, drawn = im, draw(t, im)
				checkModel(t, im, &h.model)
			}
		}
		im = delta.Apply(1500, 3)
		rebuilt := Empty("c").Change()
		for m := range im.Records() {
			if err := rebuilt.Replay(m); err != nil {
				t.Fatal(err)
			}
		}
		once := Empty("c").Change()
		for _, m := range log {
			if err := once.Replay(m); err != nil {
				t.Fatal(err)
			}
		}
		want := draw(t, im)
		if got := draw(t, rebuilt.Apply(1500, 3)); got != want {
			t.Fatalf("seed %d: rebuilt from its records: %s", seed, cmp.Diff(want, got))
		}
		if got := draw(t, once.Apply(1500, 3)); got != want {
			t.Fatalf("seed %d: the same log in one delta: %s", seed, cmp.Diff(want, got))
		}
	}
}

func checkModel(t *testing.T, im *Image, m *model) {
	t.Helper()
	if im.TopicCount() != len(m.topics) {
		t.Fatalf("%d topics, want %d", im.TopicCount(), len(m.topics))
	}
	for name, id := range m.topics {
		if got := im.Topic(name); got == nil || got.ID != id || im.TopicByID(id) != got || len(got.Partitions) != m.parts[name] {
			t.Fatalf("topic %s is %+v", name, got)
		}
	}
	for resource, config := range im.Configs() {
		if !maps.Equal(config, m.configs[resource]) {
			t.Fatalf("%v is %v, want %v", resource, config, m.configs[resource])
		}
	}
	for b := range im.Brokers() {
		if m.brokers[b.ID] != b.Epoch {
			t.Fatalf("broker %d has epoch %d, want %d", b.ID, b.Epoch, m.brokers[b.ID])
		}
	}
	var after []string
	for topic := range im.TopicsFrom("topic-2") {
		after = append(after, topic.Name)
	}
	all := slices.Sorted(maps.Keys(m.topics))
	at, _ := slices.BinarySearch(all, "topic-2")
	if !slices.Equal(after, all[at:]) {
		t.Fatalf("from topic-2 on: %v", after)
	}
}

func checkDiff(t *testing.T, c *Changes, before, after map[string]kafka.UUID) {
	t.Helper()
	got := map[kafka.UUID]int{}
	for _, topic := range c.TopicsCreated {
		got[topic.ID]++
	}
	for _, topic := range c.TopicsDeleted {
		got[topic.ID]--
	}
	want := map[kafka.UUID]int{}
	for _, id := range after {
		want[id]++
	}
	for _, id := range before {
		want[id]--
	}
	maps.DeleteFunc(want, func(_ kafka.UUID, n int) bool { return n == 0 })
	if !maps.Equal(got, want) {
		t.Fatalf("changes name %v, want %v", got, want)
	}
	for i := 1; i < len(c.TopicsCreated); i++ {
		if a, b := c.TopicsCreated[i-1].ID, c.TopicsCreated[i].ID; bytes.Compare(a[:], b[:]) >= 0 {
			t.Fatal("changes are not in order")
		}
	}
}
