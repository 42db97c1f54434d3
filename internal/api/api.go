package api

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/metrics"
	"github.com/ottla/ottla/internal/partition"
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
	// BrokerEpoch is the epoch of this broker's registration, -1 before it.
	BrokerEpoch func() int64
	Buffers     *server.Buffers
	Metrics     *metrics.Registry
	Logger      *slog.Logger
	// LogLevel is the level of Logger, which administrators may change.
	LogLevel *slog.LevelVar
}

// API answers requests. It is a server.Handler.
type API struct {
	Env
	rows     []row
	byKey    []*row
	readers  sync.Pool
	sessions *fetchSessions

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
	a := &API{Env: env, rows: table()}
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
	a.sessions = newFetchSessions(env.Config().Int(config.MaxIncrementalFetchSessionCacheSlots))
	a.metrics.exportSessions(a.sessions)
	return a
}

// Stop has requests that wait for records answered now, with what there is. Requests that come later do not wait.
func (a *API) Stop() {
	a.stopping.Store(true)
	for p := range a.Partitions.All() {
		p.Nudge()
	}
}
