package controller

import (
	"slices"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// fenceSilent fences a broker that was silent for longer than the session timeout.
func (c *Controller) fenceSilent(now time.Time, id int32) statemachine.Output {
	c.sessions[id].retryAt = now.Add(fencingRetry)
	return unasked(c.fenceRecords(c.Image().Broker(id)))
}

// registrationChange begins the record of a change of a broker's registration.
func registrationChange(b *metadata.Broker) *wire.BrokerRegistrationChangeRecord {
	r := new(wire.BrokerRegistrationChangeRecord)
	r.Reset()
	r.BrokerID, r.BrokerEpoch = b.ID, b.Epoch
	return r
}

// fenceRecords take a broker out of all ISRs and fence it.
func (c *Controller) fenceRecords(b *metadata.Broker) []wire.Message {
	change := registrationChange(b)
	change.Fenced = 1
	return append(c.leaveISRs(b.ID), change)
}

func (c *Controller) leaveISRs(id int32) []wire.Message {
	u := broken()
	u.remove = id
	return c.follow(u, c.partitionsWhere(func(p *metadata.Partition) bool { return p.InSync(id) }))
}

// unfenceRecords let a broker work, and make it lead the partitions that have waited for it. The replicas in the
// directories that the same heartbeat says are offline lead nothing: the image does not know of that loss yet, and
// once it does, nobody would look at them again. (Kafka elects them.)
func (c *Controller) unfenceRecords(b *metadata.Broker, offline []kafka.UUID) []wire.Message {
	change := registrationChange(b)
	change.Fenced = -1
	u := broken()
	u.add = b.ID
	return append([]wire.Message{change}, c.follow(u, c.partitionsWhere(func(p *metadata.Partition) bool {
		dir, found := p.Directory(b.ID)
		return leaderless(p) && !(found && slices.Contains(offline, dir))
	}))...)
}

// leavingRecords begin or go on with a controlled shutdown: the broker hands over what it leads.
func (c *Controller) leavingRecords(b *metadata.Broker) []wire.Message {
	var records []wire.Message
	if !b.InControlledShutdown {
		change := registrationChange(b)
		change.InControlledShutdown = 1
		records = append(records, change)
	}
	return append(records, c.leaveISRs(b.ID)...)
}

// shutdownRecords clean up after an earlier incarnation of a broker.
func (c *Controller) shutdownRecords(id int32, clean bool) []wire.Message {
	if clean || !c.elrEnabled() {
		return c.leaveISRs(id)
	}
	u := broken()
	u.lostData = id
	return c.follow(u, c.partitionsWhere(func(p *metadata.Partition) bool {
		return p.InSync(id) || slices.Contains(p.ELR, id)
	}))
}

// offlineDirRecords follow a broker that lost log directories.
func (c *Controller) offlineDirRecords(b *metadata.Broker, offline []kafka.UUID) []wire.Message {
	lost := func(dir kafka.UUID) bool { return slices.Contains(b.LogDirs, dir) && slices.Contains(offline, dir) }
	remaining := slices.DeleteFunc(slices.Clone(b.LogDirs), lost)
	if len(remaining) == len(b.LogDirs) {
		return nil
	}
	u := broken()
	u.remove = b.ID
	records := c.follow(u, c.partitionsWhere(func(p *metadata.Partition) bool {
		dir, found := p.Directory(b.ID)
		return found && lost(dir)
	}))
	change := registrationChange(b)
	change.LogDirs = remaining
	return append(records, change)
}

// UnregisterBroker removes a broker from the cluster, and from all ISRs and ELRs.
func (c *Controller) UnregisterBroker(now time.Time, rq *wire.UnregisterBrokerRequest, reply Reply[*wire.UnregisterBrokerResponse]) statemachine.Output {
	if err := c.ready(); err != nil {
		return refused(err, reply)
	}
	b := c.Image().Broker(rq.BrokerID)
	if b == nil {
		return refused(kafka.Errorf(kafka.BrokerIDNotRegistered, "Broker ID %d is not currently registered", rq.BrokerID), reply)
	}
	u := broken()
	u.remove = b.ID
	records := c.leaveISRs(b.ID)
	// Kafka looks at the partitions that have the broker in their ELR in a second round, with the broker only
	// barred from leading: it stays in those ELRs until it registers again.
	records = append(records, c.follow(u, c.partitionsWhere(func(p *metadata.Partition) bool {
		return slices.Contains(p.ELR, b.ID)
	}))...)
	if len(records) >= maxRecords {
		return refused(errTooMany, reply)
	}
	records = append(records, &wire.UnregisterBrokerRecord{BrokerID: b.ID, BrokerEpoch: b.Epoch})
	return decided(records, new(wire.UnregisterBrokerResponse), reply)
}
