package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/api"
	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/metrics"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/peer"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/replication"
	"github.com/ottla/ottla/internal/server"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/txn"
	"github.com/ottla/ottla/internal/vfs"
)

// Options say what a broker is made of.
type Options struct {
	Config *config.Broker
	// FS holds the log directories; nil stands for the disk.
	FS vfs.FS
	// Listen opens the sockets of Kafka's listeners; nil stands for net.Listen.
	Listen func(network, address string) (net.Listener, error)
	// Dial opens the connections to other nodes; nil stands for net.Dialer.DialContext.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Logger is told what operators should know; nil stands for nobody.
	Logger *slog.Logger
	// LogLevel is the level of Logger, which administrators may change; nil stands for one without effect.
	LogLevel *slog.LevelVar
	// Version is that of this program, for /metrics.
	Version string
	// Now is the clock that dates what is stored and sent; nil stands for time.Now. Its times have the monotonic reading of
	// time.Now, by which durations are counted: the wall clock may be set, and differ between nodes.
	Now func() time.Time
}

// Broker is a running broker.
type Broker struct {
	options     Options
	log         *slog.Logger
	node        int32
	incarnation kafka.UUID
	metrics     *metrics.Registry

	dirs        []*commitlog.Dir // log.dirs, in their order
	metadataDir *commitlog.Dir   // of the metadata log, which may be one of dirs
	assignments *assignments
	proposals   *proposals
	// toldOffline has the ids of offline directories that the controller knows of.
	toldOffline sync.Map
	beats       chan struct{} // asks for a heartbeat; holds one
	leaving     atomic.Bool   // the controller is told that this broker wants to go
	gone        chan struct{} // closed when the controller says that it may
	left        sync.Once
	answered    atomic.Pointer[time.Time] // when the controller last answered a heartbeat
	refusedBy   sync.Map                  // by node id: the error with which a controller refuses raft's messages, as the log has it
	toldGone    sync.Map                  // by node id: when the log last said that its process is gone

	store      *metadata.Store
	publisher  *publisher
	quorum     atomic.Pointer[quorum.Quorum]
	observer   *quorum.Observer // of a broker that is no controller; quorum is nil then
	controller controllerSeat
	active     *activeController
	images     *reached
	links      links
	voters     *voters
	told       atomic.Int32   // the epoch whose leader knows how this static voter is reached
	peers      *peer.Registry // connections to other nodes
	partitions *partition.Set
	followers  *replication.Followers
	groups     *statemachine.Host[*group.Coordinator]
	txns       *statemachine.Host[*txn.Coordinator]
	api        *api.API
	server     *server.Server
	listeners  []listener
	// controllerAPI and controllerServer serve the listeners of controllers; nil if this node has none.
	controllerAPI    *api.API
	controllerServer *server.Server
	http             *httpServer

	built chan struct{} // closed once the fields above are set

	// config is the configuration in force, dynamic settings included.
	config  atomic.Pointer[config.Broker]
	cleaner atomic.Pointer[commitlog.Cleaner] // nil before and after it runs
	epoch   atomic.Int64                      // of the registration; -1 before
	ready   atomic.Bool
	failed  chan error // a failure that ends the broker; holds one

	ctx    context.Context
	cancel context.CancelFunc
	tasks  sync.WaitGroup // goroutines that end with ctx
	loads  sync.WaitGroup // controllers that read the metadata log; they end with the quorum
}

// Start starts a broker and returns once it serves. What was started is stopped again if that fails, or ctx ends.
func Start(ctx context.Context, o Options) (*Broker, error) {
	if o.FS == nil {
		o.FS = vfs.Disk()
	}
	if o.Listen == nil {
		o.Listen = net.Listen
	}
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.LogLevel == nil {
		o.LogLevel = new(slog.LevelVar)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	b := &Broker{
		options: o, log: o.Logger, node: int32(o.Config.Int(config.NodeID)), incarnation: kafka.NewUUID(),
		metrics: metrics.NewRegistry(), failed: make(chan error, 1), built: make(chan struct{}),
		beats: make(chan struct{}, 1), assignments: newAssignments(), proposals: newProposals(), active: newActiveController(), images: newReached(),
		gone: make(chan struct{}),
	}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	b.config.Store(o.Config)
	b.epoch.Store(-1)
	if err := b.start(ctx); err != nil {
		return nil, errors.Join(err, b.Stop(context.Background()))
	}
	return b, nil
}

func (b *Broker) start(ctx context.Context) error {
	if err := checkReplicaSelector(b.options.Config); err != nil {
		return err
	}
	if err := b.openListeners(); err != nil {
		return err
	}
	if err := b.openDirectories(); err != nil {
		return err
	}
	b.store = metadata.NewStore(metadata.Empty(b.ClusterID()))
	b.publisher = newPublisher(b.store, b.log, b.fail)
	b.store.Subscribe(b.images.published)
	b.voters = newVoters(b.options.Config)
	b.connectPeers()
	b.build()
	if err := b.joinQuorum(); err != nil {
		return err
	}
	if err := b.serveControllers(); err != nil {
		return err
	}
	if b.isBroker() {
		if err := b.startBroker(ctx); err != nil {
			return err
		}
	} else {
		b.exportController()
		if err := b.startHTTP(); err != nil {
			return err
		}
	}
	b.ready.Store(true)
	return nil
}

// startBroker makes this node a broker of the cluster, which serves clients.
func (b *Broker) startBroker(ctx context.Context) error {
	if err := b.register(ctx); err != nil {
		return err
	}
	select {
	case err := <-b.failed:
		return err // what the image lacks is not known to be deleted
	default:
	}
	b.setStraysAside()
	b.tasks.Go(b.sendAssignments)
	b.keepInSync()
	b.housekeep()
	b.startCleaner()
	b.exportMetrics()
	if err := b.startHTTP(); err != nil {
		return err
	}
	return b.serve()
}

// build makes the parts that serve requests.
func (b *Broker) build() {
	options := partition.Options{
		Node: b.node, Dirs: b.dirs, TopicConfig: b.topicConfig, Logger: b.log, Metrics: b.metrics,
		ProducerExpiration: func() time.Duration { return b.config.Load().Duration(config.ProducerIDExpirationMs) },
		Cordoned:           b.cordoned, Assign: b.assignments.add, MoveThreads: b.moveThreads,
		MoveRate: func() int64 { return b.config.Load().DynamicLong(config.ReplicaAlterLogDirsIOMaxBytesPerSecond) },
	}
	b.replicate(&options)
	b.partitions = partition.NewSet(options)
	b.followers = b.newFollowers()
	b.groups = b.newGroups()
	b.txns = b.newTransactions()
	buffers := server.NewBuffers(maxIdleBuffers)
	b.buildController(buffers)
	env := api.Env{
		Node: b.node, Config: b.config.Load, Metadata: b.store, Partitions: b.partitions, Groups: b.groups, Transactions: b.txns,
		Controller: b.controller.engine, Settled: b.publisher.after, BrokerEpoch: b.epoch.Load, Controllers: b.controllers, QuorumStatus: b.quorumStatus,
		Quorum: b.quorum.Load, AskFeatures: b.askFeatures, KRaftVersion: b.voters.kraftVersion,
		Buffers: buffers, Metrics: b.metrics, Logger: b.log, LogLevel: b.options.LogLevel, Replicas: b.replicasHere, Now: b.options.Now,
	}
	if !b.solitary() {
		env.Remote, env.Reached, env.Peer = b.remote, b.waitForOffset, b.askPeer
	}
	b.api = api.New(env)
	b.server = server.New(b.serverOptions(buffers))
	close(b.built)
}

// moveThreads is how many replicas move between log directories at a time.
func (b *Broker) moveThreads() int {
	if c := b.config.Load(); !c.IsNull(config.NumReplicaAlterLogDirsThreads) {
		return c.Int(config.NumReplicaAlterLogDirsThreads)
	}
	return len(b.dirs)
}

// maxIdleBuffers bounds the memory of buffers that nobody uses at the moment.
const maxIdleBuffers = 32 << 20

// ClusterID is the id of the cluster that the log directories belong to.
func (b *Broker) ClusterID() string { return b.metadataDir.Meta().ClusterID }

// Node is the broker's id.
func (b *Broker) Node() int32 { return b.node }

// Failed delivers the failure that makes it pointless to go on, such as the loss of the metadata log.
func (b *Broker) Failed() <-chan error { return b.failed }

func (b *Broker) fail(err error) {
	b.ready.Store(false)
	select {
	case b.failed <- err:
	default:
	}
}

// Stop stops the broker: no new requests, answers to those that were accepted, then a clean end of the logs. After ctx
// is done it no longer waits for slow clients.
func (b *Broker) Stop(ctx context.Context) error {
	b.leave(ctx)
	b.ready.Store(false)
	var errs []error
	note := func(what string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", what, err))
		}
	}
	note("http", b.stopHTTP(ctx))
	b.closeListeners(false)
	if b.api != nil {
		b.api.Stop() // requests that wait for records or members are answered now
		b.groups.Stop(kafka.Errorf(kafka.NotCoordinator, "the broker is stopping"))
		b.txns.Stop(kafka.Errorf(kafka.NotCoordinator, "the broker is stopping"))
		if err := b.server.Stop(ctx); err != nil {
			b.log.Warn("clients did not take all their answers in time", "error", err)
		}
	}
	b.cancel()
	b.tasks.Wait()
	b.stopCleaner()
	if q := b.quorum.Load(); q != nil {
		note("metadata quorum", q.Close())
		b.loads.Wait()
	}
	if b.observer != nil {
		note("copy of the metadata log", b.observer.Close())
	}
	b.stopControllers(ctx)
	if b.followers != nil {
		b.followers.Close()
	}
	if b.peers != nil {
		b.peers.Close()
	}
	if b.publisher != nil {
		b.publisher.close()
	}
	if b.partitions != nil {
		b.partitions.Close()
	}
	for _, dir := range b.allDirectories() {
		note("log directory "+dir.Path(), dir.Close())
	}
	return errors.Join(errs...)
}

// every runs f now and then until the broker stops.
func (b *Broker) every(interval func() time.Duration, f func(now time.Time)) {
	b.tasks.Go(func() {
		for {
			select {
			case <-b.ctx.Done():
				return
			case <-time.After(max(interval(), time.Millisecond)):
				f(b.options.Now())
			}
		}
	})
}
