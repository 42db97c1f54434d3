package config

import (
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Broker is the effective configuration of this broker. It never changes; WithDynamic returns a new one.
type Broker struct {
	standsIn bool // for another broker: see StandIn

	settings[OfBroker]

	// ClusterID comes from the variable CLUSTER_ID of the Docker images; empty when the node may choose one.
	ClusterID string
	// Listeners are all addresses to listen on, those of controllers included.
	Listeners []Listener
	// AdvertisedListeners are the addresses told to clients, without those of controllers. An empty host stands for the
	// machine's name, port 0 for the port that the listener of the same name got.
	AdvertisedListeners []Listener
	// ControllerListeners are those of Listeners that belong to controllers.
	ControllerListeners []Listener
	// InterBrokerListener is the name of the listener between brokers.
	InterBrokerListener string
	// AdvertisedControllers are those of advertised.listeners that belong to controllers.
	AdvertisedControllers []Listener
	// Voters are the controllers of controller.quorum.voters.
	Voters []Voter
	// BootstrapServers are the addresses of controller.quorum.bootstrap.servers.
	BootstrapServers []Address

	static, broker, cluster map[string]string // the layers below the default, as texts by name, unknown names included
	defaults                []value           // by Row.index
	topic                   *Topic            // of a topic without overrides
	group                   *Group            // of a group without overrides
}

// loneDefaults replaces the defaults of internal topics on a node without others, where Kafka's own could not be met.
var loneDefaults = map[*Row]int64{
	OffsetsTopicReplicationFactor.Row:               1,
	TransactionStateLogReplicationFactor.Row:        1,
	TransactionStateLogMinISR.Row:                   1,
	ShareCoordinatorStateTopicReplicationFactor.Row: 1,
	ShareCoordinatorStateTopicMinISR.Row:            1,
}

// newBroker computes effective values out of the layers. Texts that do not parse are reported.
func newBroker(static, broker, cluster map[string]string) (*Broker, []error) {
	b := &Broker{static: static, broker: broker, cluster: cluster, defaults: slices.Clone(brokerTable.defaults)}
	for i := range b.defaults {
		b.defaults[i].source = DefaultConfig
	}
	errs := b.computeValues()
	if len(errs) == 0 && b.Lone() {
		for r, n := range loneDefaults {
			b.defaults[r.index].number = n
		}
		errs = b.computeValues()
	}
	return b, errs
}

func (b *Broker) computeValues() []error {
	var errs []error
	b.values = slices.Clone(b.defaults)
	for r := range BrokerRows() {
		text, source := b.lookUp(r.Name)
		if source == DefaultConfig {
			continue
		}
		v, err := parse(r, text)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		v.source = source
		b.values[r.index] = v
	}
	return errs
}

// lookUp finds the layer that sets a name.
func (b *Broker) lookUp(name string) (string, Source) {
	for _, layer := range b.layers() {
		if text, ok := layer.texts[name]; ok {
			return text, layer.source
		}
	}
	return "", DefaultConfig
}

type layer struct {
	texts  map[string]string
	source Source
}

func (b *Broker) layers() []layer {
	return []layer{{b.broker, DynamicBrokerConfig}, {b.cluster, DynamicDefaultConfig}, {b.static, StaticBrokerConfig}}
}

// Lone reports whether this node is the whole cluster, or the first of one: it is broker and controller, and no other controllers
// are named.
func (b *Broker) Lone() bool {
	roles := b.List(ProcessRoles)
	if !slices.Contains(roles, "broker") || !slices.Contains(roles, "controller") {
		return false
	}
	if voters, _ := parseVoters(b.List(ControllerQuorumVoters)); len(voters) > 0 {
		return len(voters) == 1 && int(voters[0].ID) == b.Int(NodeID)
	}
	servers := b.List(ControllerQuorumBootstrapServers)
	return len(servers) == 0 || len(servers) == 1 && b.isOwn(servers[0])
}

// isOwn reports whether an address is that of a listener of this node's for controllers, as far as that can be told.
func (b *Broker) isOwn(address string) bool {
	a, ok := parseAddress(address)
	names := b.List(ControllerListenerNames)
	protocols, err := b.protocols()
	if !ok || err != nil {
		return false
	}
	machine, _ := os.Hostname()
	own, _ := parseListeners(b.List(Listeners), protocols, false)
	told, _ := parseListeners(b.List(AdvertisedListeners), protocols, true)
	return slices.ContainsFunc(append(own, told...), func(l Listener) bool {
		if !slices.Contains(names, l.Name) || l.Port != a.Port {
			return false
		}
		everywhere := l.Host == "" || l.Host == "0.0.0.0" || l.Host == "::"
		return l.Host == a.Host || everywhere && slices.Contains([]string{"localhost", "127.0.0.1", "::1", machine}, a.Host)
	})
}

// DynamicLong returns the value of a property that only the Admin API can set (DynamicOnlyRows), which the other methods do
// not know.
func (b *Broker) DynamicLong(k BrokerLong) int64 {
	if text, source := b.lookUp(k.Name); source != DefaultConfig {
		if v, err := parse(k.Row, text); err == nil {
			return v.number
		}
	}
	return dynamicTable.defaults[k.index].number
}

// LogDirs returns the directories of log.dirs, or else those of log.dir.
func (b *Broker) LogDirs() []string {
	if dirs := b.List(LogDirs); len(dirs) > 0 {
		return dirs
	}
	return b.List(LogDir)
}

// MetadataDir returns the directory of the metadata log: metadata.log.dir, or else the first log directory.
func (b *Broker) MetadataDir() string {
	if dir := b.Text(MetadataLogDir); dir != "" {
		return dir
	}
	return b.LogDirs()[0]
}

// ListenerInt returns what listener.name.<listener>.<property> says for a property that listeners may have of their
// own (max.connections, max.connection.creation.rate); ok is false when nothing sets it.
func (b *Broker) ListenerInt(listener string, k BrokerInt) (n int, ok bool) {
	text, source := b.lookUp("listener.name." + strings.ToLower(listener) + "." + k.Name)
	if source == DefaultConfig {
		return 0, false
	}
	v, err := parse(k.Row, text)
	return int(v.number), err == nil
}

// MaxConnectionsOverrides returns max.connections.per.ip.overrides by host or address.
func (b *Broker) MaxConnectionsOverrides() map[string]int {
	limits, _ := parseOverrides(b.Text(MaxConnectionsPerIPOverrides))
	return limits
}

// parseOverrides reads host:number, ...; the text that is not of that form is returned, or nothing.
func parseOverrides(text string) (limits map[string]int, bad string) {
	limits = make(map[string]int)
	for _, entry := range splitList(trim(text)) {
		at := strings.LastIndexByte(entry, ':')
		if at < 0 {
			return nil, entry
		}
		n, err := strconv.ParseInt(trim(entry[at+1:]), 10, 32)
		if err != nil {
			return nil, entry
		}
		limits[strings.Trim(trim(entry[:at]), "[]")] = int(n)
	}
	return limits, ""
}

// WithDynamic returns the configuration under dynamic settings of this broker and of the cluster's default, as the
// metadata log stores them. A stored setting that cannot be applied any more is left out and reported, so that an old
// record never stops a broker.
func (b *Broker) WithDynamic(broker, cluster map[string]string) (*Broker, []Notice) {
	broker, notices := usable(broker, true)
	cluster, more := usable(cluster, false)
	notices = append(notices, more...)
	if maps.Equal(broker, b.broker) && maps.Equal(cluster, b.cluster) {
		return b, notices
	}
	next, errs := newBroker(b.static, broker, cluster)
	if err := next.finish(); err != nil {
		errs = append(errs, err)
	}
	if len(errs) > 0 {
		for _, err := range errs {
			notices = append(notices, notice(IgnoredDynamic, "", "dynamic settings of the broker are ignored: %s", err))
		}
		return b, notices
	}
	next.ClusterID = b.ClusterID
	return next, notices
}
