package controller

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// cluster runs one controller over a log in memory, and checks after each step what must always hold.
type cluster struct {
	t       *testing.T
	c       *Controller
	cfg     *config.Broker
	now     time.Time
	log     []statemachine.Record
	ids     int
	appends []wire.Message // records of the last step
	failing bool           // the log takes nothing
	quick   bool           // do not check the invariants

	incarnation kafka.UUID // of the broker in the controller's process
	predecessor int32      // the controller before, heard of at a time
	heard       time.Time
}

func newCluster(t *testing.T, sets ...string) *cluster {
	t.Helper()
	cfg, _, err := config.Load(config.Sources{Sets: append([]string{"node.id=1", "broker.session.timeout.ms=9000"}, sets...)})
	if err != nil {
		t.Fatal(err)
	}
	k := &cluster{t: t, cfg: cfg, now: time.Unix(1_000_000, 0)}
	k.lead()
	return k
}

// lead begins a new leadership: a new controller replays the log.
func (k *cluster) lead() {
	k.c = New(Options{
		ClusterID: "cluster", Epoch: 1, Config: k.cfg, Incarnation: k.incarnation, Predecessor: k.predecessor, PredecessorHeard: k.heard,
		NewID:  func() kafka.UUID { k.ids++; return kafka.UUID{0: 1, 14: byte(k.ids >> 8), 15: byte(k.ids)} },
		Random: func(int) int { return 0 },
	})
	for i, r := range k.log {
		if err := k.c.Replay(int64(i), r); err != nil {
			k.t.Fatal(err)
		}
	}
	k.step(k.c.Activate(k.now))
}

// step does with an output what an engine does.
func (k *cluster) step(out statemachine.Output) {
	k.t.Helper()
	k.appends = nil
	var failed error
	if k.failing && len(out.Records) > 0 {
		failed = kafka.KafkaStorageError
		out.Records = nil
	}
	for _, r := range out.Records {
		m, _, err := wire.DecodeMetadataRecord(r.Value)
		if err != nil {
			k.t.Fatal(err)
		}
		k.appends = append(k.appends, m)
		if err := k.c.Replay(int64(len(k.log)), r); err != nil {
			k.t.Fatal(err)
		}
		k.log = append(k.log, r)
	}
	for _, f := range out.Then {
		f(failed)
	}
	k.check()
}

// check holds the invariants of the package comment against the image.
func (k *cluster) check() {
	k.t.Helper()
	if k.quick {
		return
	}
	for t := range k.c.Image().Topics() {
		for id, p := range t.Partitions {
			where := fmt.Sprintf("%s-%d %+v", t.Name, id, *p)
			if p.Leader != metadata.NoLeader && !p.InSync(p.Leader) {
				k.t.Errorf("leader is not in sync: %s", where)
			}
			for _, b := range p.ISR {
				if !k.c.isActive(b) || !p.IsReplica(b) || slices.Contains(p.ELR, b) {
					k.t.Errorf("broker %d must not be in the ISR: %s", b, where)
				}
			}
			if len(p.Directories) != len(p.Replicas) {
				k.t.Errorf("not a directory for each replica: %s", where)
			}
		}
	}
}

// await returns what a decision answered at once.
func await[R any](k *cluster, decide func(Reply[R]) statemachine.Output) (response R, err error) {
	k.t.Helper()
	answers := 0
	k.step(decide(func(r R, e error) { response, err = r, e; answers++ }))
	if answers != 1 {
		k.t.Fatalf("answered %d times", answers)
	}
	return response, err
}

// wake lets time pass and the controller do what is due, as often as something is.
func (k *cluster) wake(d time.Duration) {
	k.t.Helper()
	k.now = k.now.Add(d)
	for range 100 {
		at := k.c.NextWake()
		if at.IsZero() || at.After(k.now) {
			return
		}
		k.step(k.c.Wake(k.now))
	}
	k.t.Fatal("the controller never comes to rest")
}

func directoryOf(broker int32) kafka.UUID { return kafka.UUID{0: 0xd1, 15: byte(broker)} }

func (k *cluster) registration(id int32, incarnation byte) *wire.BrokerRegistrationRequest {
	rq := new(wire.BrokerRegistrationRequest)
	rq.Reset()
	rq.BrokerID, rq.ClusterID, rq.IncarnationID = id, "cluster", kafka.UUID{0: byte(id), 1: incarnation}
	rq.LogDirs = []kafka.UUID{directoryOf(id)}
	rq.Listeners = []wire.BrokerRegistrationRequestListener{{Name: "PLAINTEXT", Host: "localhost", Port: 9092}}
	for _, f := range Features() {
		rq.Features = append(rq.Features, wire.BrokerRegistrationRequestFeature{Name: f.Name, MinSupportedVersion: f.Min, MaxSupportedVersion: f.Max})
	}
	return rq
}

func (k *cluster) register(rq *wire.BrokerRegistrationRequest) (int64, error) {
	k.t.Helper()
	rp, err := await(k, func(reply Reply[*wire.BrokerRegistrationResponse]) statemachine.Output {
		return k.c.RegisterBroker(k.now, rq, reply)
	})
	if err != nil {
		return 0, err
	}
	return rp.BrokerEpoch, nil
}

// beat sends a heartbeat of a broker that has read the whole log.
func (k *cluster) beat(id int32, more func(*wire.BrokerHeartbeatRequest)) (*wire.BrokerHeartbeatResponse, error) {
	k.t.Helper()
	rq := new(wire.BrokerHeartbeatRequest)
	rq.Reset()
	rq.BrokerID, rq.CurrentMetadataOffset = id, int64(len(k.log)-1)
	if b := k.c.Image().Broker(id); b != nil {
		rq.BrokerEpoch = b.Epoch
	}
	if more != nil {
		more(rq)
	}
	return await(k, func(reply Reply[*wire.BrokerHeartbeatResponse]) statemachine.Output {
		return k.c.Heartbeat(k.now, rq, reply)
	})
}

// join registers a broker and brings it to work.
func (k *cluster) join(id int32, rack string) {
	k.t.Helper()
	rq := k.registration(id, 1)
	if rack != "" {
		rq.Rack = &rack
	}
	if _, err := k.register(rq); err != nil {
		k.t.Fatal(err)
	}
	if rp, err := k.beat(id, nil); err != nil || rp.IsFenced {
		k.t.Fatalf("broker %d: %+v, %v", id, rp, err)
	}
}

func (k *cluster) create(t wire.CreateTopicsRequestCreatableTopic) error {
	k.t.Helper()
	rp, err := await(k, func(reply Reply[*wire.CreateTopicsResponse]) statemachine.Output {
		return k.c.CreateTopics(k.now, &wire.CreateTopicsRequest{Topics: []wire.CreateTopicsRequestCreatableTopic{t}}, reply)
	})
	if err != nil {
		return err
	}
	if r := rp.Topics[0]; r.ErrorCode != 0 {
		return kafka.Errorf(kafka.ErrorCode(r.ErrorCode), "%s", *r.ErrorMessage)
	}
	return nil
}

func TestNothingChangesWhenTheLogFails(t *testing.T) {
	k := newCluster(t)
	k.join(1, "")
	k.failing = true
	before := k.c.Image()
	err := k.create(wire.CreateTopicsRequestCreatableTopic{Name: "foo", NumPartitions: 1, ReplicationFactor: 1})
	if !errors.Is(err, kafka.KafkaStorageError) {
		t.Errorf("answered %v", err)
	}
	if k.c.Image() != before {
		t.Error("the image changed")
	}
	k.failing = false
	if err := k.create(wire.CreateTopicsRequestCreatableTopic{Name: "foo", NumPartitions: 1, ReplicationFactor: 1}); err != nil {
		t.Error(err)
	}
}

func TestFencingIsTriedAgainButNotInATightLoop(t *testing.T) {
	k := newCluster(t)
	k.join(1, "")
	k.failing = true
	k.now = k.c.NextWake()
	k.step(k.c.Wake(k.now))
	if next := k.c.NextWake(); !next.After(k.now) || next.After(k.now.Add(time.Second)) {
		t.Errorf("next wake-up %v after a failed one", next.Sub(k.now))
	}
	k.failing = false
	k.now = k.c.NextWake()
	k.wake(0)
	if !k.c.Image().Broker(1).Fenced {
		t.Error("the silent broker is not fenced")
	}
}

func TestNewControllerHasTheSameImage(t *testing.T) {
	k := newCluster(t)
	for id := range int32(3) {
		k.join(id+1, "")
	}
	if err := k.create(wire.CreateTopicsRequestCreatableTopic{Name: "a.b", NumPartitions: 5, ReplicationFactor: 3}); err != nil {
		t.Fatal(err)
	}
	k.wake(time.Minute)
	draw := func() string {
		var b strings.Builder
		for m := range k.c.Image().Records() {
			value, err := wire.EncodeMetadataRecord(m, metadata.RecordVersion(m))
			fmt.Fprintf(&b, "%T %x %v\n", m, value, err)
		}
		return b.String()
	}
	before, length := draw(), len(k.log)
	k.lead()
	if after := draw(); after != before || len(k.log) != length {
		t.Errorf("a second controller sees\n%s\nthe first saw\n%s", after, before)
	}
	err := k.create(wire.CreateTopicsRequestCreatableTopic{Name: "a_b", NumPartitions: 1, ReplicationFactor: 1})
	if !errors.Is(err, kafka.InvalidTopicException) {
		t.Errorf("collision after a new leadership: %v", err)
	}
}

func TestOneDecisionAtATimeBeforeActivation(t *testing.T) {
	cfg, _, err := config.Load(config.Sources{})
	if err != nil {
		t.Fatal(err)
	}
	c := New(Options{ClusterID: "x", Config: cfg, NewID: kafka.NewUUID, Random: func(int) int { return 0 }})
	out := c.CreateTopics(time.Now(), new(wire.CreateTopicsRequest), func(_ *wire.CreateTopicsResponse, err error) {
		if !errors.Is(err, kafka.NotController) {
			t.Errorf("answered %v before activation", err)
		}
	})
	if len(out.Records) != 0 || len(out.Then) != 1 {
		t.Fatalf("%+v", out)
	}
	out.Then[0](nil)
	if c.NextWake().After(time.Now()) {
		t.Error("does not ask to be activated")
	}
}

func TestKilledLoneNodeRegistersAtOnce(t *testing.T) {
	k := newCluster(t)
	k.join(1, "")
	k.join(2, "")
	k.now = k.now.Add(time.Second)
	again, other := k.registration(1, 2), k.registration(2, 2)
	k.incarnation = again.IncarnationID
	k.lead()
	if _, err := k.register(other); !errors.Is(err, kafka.DuplicateBrokerRegistration) {
		t.Errorf("another node's second incarnation: %v", err)
	}
	if _, err := k.register(again); err != nil {
		t.Errorf("the broker of this process: %v", err)
	}
}

// TestRandomWorkKeepsTheInvariants lets brokers come, go and lie while topics change; step checks after each.
func TestRandomWorkKeepsTheInvariants(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		k := newCluster(t, "unclean.leader.election.enable="+fmt.Sprint(seed%2 == 0), "leader.imbalance.check.interval.seconds=5")
		some := func() int32 { return int32(r.IntN(4)) + 1 }
		for range 400 {
			switch name := fmt.Sprintf("t%d", r.IntN(5)); r.IntN(10) {
			case 0:
				rq := k.registration(some(), byte(r.IntN(200)))
				rq.PreviousBrokerEpoch = int64(r.IntN(len(k.log)))
				k.register(rq)
			case 1, 2, 3:
				k.beat(some(), func(rq *wire.BrokerHeartbeatRequest) {
					rq.WantFence, rq.WantShutDown = r.IntN(8) == 0, r.IntN(8) == 0
				})
			case 4:
				k.wake(time.Duration(r.IntN(6000)) * time.Millisecond)
			case 5:
				k.create(wire.CreateTopicsRequestCreatableTopic{Name: name, NumPartitions: 3, ReplicationFactor: int16(r.IntN(3)) + 1})
			case 6:
				await(k, func(reply Reply[*wire.DeleteTopicsResponse]) statemachine.Output {
					return k.c.DeleteTopics(k.now, &wire.DeleteTopicsRequest{TopicNames: []string{name}}, reply)
				})
			case 7:
				k.propose(name, r)
			case 8:
				rq := &wire.AlterPartitionReassignmentsRequest{Topics: []wire.AlterPartitionReassignmentsRequestReassignableTopic{{
					Name: name, Partitions: []wire.AlterPartitionReassignmentsRequestReassignablePartition{{Replicas: []int32{some(), some()}}},
				}}}
				await(k, func(reply Reply[*wire.AlterPartitionReassignmentsResponse]) statemachine.Output {
					return k.c.AlterPartitionReassignments(k.now, rq, reply)
				})
			case 9:
				if r.IntN(10) == 0 {
					k.lead()
				} else if r.IntN(10) == 0 {
					await(k, func(reply Reply[*wire.UnregisterBrokerResponse]) statemachine.Output {
						return k.c.UnregisterBroker(k.now, &wire.UnregisterBrokerRequest{BrokerID: some()}, reply)
					})
				}
			}
			if t.Failed() {
				t.Fatalf("seed %d, last records %+v", seed, k.appends)
			}
		}
	}
}

// propose lets the leader of a partition propose a random ISR.
func (k *cluster) propose(topic string, r *rand.Rand) {
	t := k.c.Image().Topic(topic)
	p := t.Partition(int32(r.IntN(3)))
	if p == nil || p.Leader == metadata.NoLeader {
		return
	}
	wanted := wire.AlterPartitionRequestPartitionData{LeaderEpoch: p.LeaderEpoch, PartitionEpoch: p.PartitionEpoch}
	wanted.PartitionIndex = int32(slices.Index(t.Partitions, p))
	for _, id := range p.Replicas {
		if id == p.Leader || r.IntN(2) == 0 {
			wanted.NewIsrWithEpochs = append(wanted.NewIsrWithEpochs, wire.AlterPartitionRequestBrokerState{BrokerID: id, BrokerEpoch: -1})
		}
	}
	rq := &wire.AlterPartitionRequest{BrokerID: p.Leader, BrokerEpoch: k.c.Image().Broker(p.Leader).Epoch, Topics: []wire.AlterPartitionRequestTopicData{
		{TopicID: t.ID, Partitions: []wire.AlterPartitionRequestPartitionData{wanted}},
	}}
	await(k, func(reply Reply[*wire.AlterPartitionResponse]) statemachine.Output {
		return k.c.AlterPartition(k.now, rq, reply)
	})
}

// BenchmarkCreateTopics creates ten topics of 1,000 partitions in a cluster that has 10,000 topics.
func BenchmarkCreateTopics(b *testing.B) {
	cfg, _, err := config.Load(config.Sources{Sets: []string{"node.id=1"}})
	if err != nil {
		b.Fatal(err)
	}
	k := &cluster{t: new(testing.T), cfg: cfg, now: time.Unix(1_000_000, 0)}
	k.lead()
	k.join(1, "")
	for i := range 10_000 {
		if err := k.create(wire.CreateTopicsRequestCreatableTopic{Name: fmt.Sprintf("there_%d", i), NumPartitions: 1, ReplicationFactor: 1}); err != nil {
			b.Fatal(err)
		}
		k.quick = true
	}
	b.ResetTimer()
	for i := range b.N {
		for j := range 10 {
			if err := k.create(wire.CreateTopicsRequestCreatableTopic{Name: fmt.Sprintf("new_%d_%d", i, j), NumPartitions: 1000, ReplicationFactor: 1}); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// TestPlacementEndsAndUsesEachBrokerOnce tries all shapes of small clusters.
func TestPlacementEndsAndUsesEachBrokerOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 300 {
		d := metadata.Empty("c").Change()
		brokers, unfenced := r.IntN(8)+1, 0
		for id := range int32(brokers) {
			rack := fmt.Sprint(r.IntN(3))
			fenced := id > 0 && r.IntN(2) == 0
			if !fenced {
				unfenced++
			}
			if err := d.Replay(&wire.RegisterBrokerRecord{BrokerID: id, Rack: &rack, Fenced: fenced}); err != nil {
				t.Fatal(err)
			}
		}
		c := &Controller{current: d.Apply(0, 0), options: Options{Random: r.IntN}}
		factor := r.IntN(brokers) + 1
		placed, reason := c.place(30, int16(factor))
		if reason != "" {
			t.Fatal(reason)
		}
		leads := map[int32]int{}
		for _, replicas := range placed {
			if distinct := slices.Compact(slices.Sorted(slices.Values(replicas))); len(distinct) != factor {
				t.Fatalf("%d of %d brokers: %v", factor, brokers, replicas)
			}
			if c.current.Broker(replicas[0]).Fenced {
				t.Fatalf("led by a fenced broker: %v", replicas)
			}
			leads[replicas[0]]++
		}
		if len(leads) != unfenced && unfenced < 6 {
			t.Errorf("%d unfenced brokers, leaders %v", unfenced, leads)
		}
	}
}
