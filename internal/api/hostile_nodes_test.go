package api

import (
	"context"
	"encoding/binary"
	"log/slog"
	"reflect"
	"testing"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/server"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// What one node may be told by another: everything that is served on the listeners of controllers, and, of brokers, what
// followers and coordinators ask.

// newHostileNodes is a world with a listener of its controller, which leads a quorum of one, with two more brokers, and with topics
// that have replicas on them.
func newHostileNodes(t testing.TB, seed uint64) (broker, control *world, f *filler) {
	broker, f = newHostileWorld(t, seed)
	for id := int32(2); id <= 3; id++ {
		broker.register(id)
	}
	c := broker.dial()
	topic := wire.CreateTopicsRequestCreatableTopic{Name: "three", NumPartitions: -1, ReplicationFactor: -1, Assignments: []wire.CreateTopicsRequestCreatableReplicaAssignment{
		{PartitionIndex: 0, BrokerIDs: []int32{1, 2, 3}}, {PartitionIndex: 1, BrokerIDs: []int32{2, 3, 1}},
	}}
	created := ask[wire.CreateTopicsResponse](c, &wire.CreateTopicsRequest{Topics: []wire.CreateTopicsRequestCreatableTopic{topic}, TimeoutMs: 10000}, 7)
	if created.Topics[0].ErrorCode != 0 {
		t.Fatal(*created.Topics[0].ErrorMessage)
	}
	f.ids = append(f.ids, created.Topics[0].TopicID, broker.dir.ID())
	c.produce("three", 1, "some", "records")

	disk := vfs.NewMemory()
	dir, err := commitlog.Open(disk, "/metadata", commitlog.Options{Logger: slog.New(slog.DiscardHandler), ClusterID: testCluster, NodeID: testNode})
	if err != nil {
		t.Fatal(err)
	}
	self := quorum.Voter{NodeID: testNode, DirectoryID: dir.ID()}
	q, err := quorum.Start(dir, disk, commitlog.Config{SegmentBytes: 1 << 20}, quorum.Options{Self: self, Voters: []quorum.Voter{self}, Dynamic: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	env := broker.api.Env
	env.Quorum = func() *quorum.Quorum { return q }
	env.QuorumStatus = func() (quorum.Status, bool) { return q.Status(), true }
	env.Controllers = func() ([]ControllerEndpoint, int32) {
		return []ControllerEndpoint{{Node: testNode, Host: "here", Port: 9093}}, testNode
	}
	env.BrokerLinked = func(context.Context, int32, int64) {}
	env.AskFeatures = func(_ int32, _ quorum.Endpoint, done func(*wire.ApiVersionsResponse, error)) {
		r := new(wire.ApiVersionsResponse)
		f.fill(reflect.ValueOf(r).Elem(), 0)
		done(r, nil)
	}
	env.Raft = func(rq *wire.RaftRequest) error {
		for i := range rq.Messages {
			m := new(pb.Message)
			if err := proto.Unmarshal(rq.Messages[i].Message, m); err != nil {
				return err
			}
			if err := q.Meet(m.GetFrom(), quorum.Voter{NodeID: rq.NodeID, DirectoryID: rq.DirectoryID}); err != nil {
				return err
			}
			if err := q.Step(m); err != nil {
				return err
			}
		}
		return nil
	}
	door := NewController(env)
	control = &world{t: t, api: door, config: broker.config, store: broker.store, engine: broker.engine, metrics: broker.metrics, pipes: newPipeListener()}
	control.server = server.New(server.Options{Handler: door, Logger: env.Logger, Metrics: broker.metrics, Buffers: env.Buffers, MaxRequestBytes: 8 << 20})
	if err := control.server.Listen(server.Listener{Name: "CONTROLLER", SecurityProtocol: "PLAINTEXT", Net: control.pipes}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		door.Stop()
		ctx, cancel := context.WithTimeout(context.Background(), answerLimit)
		defer cancel()
		if err := control.server.Stop(ctx); err != nil {
			t.Error("a request was not answered:", err)
		}
		q.Close()
		dir.Close()
	})
	for end := time.Now().Add(answerLimit); q.Status().LeaderID != testNode; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the quorum has no leader")
		}
	}
	return broker, control, f
}

// register makes another broker known, and unfenced.
func (w *world) register(id int32) {
	w.t.Helper()
	rq := &wire.BrokerRegistrationRequest{BrokerID: id, ClusterID: testCluster, IncarnationID: kafka.NewUUID(), PreviousBrokerEpoch: -1, LogDirs: []kafka.UUID{kafka.NewUUID()}}
	rq.Listeners = []wire.BrokerRegistrationRequestListener{{Name: "PLAINTEXT", Host: "other", Port: uint16(9092 + id)}}
	for _, f := range controller.Features() {
		rq.Features = append(rq.Features, wire.BrokerRegistrationRequestFeature{Name: f.Name, MinSupportedVersion: f.Min, MaxSupportedVersion: f.Max})
	}
	epoch := int64(-1)
	w.retry(func(c *controller.Controller, now time.Time, done func(error)) statemachine.Output {
		return c.RegisterBroker(now, rq, func(r *wire.BrokerRegistrationResponse, err error) {
			if err == nil {
				epoch = r.BrokerEpoch
			}
			done(err)
		})
	})
	for w.store.Current().Broker(id).Fenced {
		w.retry(func(c *controller.Controller, now time.Time, done func(error)) statemachine.Output {
			beat := &wire.BrokerHeartbeatRequest{BrokerID: id, BrokerEpoch: epoch, CurrentMetadataOffset: w.store.Current().Offset()}
			return c.Heartbeat(now, beat, func(_ *wire.BrokerHeartbeatResponse, err error) { done(err) })
		})
	}
}

// hostileRequest fills a request, with what a node would say, in part, so that it gets past the first check.
func (f *filler) hostileRequest(key int16, store func() int64) wire.Message {
	rq := wire.NewRequest(key)
	f.fill(reflect.ValueOf(rq).Elem(), 0)
	right := f.IntN(4) != 0
	cluster := testCluster
	switch rq := rq.(type) {
	case *wire.EnvelopeRequest:
		if right {
			f.seal(rq, store)
		}
	case *wire.BrokerRegistrationRequest:
		if right {
			rq.ClusterID = cluster
		}
	case *wire.FetchRequest:
		if right {
			rq.ClusterID = nil
			for i := range rq.Topics {
				rq.Topics[i].TopicID = f.ids[f.IntN(len(f.ids))]
				if len(f.ids) > 0 && f.IntN(2) == 0 {
					rq.Topics[i].TopicID = kafka.OneUUID
				}
				for j := range rq.Topics[i].Partitions {
					p := &rq.Topics[i].Partitions[j]
					if f.IntN(2) == 0 {
						p.SetDurableOffset(f.Int64(), new([8]byte))
					}
				}
			}
		}
	case *wire.FetchSnapshotRequest:
		if right {
			rq.ClusterID = nil
		}
	case *wire.RaftRequest:
		if right {
			rq.ClusterID = cluster
			for i := range rq.Messages {
				rq.Messages[i].Message = f.raftMessage()
			}
		}
	case *wire.AddRaftVoterRequest:
		if right {
			rq.ClusterID = nil
		}
	case *wire.RemoveRaftVoterRequest:
		if right {
			rq.ClusterID = nil
		}
	case *wire.UpdateRaftVoterRequest:
		if right {
			rq.ClusterID = nil
		}
	}
	f.epochs(reflect.ValueOf(rq).Elem(), store)
	return rq
}

// epochs puts a broker's right epoch into half of the requests that have one.
func (f *filler) epochs(v reflect.Value, store func() int64) {
	id, epoch := v.FieldByName("BrokerID"), v.FieldByName("BrokerEpoch")
	if id.IsValid() && epoch.IsValid() && epoch.CanInt() && f.IntN(4) != 0 {
		id.SetInt(testNode)
		epoch.SetInt(store())
	}
}

// seal puts a hostile request of an administrator into an Envelope.
func (f *filler) seal(rq *wire.EnvelopeRequest, store func() int64) {
	keys := []int16{19, 20, 37, 43, 45, 46, 57, 64, 80, 81, 33, 44, 58, 0}
	key := keys[f.IntN(len(keys))]
	row, _ := wire.FindAPI(key)
	version := row.Min + int16(f.IntN(int(row.Max-row.Min)+1))
	inner := wire.NewRequest(key)
	if key == 58 {
		f.fill(reflect.ValueOf(inner).Elem(), 0)
	} else {
		inner = f.hostileRequest(key, store)
	}
	body, ok := encode(inner, version)
	if !ok {
		return
	}
	if f.IntN(4) == 0 {
		body = body[:f.IntN(len(body)+1)]
	}
	rq.RequestData, rq.RequestPrincipal, rq.ClientHostAddress = body, principalBytes("User:ANONYMOUS"), []byte{127, 0, 0, 1}
}

// raftMessage is one in raft's own form, most of it senseless.
func (f *filler) raftMessage() []byte {
	number := func() *uint64 {
		few := []uint64{0, 1, 2, 3, 1 << 31, 1<<64 - 1, uint64(f.Int64())}
		return new(few[f.IntN(len(few))])
	}
	kind := pb.MessageType(f.IntN(25))
	self := quorum.Voter{NodeID: int32(f.IntN(3)), DirectoryID: f.ids[f.IntN(len(f.ids))]}
	m := &pb.Message{Type: &kind, From: new(self.RaftID()), To: number(), Term: number(), Index: number(), LogTerm: number(), Commit: number(), RejectHint: number()}
	for range f.IntN(3) {
		m.Entries = append(m.Entries, &pb.Entry{Index: number(), Term: number(), Data: f.batches[f.IntN(len(f.batches))]})
	}
	body, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	return body
}

// Requests of other nodes that are well formed, but hostile.
func TestHostileNodes(t *testing.T) {
	rounds := 20
	if testing.Short() || raceEnabled {
		rounds = 3
	}
	broker, control, f := newHostileNodes(t, 1)
	epoch := func() int64 {
		if b := broker.store.Current().Broker(testNode); b != nil {
			return b.Epoch
		}
		return -1
	}
	spent := func() bool {
		return broker.store.Current().TopicCount() > 300 || broker.store.Current().Broker(testNode) == nil
	}
	answered := map[string]int{}
	for round := range rounds {
		for _, w := range []*world{control, broker} {
			for _, row := range w.api.rows {
				if w == broker && !betweenBrokers[row.Key] {
					continue
				}
				for version := row.Min; version <= row.Max; version++ {
					rq := f.hostileRequest(row.Key, epoch)
					if w.check(t, encodeOrEmpty(rq, version), patience) {
						answered[row.Name]++
					}
				}
			}
		}
		if spent() {
			broker, control, f = newHostileNodes(t, uint64(round))
		}
	}
	for _, row := range control.api.rows {
		if answered[row.Name] == 0 && !testing.Short() && !raceEnabled {
			t.Errorf("%s never answered", row.Name)
		}
	}
}

// betweenBrokers are the APIs on listeners of brokers that have something for other brokers alone.
var betweenBrokers = map[int16]bool{1: true, 2: true, 18: true, 23: true, 24: true, 27: true, 20001: true}

// Everything that is not well formed, on the listener of a controller.
func FuzzController(f *testing.F) {
	tb := outlastingTB{f}
	broker, w, fill := newHostileNodes(tb, 1)
	epoch := func() int64 { return broker.store.Current().Broker(testNode).Epoch }
	for _, row := range w.api.rows {
		for _, version := range []int16{row.Min, row.Max} {
			for range 4 {
				if body, ok := encode(fill.hostileRequest(row.Key, epoch), version); ok {
					f.Add(row.Key, version, body[8:])
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, key, version int16, rest []byte) {
		body := binary.BigEndian.AppendUint16(nil, uint16(key))
		body = binary.BigEndian.AppendUint16(body, uint16(version))
		body = append(body, 0, 0, 0, 9)
		w.check(t, append(body, rest...), patience)
		if broker.store.Current().TopicCount() > 300 || broker.store.Current().Broker(testNode) == nil {
			broker, w, _ = newHostileNodes(tb, 1)
		}
	})
}
