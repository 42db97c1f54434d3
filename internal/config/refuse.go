package config

import (
	"errors"
	"fmt"
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
	return errors.Join(append(errs, b.refuseProtocols())...)
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
