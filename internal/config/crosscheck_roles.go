package config

import (
	"fmt"
	"slices"
	"strings"
)

// checkRoles checks that roles, controllers and listeners fit together. A node without others needs neither voters nor
// a listener for controllers.
func (b *Broker) checkRoles() error {
	roles := b.List(ProcessRoles)
	isBroker, isController := slices.Contains(roles, "broker"), slices.Contains(roles, "controller")
	if !b.Lone() {
		if err := check(rule{len(b.Voters) > 0 || len(b.List(ControllerQuorumBootstrapServers)) > 0,
			"If using process.roles, either controller.quorum.bootstrap.servers must contain the set of bootstrap controllers or " +
				"controller.quorum.voters must contain a parseable set of controllers."}); err != nil {
			return err
		}
	}
	switch {
	case isBroker && !isController:
		return b.checkBrokerRole()
	case isController && !isBroker:
		if err := b.checkControllerRole(); err != nil {
			return err
		}
	}
	return b.checkControllerListeners()
}

func (b *Broker) checkBrokerRole() error {
	names := b.List(ControllerListenerNames)
	if err := require(
		rule{!b.isVoter(), fmt.Sprintf("If process.roles contains just the 'broker' role, the node id %d must not be included in the set of voters "+
			"controller.quorum.voters=%s", b.Int(NodeID), b.voterSet())},
		rule{len(names) > 0, "controller.listener.names must contain at least one value when running KRaft with just the broker role"},
		rule{len(b.ControllerListeners) == 0, "controller.listener.names must not contain a value appearing in the 'listeners' configuration when running KRaft with just the broker role"},
		rule{!b.Bool(ControllerQuorumAutoJoinEnable), "controller.quorum.auto.join.enable is only supported when process.roles contains the 'controller' role."},
	); err != nil {
		return err
	}
	protocols, err := b.protocols()
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, ok := protocols[strings.ToUpper(name)]; !ok {
			return valueError(fmt.Sprintf("Controller listener with name %s defined in controller.listener.names not found in listener.security.protocol.map  "+
				"(an explicit security mapping for each controller listener is required if listener.security.protocol.map is non-empty, "+
				"or if there are security protocols other than PLAINTEXT in use)", strings.ToUpper(name)))
		}
	}
	return nil
}

func (b *Broker) checkControllerRole() error {
	return require(
		rule{len(b.ControllerListeners) == len(b.Listeners), "The listeners config must only contain KRaft controller listeners from controller.listener.names when process.roles=controller"},
		rule{b.IsNull(InterBrokerListenerName) || !slices.Contains(b.List(ControllerListenerNames), b.InterBrokerListener),
			"controller.listener.names must not contain an explicitly set inter.broker.listener.name configuration value when process.roles=controller'"},
	)
}

// checkControllerListeners holds for every node that is a controller.
func (b *Broker) checkControllerListeners() error {
	names, served := b.List(ControllerListenerNames), listenerNames(b.Listeners)
	allServed := !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(served, name) })
	return require(
		rule{len(b.Voters) == 0 || b.isVoter(), fmt.Sprintf("If process.roles contains the 'controller' role, the node id %d must be included in the set of voters "+
			"controller.quorum.voters=%s", b.Int(NodeID), b.voterSet())},
		rule{len(b.ControllerListeners) > 0 || b.Lone() && len(names) == 0,
			"controller.listener.names must contain at least one value appearing in the 'listeners' configuration when running the KRaft controller role"},
		rule{allServed, "controller.listener.names must only contain values appearing in the 'listeners' configuration when running the KRaft controller role"},
	)
}

func (b *Broker) isVoter() bool {
	return slices.ContainsFunc(b.Voters, func(v Voter) bool { return int(v.ID) == b.Int(NodeID) })
}

// voterSet writes the ids as Kafka's error texts do.
func (b *Broker) voterSet() string {
	var ids []string
	for _, v := range b.Voters {
		ids = append(ids, fmt.Sprint(v.ID))
	}
	return "Set(" + strings.Join(ids, ", ") + ")"
}
