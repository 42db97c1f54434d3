package controller

import (
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/wire"
)

// A log directory that is short of room (log.dir.reserve.bytes) takes no records of clients, but neither its broker nor what is
// in it is lost: with Kafka the directory would go offline when it is full, and the broker with it. Here its replicas make way
// for those on brokers with room, so that writes go on, and come back when there is room again and they have caught up.

// shortDirRecords take a broker's replicas in directories that are short of room out of the ISRs that have another member
// with room, which leads from then on.
func (c *Controller) shortDirRecords(b *metadata.Broker) []wire.Message {
	if len(c.sessions[b.ID].short) == 0 {
		return nil
	}
	u := broken()
	u.remove = b.ID
	return c.follow(u, func(yield func(located) bool) {
		for p := range c.partitionsWhere(func(p *metadata.Partition) bool { return p.InSync(b.ID) }) {
			if !c.isShort(p.topic, p.Partition, b.ID) {
				continue
			}
			hasRoom := func(id int32) bool { return id != b.ID && c.isActive(id) && !c.isShort(p.topic, p.Partition, id) }
			if slices.ContainsFunc(p.ISR, hasRoom) && !yield(p) {
				return
			}
		}
	})
}

// isShort reports whether a replica is in a directory without room for records of clients. Internal topics have room.
func (c *Controller) isShort(t *metadata.Topic, p *metadata.Partition, broker int32) bool {
	s := c.sessions[broker]
	if s == nil || len(s.short) == 0 || kafka.IsInternalTopic(t.Name) {
		return false
	}
	dir, found := p.Directory(broker)
	return found && slices.Contains(s.short, dir)
}
