package api

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/metrics"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/server"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/txn"
	"github.com/ottla/ottla/internal/wire"
)

// Env is what the API asks to do its work.
type Env struct {
	Node int32
	// Config returns the broker's effective settings, dynamic ones included.
	Config     func() *config.Broker
	Metadata   *metadata.Store
	Partitions *partition.Set
	Groups     *statemachine.Host[*group.Coordinator]
	// Transactions are the coordinators of transactional producers.
	Transactions *statemachine.Host[*txn.Coordinator]
	// Controller returns the engine of the controller while this node leads the metadata quorum, else
	// NOT_CONTROLLER.
	Controller func() (*statemachine.Engine[*controller.Controller], error)
	// Settled calls f once this broker's image has everything that the controller has committed so far.
	Settled func(f func())
	// Remote sends a request to the active controller in another process, once, and waits for its answer. It fails with
	// NOT_CONTROLLER while none is known, and with errors of package peer. It is nil where nothing is forwarded: on a
	// lone node, and on the listeners of controllers.
	Remote func(ctx context.Context, request, response wire.Message) error
	// Reached waits until this broker's image has a metadata offset, or for ctx. Needed with Remote.
	Reached func(ctx context.Context, offset int64)
	// Peer sends a request to another broker and calls done once, with nil when response is there. Its texts and numbers
	// stay valid. Nil on a lone node.
	Peer func(node int32, request, response wire.Message, done func(error))
	// Replicas tells what this broker knows of the replicas of a topic, for JSON (WhyReplicas).
	Replicas func(topic string) any
	// BrokerLinked is told that a broker has been heard of on a connection, whose end ends ctx. May be nil; it is
	// called on listeners of controllers only.
	BrokerLinked func(ctx context.Context, node int32, epoch int64)
	// Controllers are the controllers of the cluster and how they are reached, and which one is active, -1 if that is
	// not known. Needed on listeners of controllers.
	Controllers func() (all []ControllerEndpoint, active int32)
	// QuorumStatus describes the metadata quorum as this node knows it; false if it is not a member, or not yet.
	QuorumStatus func() (quorum.Status, bool)
	// Raft takes messages from another voter of the metadata quorum. Needed on listeners of controllers.
	Raft func(rq *wire.RaftRequest) error
	// Quorum is this node's member of the metadata quorum; nil before it is open, and on a node that is no controller.
	Quorum func() *quorum.Quorum
	// KRaftVersion is the finalised level of kraft.version, as this node knows it.
	KRaftVersion func() int16
	// AskFeatures asks a controller, which need not be a voter, what it supports, and calls done once.
	AskFeatures func(node int32, at quorum.Endpoint, done func(*wire.ApiVersionsResponse, error))
	// BrokerEpoch is the epoch of this broker's registration, -1 before it.
	BrokerEpoch func() int64
	Buffers     *server.Buffers
	Metrics     *metrics.Registry
	Logger      *slog.Logger
	// LogLevel is the level of Logger, which administrators may change.
	LogLevel *slog.LevelVar
	// Now dates markers; nil means time.Now.
	Now func() time.Time
}

// ControllerEndpoint is how a controller is reached.
type ControllerEndpoint struct {
	Node int32
	Host string
	Port int32
}

// API answers requests. It is a server.Handler.
type API struct {
	Env
	context context.Context // ends with Stop
	cancel  context.CancelFunc
	// decisions are what an Envelope may hold; nil for brokers.
	decisions map[int16]decision
	rows      []row
	byKey     []*row
	readers   sync.Pool
	sessions  *fetchSessions

	metrics     *apiMetrics
	produces    sync.Pool // of *produce
	fetches     sync.Pool // of *fetch
	deadlines   deadlines
	producerIDs producerIDs
	internals   streamsTopics
	stopping    atomic.Bool
}

// New returns the API of a broker.
func New(env Env) *API {
	a := newAPI(env, table())
	a.sessions = newFetchSessions(env.Config().Int(config.MaxIncrementalFetchSessionCacheSlots))
	a.metrics.exportSessions(a.sessions)
	return a
}

// NewController returns the API of the listeners of a controller. Of env it needs Node, Config, Metadata, Controller,
// Settled, Controllers, Buffers, Metrics and Logger.
func NewController(env Env) *API {
	a := newAPI(env, controllerTable())
	a.decisions = decisions()
	return a
}

// newAPI makes what serves the rows of a table.
func newAPI(env Env, rows []row) *API {
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.Key, b.Key) })
	a := &API{Env: env, rows: rows}
	if a.Now == nil {
		a.Now = time.Now
	}
	a.context, a.cancel = context.WithCancel(context.Background())
	a.readers.New = func() any { return &wire.Reader{Intern: wire.NewIntern()} }
	a.producerIDs.api = a
	a.produces.New = func() any { return new(produce) }
	a.fetches.New = func() any { return new(fetch) }
	a.metrics = newAPIMetrics(a)
	for i := range a.rows {
		row := &a.rows[i]
		if row.Key == initProducerIDKey && env.Config().Bool(config.UnstableApiVersionsEnable) {
			row.Max = unstableInitProducerID
		}
		row.requests = a.metrics.of(row)
		if row.Own() {
			continue // rare, and far from the others: row searches for it
		}
		for int(row.Key) >= len(a.byKey) {
			a.byKey = append(a.byKey, nil)
		}
		a.byKey[row.Key] = row
	}
	return a
}

// Stop has requests that wait for records answered now, with what there is. Requests that come later do not wait.
func (a *API) Stop() {
	a.stopping.Store(true)
	a.cancel()
	if a.Partitions == nil {
		return
	}
	for p := range a.Partitions.All() {
		p.Nudge()
	}
}
