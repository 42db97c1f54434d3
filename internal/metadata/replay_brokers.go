package metadata

import (
	"fmt"
	"slices"

	"github.com/ottla/ottla/internal/wire"
)

// registered returns a broker for a record that was written for the given epoch of it.
func (d *Delta) registered(id int32, epoch int64) (*Broker, error) {
	b, found := d.brokers.get(id)
	if !found {
		return nil, fmt.Errorf("broker %d is not registered", id)
	}
	if b.Epoch != epoch {
		return nil, fmt.Errorf("broker %d is registered with epoch %d; the record is for epoch %d", id, b.Epoch, epoch)
	}
	return b, nil
}

func (d *Delta) fence(id int32, epoch int64, fenced bool) error {
	b, err := d.registered(id, epoch)
	if err != nil {
		return err
	}
	next := *b
	next.Fenced = fenced
	d.brokers = d.brokers.set(id, &next, d.edit)
	return nil
}

func (d *Delta) changeBroker(r *wire.BrokerRegistrationChangeRecord) error {
	b, err := d.registered(r.BrokerID, r.BrokerEpoch)
	if err != nil {
		return err
	}
	if r.Fenced < -1 || r.Fenced > 1 || r.InControlledShutdown < 0 || r.InControlledShutdown > 1 {
		return fmt.Errorf("fenced %d or in controlled shutdown %d is out of range", r.Fenced, r.InControlledShutdown)
	}
	next := *b
	if r.Fenced != 0 {
		next.Fenced = r.Fenced > 0
	}
	if r.InControlledShutdown > 0 {
		next.InControlledShutdown = true
	}
	if len(r.LogDirs) > 0 {
		next.LogDirs = sortedIDs(r.LogDirs)
	}
	if r.CordonedLogDirs != nil {
		next.CordonedLogDirs = sortedIDs(r.CordonedLogDirs)
	}
	d.brokers = d.brokers.set(b.ID, &next, d.edit)
	return nil
}

func copyController(r *wire.RegisterControllerRecord) *wire.RegisterControllerRecord {
	c := *r
	c.UnknownTags = nil
	c.EndPoints = slices.Clone(r.EndPoints)
	for i := range c.EndPoints {
		c.EndPoints[i].UnknownTags = nil
	}
	c.Features = slices.Clone(r.Features)
	for i := range c.Features {
		c.Features[i].UnknownTags = nil
	}
	return &c
}
