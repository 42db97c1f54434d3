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
	return errors.Join(append(errs, b.refuseProtocols(), b.refuseCluster())...)
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

// refuseCluster refuses to be one node of several: this version would be a cluster of its own beside the others.
func (b *Broker) refuseCluster() error {
	roles := b.List(ProcessRoles)
	switch {
	case !slices.Contains(roles, "broker") || !slices.Contains(roles, "controller"):
		return fmt.Errorf("process.roles=%s: this version runs broker and controller in one process; set process.roles=broker,controller", b.values[ProcessRoles.index].format(List))
	case len(b.List(ControllerQuorumVoters)) > 1:
		return fmt.Errorf("controller.quorum.voters names %d controllers: this version runs a single node", len(b.List(ControllerQuorumVoters)))
	case len(b.List(ControllerQuorumBootstrapServers)) > 1:
		return fmt.Errorf("controller.quorum.bootstrap.servers names %d controllers: this version runs a single node", len(b.List(ControllerQuorumBootstrapServers)))
	}
	return nil
}
