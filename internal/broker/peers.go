package broker

import (
	"context"
	"net"
	"strconv"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/peer"
	"github.com/ottla/ottla/internal/wire"
)

// connectPeers makes the registry of connections to other nodes, which holds none yet.
func (b *Broker) connectPeers() {
	c := b.options.Config
	b.peers = peer.NewRegistry(peer.RegistryOptions{
		Client: peer.Options{
			Dial: func(ctx context.Context, address string) (net.Conn, error) {
				return b.options.Dial(ctx, "tcp", address)
			},
			ClientID: strconv.Itoa(int(b.node)), Version: b.options.Version, Logger: b.log,
			Timeout:          c.Duration(config.RequestTimeoutMs),
			ConnectTimeout:   c.Duration(config.SocketConnectionSetupTimeoutMs),
			MaxResponseBytes: c.Int(config.SocketRequestMaxBytes),
		},
		Resolve: b.addressOf,
		OnDown:  b.peerDown,
	})
	b.store.Subscribe(b.followPeers)
}

// followPeers has connections follow the addresses of the image.
func (b *Broker) followPeers(_, _ *metadata.Image, changes *metadata.Changes) {
	if len(changes.Brokers) > 0 {
		b.peers.Refresh()
	}
}

// addressOf is where a node's listener is reached: a broker's as it registered it, a controller's as the voters have it.
func (b *Broker) addressOf(listener peer.Listener, node int32) (string, bool) {
	if listener == peer.Controller {
		return b.voters.address(node)
	}
	known := b.store.Current().Broker(node)
	if known == nil {
		return "", false
	}
	endpoint, ok := known.Endpoint(b.options.Config.InterBrokerListener)
	if !ok {
		return "", false
	}
	return net.JoinHostPort(endpoint.Host, strconv.Itoa(int(endpoint.Port))), true
}

// askPeer sends a request to another broker (api.Env.Peer). The response must not have bytes or records: those are the
// connection's. What waits for replicas there has a connection of its own.
func (b *Broker) askPeer(node int32, request, response wire.Message, done func(error)) {
	to := peer.To{Listener: peer.Broker, Node: node}
	if _, waits := request.(*wire.WriteTxnMarkersRequest); waits {
		to.Use = "markers"
	}
	b.peers.Client(to).Send(peer.Request{Message: request, Response: response, Done: done})
}

// toldGone is how long the log does not repeat that a node is gone: each of its connections tells, and each attempt.
const toldGone = time.Minute

// peerDown is told that a connection to another node was lost, and whether nobody listens there any more: then its
// process is dead.
func (b *Broker) peerDown(to peer.To, refused bool) {
	if !refused {
		return
	}
	if q := b.quorum.Load(); q != nil && to.Listener == peer.Controller {
		q.Suspect(to.Node)
	}
	if _, err := b.controller.engine(); err == nil && !b.linked(to.Node) { // the controller here may have missed that
		if known := b.store.Current().Broker(to.Node); known != nil && known.Active() {
			go b.probe(to.Node, known.Epoch)
		}
	}
	now := time.Now()
	if last, told := b.toldGone.Swap(to.Node, now); !told || now.Sub(last.(time.Time)) > toldGone {
		b.log.Info("a node's process is gone: a connection to it was refused", "node", to.Node, "listener", to.Listener.String())
	}
}
