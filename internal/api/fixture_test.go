package api

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/metrics"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/server"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/statemachine/memlog"
	"github.com/ottla/ottla/internal/txn"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

const (
	testNode    = 1
	testCluster = "cluster-of-the-tests"
)

// world is an API with everything below it, on a memory disk, with clients over pipes. The metadata log is one in memory
// that commits, and publishes, as soon as it is written.
type world struct {
	t          testing.TB
	api        *API
	config     *config.Broker
	store      *metadata.Store
	partitions *partition.Set
	groups     *statemachine.Host[*group.Coordinator]
	txns       *statemachine.Host[*txn.Coordinator]
	engine     *statemachine.Engine[*controller.Controller]
	dir        *commitlog.Dir
	server     *server.Server
	pipes      *pipeListener
	metrics    *metrics.Registry
	epoch      int64
}

// newWorld starts an API for one registered broker. sets are key=value settings of the broker.
func newWorld(t testing.TB, fsys vfs.FS, sets ...string) *world {
	t.Helper()
	c, _, err := config.Load(config.Sources{Sets: append([]string{"offsets.topic.num.partitions=3", "transaction.state.log.num.partitions=3", "group.initial.rebalance.delay.ms=0"}, sets...)})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, config: c, store: metadata.NewStore(metadata.Empty(testCluster)), metrics: metrics.NewRegistry(), pipes: newPipeListener()}
	log := slog.New(slog.DiscardHandler)
	if w.dir, err = commitlog.Open(fsys, "/data", commitlog.Options{
		Logger: log, ClusterID: testCluster, NodeID: testNode,
		OnFailure: func(err error) { w.partitions.DirectoryFailed("/data", err) },
	}); err != nil {
		t.Fatal(err)
	}
	w.partitions = partition.NewSet(partition.Options{
		Node: testNode, Dirs: []*commitlog.Dir{w.dir}, Logger: log, Metrics: w.metrics,
		TopicConfig: func(im *metadata.Image, topic string) *config.Topic { return c.Topic(im.TopicConfig(topic)) },
	})
	w.groups = statemachine.NewHost(kafka.OffsetsTopic, w.coordinator, statemachine.Options{Logger: log})
	w.txns = statemachine.NewHost(kafka.TransactionsTopic, w.transactionCoordinator, statemachine.Options{Logger: log})
	w.store.Subscribe(w.partitions.Apply)
	w.store.Subscribe(w.follow)
	w.control(log)
	buffers := server.NewBuffers(8 << 20)
	w.api = New(Env{
		KRaftVersion: func() int16 { return 1 },
		Node:         testNode, Config: func() *config.Broker { return c }, Metadata: w.store, Partitions: w.partitions, Groups: w.groups, Transactions: w.txns,
		Controller:   func() (*statemachine.Engine[*controller.Controller], error) { return w.engine, nil },
		QuorumStatus: func() (quorum.Status, bool) { return quorum.Status{LeaderID: testNode}, true },
		Quorum:       func() *quorum.Quorum { return nil },
		Settled:      func(f func()) { f() }, BrokerEpoch: func() int64 { return w.epoch },
		Buffers: buffers, Metrics: w.metrics, Logger: log, LogLevel: new(slog.LevelVar),
	})
	w.server = server.New(server.Options{Handler: w.api, Logger: log, Metrics: w.metrics, Buffers: buffers, MaxRequestBytes: 8 << 20})
	if err := w.server.Listen(server.Listener{Name: "PLAINTEXT", SecurityProtocol: "PLAINTEXT", Net: w.pipes}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.stop)
	return w
}

func (w *world) stop() {
	w.api.Stop()
	w.groups.Stop(kafka.NotCoordinator)
	w.txns.Stop(kafka.NotCoordinator)
	ctx, cancel := context.WithTimeout(context.Background(), answerLimit)
	defer cancel()
	if err := w.server.Stop(ctx); err != nil {
		w.t.Error("a request was not answered:", err)
	}
	w.engine.Stop(kafka.NotController)
	if err := w.dir.Close(); err != nil && w.dir.Failed() == nil {
		w.t.Error(err)
	}
}

func (w *world) coordinator(id, _ int32) *group.Coordinator {
	return group.New(group.Options{
		Settings: func() group.Settings {
			return group.Settings{
				MinSessionTimeout: time.Millisecond, MaxSessionTimeout: time.Hour, MaxSize: 100, MaxMetadataBytes: 4096,
				OffsetsRetention: time.Hour, ExpiryInterval: time.Hour, ConsumerMaxSize: 100, Assignors: []string{"uniform", "range"},
				Upgrade: true, Downgrade: true, RegexRefresh: time.Minute, StreamsMaxSize: 100,
			}
		},
		Image: w.store.Current, Background: func(f func()) { go f() },
		Consumer: func(string) group.ConsumerSettings {
			return group.ConsumerSettings{SessionTimeout: time.Hour, HeartbeatInterval: time.Second}
		},
		Streams: func(string) group.StreamsSettings {
			return group.StreamsSettings{SessionTimeout: time.Hour, HeartbeatInterval: 100 * time.Millisecond}
		},
		NewID: func() string { return kafka.NewUUID().Hex() }, Logger: slog.New(slog.DiscardHandler),
		Again: func(op func(*group.Coordinator, time.Time) statemachine.Output) {
			if engine, err := w.groups.Get(id); err == nil {
				engine.Do(op, nil)
			}
		},
	})
}

// follow leads the coordinators.
func (w *world) follow(_, _ *metadata.Image, changes *metadata.Changes) {
	for _, topic := range changes.TopicsDeleted {
		if topic.Name == kafka.OffsetsTopic {
			for id := range topic.Partitions {
				w.groups.Resign(int32(id))
			}
		}
	}
	for _, change := range changes.Partitions {
		p, err := w.partitions.Get(change.Topic.Name, change.ID)
		if err != nil {
			continue
		}
		switch epoch := change.After.LeaderEpoch; change.Topic.Name {
		case kafka.OffsetsTopic:
			w.groups.Lead(change.ID, epoch, p.CoordinatorLog(epoch))
		case kafka.TransactionsTopic:
			w.txns.Lead(change.ID, epoch, p.CoordinatorLog(epoch).AllAcks())
		}
	}
}

func (w *world) transactionCoordinator(id, epoch int32) *txn.Coordinator {
	return txn.New(txn.Options{
		Epoch: epoch, Logger: slog.New(slog.DiscardHandler), Settings: w.api.TransactionSettings, NewProducerID: w.api.NewProducerID,
		Markers: func(m txn.Marker, done func([]error)) { w.api.WriteMarkers(m, done) },
		Again: func(op func(*txn.Coordinator, time.Time) statemachine.Output, failed func(error)) {
			if engine, err := w.txns.Get(id); err != nil {
				failed(err)
			} else {
				engine.Do(op, failed)
			}
		},
	})
}

// control starts the controller and registers the broker.
func (w *world) control(log *slog.Logger) {
	w.t.Helper()
	machine := controller.New(controller.Options{
		ClusterID: testCluster, Epoch: 1, Config: w.config, NewID: kafka.NewUUID, Random: rand.IntN,
	})
	w.engine = statemachine.New(machine, &metadataLog{Log: memlog.New(), world: w}, statemachine.Options{Name: kafka.MetadataTopic, Logger: log})
	if err := w.engine.Load(); err != nil {
		w.t.Fatal(err)
	}
	registration := &wire.BrokerRegistrationRequest{BrokerID: testNode, ClusterID: testCluster, IncarnationID: kafka.NewUUID(), PreviousBrokerEpoch: -1, LogDirs: []kafka.UUID{w.dir.ID()}}
	registration.Listeners = []wire.BrokerRegistrationRequestListener{{Name: "PLAINTEXT", Host: "broker", Port: 9092}}
	for _, f := range controller.Features() {
		registration.Features = append(registration.Features, wire.BrokerRegistrationRequestFeature{Name: f.Name, MinSupportedVersion: f.Min, MaxSupportedVersion: f.Max})
	}
	w.retry(func(c *controller.Controller, now time.Time, done func(error)) statemachine.Output {
		return c.RegisterBroker(now, registration, func(r *wire.BrokerRegistrationResponse, err error) {
			if err == nil {
				w.epoch = r.BrokerEpoch
			}
			done(err)
		})
	})
	for w.store.Current().Broker(testNode).Fenced {
		w.retry(func(c *controller.Controller, now time.Time, done func(error)) statemachine.Output {
			beat := &wire.BrokerHeartbeatRequest{BrokerID: testNode, BrokerEpoch: w.epoch, CurrentMetadataOffset: w.store.Current().Offset()}
			return c.Heartbeat(now, beat, func(_ *wire.BrokerHeartbeatResponse, err error) { done(err) })
		})
	}
}

// retry has the controller do something until it can.
func (w *world) retry(op func(c *controller.Controller, now time.Time, done func(error)) statemachine.Output) {
	w.t.Helper()
	for end := time.Now().Add(answerLimit); ; time.Sleep(time.Millisecond) {
		told := make(chan error, 1)
		w.engine.Do(func(c *controller.Controller, now time.Time) statemachine.Output {
			return op(c, now, func(err error) { told <- err })
		}, func(err error) { told <- err })
		err := <-told
		if err == nil {
			return
		}
		if time.Now().After(end) {
			w.t.Fatal(err)
		}
	}
}

// metadataLog publishes what is appended.
type metadataLog struct {
	*memlog.Log
	world *world
}

func (l *metadataLog) Append(batch []byte) (int64, error) {
	next, err := l.Log.Append(batch)
	if err != nil {
		return next, err
	}
	delta := l.world.store.Current().Change()
	for r, err := range record.Batch(batch).Records(1 << 26) {
		if err != nil {
			return 0, err
		}
		m, _, err := wire.DecodeMetadataRecord(r.Value)
		if err != nil {
			return 0, err
		}
		if err := delta.Replay(m); err != nil {
			return 0, err
		}
	}
	l.world.store.Publish(delta.Apply(next-1, 1), nil)
	return next, nil
}

// pipeListener is a net.Listener whose connections are net.Pipes.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

type pipeConn struct{ net.Conn }

func (pipeConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 1234} }

// client is one connection.
type client struct {
	t           testing.TB
	conn        net.Conn
	correlation int32
	id          string
	writes      chan []byte // one after the other, without waiting for the server to read
}

func (w *world) dial() *client {
	ours, theirs := net.Pipe()
	w.pipes.conns <- pipeConn{theirs}
	c := &client{t: w.t, conn: ours, id: "tester", writes: make(chan []byte, 1000)}
	go func() {
		for b := range c.writes {
			if _, err := c.conn.Write(b); err != nil {
				return
			}
		}
	}()
	w.t.Cleanup(func() { ours.Close(); close(c.writes) })
	return c
}

// frame encodes a request with its length.
func frame(t testing.TB, id string, correlation int32, rq wire.Message, version int16) []byte {
	t.Helper()
	w := new(wire.Writer)
	header := wire.RequestHeader{RequestApiKey: rq.Key(), RequestApiVersion: version, CorrelationID: correlation, ClientID: &id}
	header.Encode(w, wire.RequestHeaderVersion(rq.Key(), version))
	rq.Encode(w, version)
	if err := w.Err(); err != nil {
		t.Fatal(err)
	}
	body := w.Bytes()
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

// send writes a request and does not wait.
func (c *client) send(rq wire.Message, version int16) (correlation int32) {
	c.t.Helper()
	c.correlation++
	c.writes <- frame(c.t, c.id, c.correlation, rq, version)
	return c.correlation
}

// receive reads the answer to a request.
func (c *client) receive(correlation int32, response wire.Message, version int16) {
	c.t.Helper()
	if err := c.tryReceive(correlation, response, version); err != nil {
		c.t.Fatalf("reading %T: %v", response, err)
	}
}

func (c *client) tryReceive(correlation int32, response wire.Message, version int16) error {
	_ = c.conn.SetReadDeadline(time.Now().Add(answerLimit))
	var size [4]byte
	if _, err := io.ReadFull(c.conn, size[:]); err != nil {
		return err
	}
	body := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(c.conn, body); err != nil {
		return err
	}
	r := wire.NewReader(body)
	var header wire.ResponseHeader
	if err := header.Decode(r, wire.ResponseHeaderVersion(response.Key(), version)); err != nil {
		return err
	}
	if header.CorrelationID != correlation {
		return fmt.Errorf("correlation id %d, want %d", header.CorrelationID, correlation)
	}
	if err := response.Decode(r, version); err != nil {
		return err
	}
	return r.Done()
}

// ask sends a request and reads its answer.
func ask[R any, P interface {
	*R
	wire.Message
}](c *client, rq wire.Message, version int16) *R {
	c.t.Helper()
	response := new(R)
	c.receive(c.send(rq, version), P(response), version)
	return response
}

// waits polls until one request of a kind waits.
func (w *world) waits(what string, waiting *metrics.Gauge) {
	w.t.Helper()
	for end := time.Now().Add(answerLimit); waiting.Value() != 1; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("%s does not wait: %v requests do", what, waiting.Value())
		}
	}
}

// silent fails the test if an answer comes within d.
func (c *client) silent(d time.Duration) {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(d))
	if n, err := c.conn.Read(make([]byte, 1)); n > 0 || err == nil {
		c.t.Fatal("an answer came too early")
	} else if e, ok := err.(net.Error); !ok || !e.Timeout() {
		c.t.Fatalf("the connection ended: %v", err)
	}
}

// ended fails the test unless the connection ends.
func (c *client) ended() {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(answerLimit))
	if n, err := c.conn.Read(make([]byte, 1)); n > 0 || err != io.EOF {
		c.t.Fatalf("the connection did not end: %d bytes, %v", n, err)
	}
}

// create makes a topic.
func (w *world) create(c *client, name string, partitions int32, settings ...string) kafka.UUID {
	w.t.Helper()
	topic := wire.CreateTopicsRequestCreatableTopic{Name: name, NumPartitions: partitions, ReplicationFactor: 1}
	for i := 0; i < len(settings); i += 2 {
		topic.Configs = append(topic.Configs, wire.CreateTopicsRequestCreatableTopicConfig{Name: settings[i], Value: &settings[i+1]})
	}
	answer := ask[wire.CreateTopicsResponse](c, &wire.CreateTopicsRequest{Topics: []wire.CreateTopicsRequestCreatableTopic{topic}, TimeoutMs: int32(answerLimit.Milliseconds())}, 7)
	if code := answer.Topics[0].ErrorCode; code != 0 {
		w.t.Fatal(kafka.ErrorCode(code), *answer.Topics[0].ErrorMessage)
	}
	return answer.Topics[0].TopicID
}

func (w *world) remove(c *client, name string) {
	w.t.Helper()
	answer := ask[wire.DeleteTopicsResponse](c, &wire.DeleteTopicsRequest{Topics: []wire.DeleteTopicsRequestDeleteTopicState{{Name: &name}}, TimeoutMs: int32(answerLimit.Milliseconds())}, 6)
	if code := answer.Responses[0].ErrorCode; code != 0 {
		w.t.Fatal(kafka.ErrorCode(code))
	}
}

// batch is what a producer sends.
func batch(t testing.TB, values ...string) []byte {
	t.Helper()
	b := record.NewBuilder(record.BatchOptions{})
	for _, v := range values {
		b.Add(time.Now().UnixMilli(), nil, []byte(v))
	}
	built, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// values are the records of a batch sequence.
func values(t testing.TB, records []byte) (all []string) {
	t.Helper()
	for b, err := range record.Batches(records) {
		if err != nil {
			t.Fatal(err)
		}
		for r, err := range b.Records(1 << 24) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(r.Value))
		}
	}
	return all
}

// produceRequest makes a request with one batch per partition of a topic.
func produceRequest(acks int16, timeout time.Duration, topic string, id kafka.UUID, batches map[int32][]byte) *wire.ProduceRequest {
	data := wire.ProduceRequestTopicProduceData{Name: topic, TopicID: id}
	for i, b := range batches {
		data.PartitionData = append(data.PartitionData, wire.ProduceRequestPartitionProduceData{Index: i, Records: b})
	}
	return &wire.ProduceRequest{Acks: acks, TimeoutMs: int32(timeout.Milliseconds()), TopicData: []wire.ProduceRequestTopicProduceData{data}}
}

// produce produces to partition 0 of a topic by name (version 12) and returns the partition's answer.
func (c *client) produce(topic string, acks int16, values ...string) wire.ProduceResponsePartitionProduceResponse {
	c.t.Helper()
	rq := produceRequest(acks, answerLimit, topic, kafka.ZeroUUID, map[int32][]byte{0: batch(c.t, values...)})
	return ask[wire.ProduceResponse](c, rq, 12).Responses[0].PartitionResponses[0]
}
