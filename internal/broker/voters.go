package broker

import (
	"net"
	"slices"
	"strconv"
	"sync"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/peer"
	"github.com/ottla/ottla/internal/quorum"
)

// voters is who votes in the metadata quorum, and how its controllers are reached: as the voter set in the metadata log says
// (KIP-853), with kraft.version 0 as controller.quorum.voters says. A node that has read neither asks the
// controller.quorum.bootstrap.servers, which have negative numbers here, as in Kafka: -2, -3 and so on.
type voters struct {
	static    []config.Voter
	bootstrap []config.Address
	listener  string // of controllers: the first of controller.listener.names

	mu struct {
		sync.Mutex
		set     quorum.VoterSet
		version int16
		met     map[int32]string // addresses of nodes that are in no voter set known here: what they, or others, said
	}
}

// firstBootstrap is the number of the first bootstrap server; the next ones are below.
const firstBootstrap = -2

func newVoters(c *config.Broker) *voters {
	v := &voters{static: c.Voters, bootstrap: c.BootstrapServers}
	if names := c.List(config.ControllerListenerNames); len(names) > 0 {
		v.listener = names[0]
	}
	v.mu.met = map[int32]string{}
	return v
}

// set takes note of the voters (quorum.Options.OnVoters).
func (v *voters) set(set quorum.VoterSet, version int16) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.mu.set, v.mu.version = set, version
}

func (v *voters) current() (quorum.VoterSet, int16) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.mu.set, v.mu.version
}

// kraftVersion is the finalised level of kraft.version, as this node knows it.
func (v *voters) kraftVersion() int16 {
	_, version := v.current()
	return version
}

// maxMetControllers bounds how many addresses are remembered of nodes that are in no voter set.
const maxMetControllers = 1000

// meet takes note of where a controller is reached that may be in no voter set yet.
func (v *voters) meet(node int32, host string, port uint16) {
	if host == "" || port == 0 || node < 0 {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, known := v.mu.met[node]; known || len(v.mu.met) < maxMetControllers {
		v.mu.met[node] = net.JoinHostPort(host, strconv.Itoa(int(port)))
	}
}

// address is where a controller is reached.
func (v *voters) address(node int32) (string, bool) {
	if i := firstBootstrap - int(node); node <= firstBootstrap && i < len(v.bootstrap) {
		return net.JoinHostPort(v.bootstrap[i].Host, strconv.Itoa(v.bootstrap[i].Port)), true
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if m, found := v.mu.set.Node(node); found {
		if e, found := m.Endpoint(v.listener); found {
			return net.JoinHostPort(e.Host, strconv.Itoa(int(e.Port))), true
		}
	}
	if i := slices.IndexFunc(v.static, func(s config.Voter) bool { return s.ID == node }); i >= 0 && v.mu.version == 0 {
		return net.JoinHostPort(v.static[i].Host, strconv.Itoa(v.static[i].Port)), true
	}
	address, met := v.mu.met[node]
	return address, met
}

// candidates are whom to ask for the active controller, in order: the voters, then the bootstrap servers.
func (v *voters) candidates(except int32) []int32 {
	v.mu.Lock()
	defer v.mu.Unlock()
	var all []int32
	for _, m := range v.mu.set {
		if m.NodeID != except {
			all = append(all, m.NodeID)
		}
	}
	for i := range v.bootstrap {
		all = append(all, firstBootstrap-int32(i))
	}
	return all
}

// endpoints are the voters' and where they are reached.
func (v *voters) endpoints() []quorum.Member {
	set, version := v.current()
	all := slices.Clone(set)
	for i := range all {
		at := slices.IndexFunc(v.static, func(s config.Voter) bool { return s.ID == all[i].NodeID })
		if at >= 0 && version == 0 {
			all[i].Endpoints = []quorum.Endpoint{{Listener: v.listener, Host: v.static[at].Host, Port: uint16(v.static[at].Port)}}
		}
	}
	return all
}

// votersChanged is told who votes (quorum.Options.OnVoters).
func (b *Broker) votersChanged(set quorum.VoterSet, version int16) {
	b.voters.set(set, version)
	b.peers.Refresh()
	if !b.isController() {
		return
	}
	for _, m := range set {
		if m.NodeID != b.node { // so that its death is noticed, whether or not there is something to say
			b.peers.Client(peer.To{Listener: peer.Controller, Node: m.NodeID, Use: raftUse}).Connect()
		}
	}
}

// firstVoters are who votes as long as neither the metadata log nor a snapshot says so: those of controller.quorum.voters, of
// whom nothing but node ids is known; a node without others alone; or nobody: then this node waits to be told by those that it finds
// at controller.quorum.bootstrap.servers.
func (b *Broker) firstVoters(self quorum.Voter) ([]quorum.Voter, error) {
	static := b.options.Config.Voters
	if len(static) > 1 {
		return staticVoters(static), nil
	}
	if len(static) == 1 || b.options.Config.Lone() {
		return []quorum.Voter{self}, nil
	}
	votedForItself, err := quorum.VotedFor(b.options.FS, b.metadataDir.Path(), b.node)
	if err != nil || !votedForItself {
		return nil, err
	}
	return []quorum.Voter{self}, nil // a lone node that got bootstrap servers
}

// staticVoters are those of controller.quorum.voters.
func staticVoters(static []config.Voter) []quorum.Voter {
	all := make([]quorum.Voter, len(static))
	for i, v := range static {
		all[i] = quorum.Voter{NodeID: v.ID}
	}
	return all
}

// controllerEndpoints are this node's listeners for controllers as others reach them.
func (b *Broker) controllerEndpoints() []quorum.Endpoint {
	var all []quorum.Endpoint
	for _, l := range b.ControllerListeners() {
		at := l
		if i := slices.IndexFunc(b.options.Config.AdvertisedControllers, func(a config.Listener) bool { return a.Name == l.Name }); i >= 0 {
			at = b.options.Config.AdvertisedControllers[i]
			if at.Port == 0 {
				at.Port = l.Port
			}
		}
		if at.Host == "" {
			at.Host = hostName()
		}
		all = append(all, quorum.Endpoint{Listener: at.Name, Host: at.Host, Port: uint16(at.Port)})
	}
	return all
}
