package config

import (
	"errors"
	"fmt"
	"slices"
)

// refuse returns an error for every setting that this version must not ignore.
func (b *Broker) refuse() error {
	var errs []error
	for r := range BrokerRows() {
		v := b.values[r.index]
		if r.Status != Refused || sameValue(r, v, b.defaults[r.index]) || v.null || v.format(r.Type) == "" {
			continue
		}
		errs = append(errs, fmt.Errorf("%s=%s cannot be honoured: %s; remove the property to go on without it", r.Name, v.format(r.Type), r.Why))
	}
	return errors.Join(append(errs, b.refuseProtocols(), b.refuseQuorum())...)
}

// refuseProtocols refuses listeners that need TLS or SASL.
func (b *Broker) refuseProtocols() error {
	protocols, err := b.protocols()
	if err != nil {
		return err
	}
	listeners, err := parseListeners(append(b.List(Listeners), b.List(AdvertisedListeners)...), protocols, true)
	if err != nil {
		return nil // finish reports it with its own text
	}
	for _, l := range listeners {
		if l.Protocol != Plaintext {
			return fmt.Errorf("listener %s uses %s: this version serves PLAINTEXT only, and will not open a listener without the protection it asks for", l.Name, l.Protocol)
		}
	}
	return nil
}

// refuseQuorum refuses quorums that this version cannot join: a node would be a cluster of its own beside the others.
func (b *Broker) refuseQuorum() error {
	roles, voters, servers := b.List(ProcessRoles), b.List(ControllerQuorumVoters), b.List(ControllerQuorumBootstrapServers)
	switch {
	case len(roles) > 0 && len(voters) == 0 && len(servers) > 0 && !slices.Contains(roles, "controller"):
		return fmt.Errorf("process.roles=%s with controller.quorum.bootstrap.servers: this version has static quorums only: name the controllers in controller.quorum.voters", b.values[ProcessRoles.index].format(List))
	case len(voters) == 0 && len(servers) > 1:
		return fmt.Errorf("controller.quorum.bootstrap.servers names %d controllers: this version has static quorums of several only: name them all in controller.quorum.voters", len(servers))
	}
	return nil
}
