package config

import (
	"fmt"
	"slices"
	"strings"
)

// parseEndpoints turns the settings of listeners and voters into values.
func (b *Broker) parseEndpoints() error {
	protocols, err := b.protocols()
	if err != nil {
		return err
	}
	if b.Listeners, err = parseListeners(b.List(Listeners), protocols, false); err != nil {
		return err
	}
	names := b.List(ControllerListenerNames)
	ofController := func(l Listener) bool { return slices.Contains(names, l.Name) }
	b.ControllerListeners = slices.DeleteFunc(slices.Clone(b.Listeners), func(l Listener) bool { return !ofController(l) })
	b.AdvertisedListeners = slices.Clone(b.Listeners)
	if !b.IsNull(AdvertisedListeners) {
		if b.AdvertisedListeners, err = parseListeners(b.List(AdvertisedListeners), protocols, true); err != nil {
			return err
		}
	}
	b.AdvertisedControllers = slices.DeleteFunc(slices.Clone(b.AdvertisedListeners), func(l Listener) bool { return !ofController(l) })
	b.AdvertisedListeners = slices.DeleteFunc(b.AdvertisedListeners, ofController)
	if b.InterBrokerListener, err = b.interBrokerListener(protocols); err != nil {
		return err
	}
	for _, entry := range b.List(ControllerQuorumBootstrapServers) {
		if a, ok := parseAddress(entry); ok {
			b.BootstrapServers = append(b.BootstrapServers, a)
		}
	}
	b.Voters, err = parseVoters(b.List(ControllerQuorumVoters))
	return err
}

func parseVoters(entries []string) ([]Voter, error) {
	var voters []Voter
	for _, entry := range entries {
		v, err := parseVoter(entry)
		if err != nil {
			return nil, err
		}
		voters = append(voters, v)
	}
	return voters, nil
}

// protocols returns the map of listener names to protocols. The names of controller listeners need no entry as long
// as the map is the default and nothing but PLAINTEXT is in use.
func (b *Broker) protocols() (map[string]SecurityProtocol, error) {
	protocols, err := parseProtocolMap(b.Text(ListenerSecurityProtocolMap))
	if err != nil || b.Source(ListenerSecurityProtocolMap) != DefaultConfig {
		return protocols, err
	}
	secured := func(name string) bool {
		p := SecurityProtocol(strings.ToUpper(name))
		return p != Plaintext && slices.Contains(securityProtocols, p)
	}
	controllers := b.List(ControllerListenerNames)
	for _, listener := range b.List(Listeners) {
		if name, _, _ := strings.Cut(listener, ":"); secured(name) {
			return protocols, nil
		}
	}
	if slices.ContainsFunc(controllers, secured) {
		return protocols, nil
	}
	for _, name := range controllers {
		protocols[name] = Plaintext
	}
	return protocols, nil
}

func (b *Broker) interBrokerListener(protocols map[string]SecurityProtocol) (string, error) {
	if b.IsNull(InterBrokerListenerName) {
		return b.Text(SecurityInterBrokerProtocol), nil
	}
	if b.Source(SecurityInterBrokerProtocol) != DefaultConfig {
		return "", valueError("Only one of inter.broker.listener.name and security.inter.broker.protocol should be set.")
	}
	name := strings.ToUpper(b.Text(InterBrokerListenerName))
	if _, ok := protocols[name]; !ok {
		return "", valueError("Listener with name " + name + " defined in inter.broker.listener.name not found in listener.security.protocol.map.")
	}
	return name, nil
}

// checkEndpoints checks what clients and brokers are told to connect to.
func (b *Broker) checkEndpoints() error {
	names, advertised := listenerNames(b.Listeners), listenerNames(b.AdvertisedListeners)
	if slices.Contains(b.List(ProcessRoles), "broker") {
		subset := !slices.ContainsFunc(advertised, func(name string) bool { return !slices.Contains(names, name) })
		if err := require(
			rule{len(advertised) > 0, "There must be at least one broker advertised listener. Perhaps all listeners appear in controller.listener.names?"},
			rule{slices.Contains(advertised, b.InterBrokerListener), "inter.broker.listener.name must be a listener name defined in advertised.listeners. " +
				"The valid options based on currently configured listeners are " + strings.Join(advertised, ",")},
			rule{subset, "advertised.listeners listener names must be equal to or a subset of the ones defined in listeners. Found " +
				strings.Join(advertised, ",") + ". The valid options based on the current configuration are " + strings.Join(names, ",")},
		); err != nil {
			return err
		}
	}
	for _, name := range b.List(EarlyStartListeners) {
		if upper := strings.ToUpper(name); !slices.Contains(names, upper) && !slices.Contains(b.List(ControllerListenerNames), name) {
			return valueError(fmt.Sprintf("early.start.listeners contains listener %s, but this is not contained in listeners or controller.listener.names", name))
		}
	}
	unroutable := slices.ContainsFunc(b.AdvertisedListeners, func(l Listener) bool { return l.Host == "0.0.0.0" })
	return require(rule{!unroutable, "advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP address."})
}

func listenerNames(all []Listener) []string {
	var names []string
	for _, l := range all {
		names = append(names, l.Name)
	}
	return names
}

// reachNotices warns of addresses that clients are told and nobody serves: the default listens on localhost only.
func (b *Broker) reachNotices() []Notice {
	if b.Source(Listeners) != DefaultConfig {
		return nil
	}
	var notices []Notice
	for _, l := range b.AdvertisedListeners {
		if l.Host != "localhost" && l.Host != "127.0.0.1" && l.Host != "::1" && l.Host != "" {
			notices = append(notices, notice(UnreachableListener, AdvertisedListeners.Name, "advertised.listeners says %s, but listeners is not set and "+
				"the broker listens on localhost only; set listeners=%s://:%d to be reached from other machines", l, l.Name, b.Listeners[0].Port))
		}
	}
	return notices
}
