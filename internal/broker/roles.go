package broker

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/ottla/ottla/internal/api"
	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/server"
)

// isBroker and isController are the roles of this process (process.roles).
func (b *Broker) isBroker() bool {
	return slices.Contains(b.options.Config.List(config.ProcessRoles), "broker")
}

func (b *Broker) isController() bool {
	return slices.Contains(b.options.Config.List(config.ProcessRoles), "controller")
}

// isControllers reports whether a listener is one of controllers.
func (b *Broker) isControllers(l config.Listener) bool {
	return slices.ContainsFunc(b.options.Config.ControllerListeners, func(c config.Listener) bool { return c.Name == l.Name })
}

// checkFormatted refuses to make up a cluster id on a node that is not the whole cluster: each node would have its own.
func (b *Broker) checkFormatted(path string) error {
	if b.options.Config.Lone() || b.options.Config.ClusterID != "" {
		return nil
	}
	_, found, err := commitlog.ReadMeta(b.options.FS, path)
	if err != nil || found {
		return err
	}
	return fmt.Errorf("no cluster id is known: %s is not formatted, and all nodes of a cluster share one; run kafka-storage format with the same --cluster-id on each node, or set the variable CLUSTER_ID", path)
}

// buildController makes what serves the listeners of controllers.
func (b *Broker) buildController(buffers *server.Buffers) {
	if len(b.options.Config.ControllerListeners) == 0 {
		return
	}
	b.controllerAPI = api.NewController(api.Env{
		Node: b.node, Config: b.config.Load, Metadata: b.store, Controller: b.controller.engine, Settled: b.publisher.after,
		BrokerEpoch: b.epoch.Load, BrokerLinked: b.brokerLinked, Controllers: b.controllers, Raft: b.takeRaft,
		Quorum: b.quorum.Load, QuorumStatus: b.quorumStatus, AskFeatures: b.askFeatures, KRaftVersion: b.voters.kraftVersion,
		Buffers: buffers, Metrics: b.metrics, Logger: b.log, LogLevel: b.options.LogLevel,
	})
	options := b.serverOptions(buffers)
	options.Handler = b.controllerAPI
	options.Limits = server.Limits{MaxConnectionsPerIP: options.Limits.MaxConnectionsPerIP, PerIPOverrides: map[netip.Addr]int{}}
	b.controllerServer = server.New(options)
}

// controllers are the voters and how they are reached, and who is active (api.Env.Controllers).
func (b *Broker) controllers() (all []api.ControllerEndpoint, active int32) {
	for _, m := range b.voters.endpoints() {
		if e, found := m.Endpoint(b.voters.listener); found {
			all = append(all, api.ControllerEndpoint{Node: m.NodeID, Host: e.Host, Port: int32(e.Port)})
		}
	}
	active, _ = b.active.get()
	return all, active
}

// quorumStatus describes the metadata quorum as this node knows it (api.Env.Quorum).
func (b *Broker) quorumStatus() (quorum.Status, bool) {
	q := b.quorum.Load()
	if q == nil {
		return quorum.Status{LeaderID: -1}, false
	}
	return q.Status(), true
}
