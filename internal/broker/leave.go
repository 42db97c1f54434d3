package broker

import (
	"context"
	"time"

	"github.com/ottla/ottla/internal/config"
)

const (
	// leavingInterval is how often a broker that wants to go asks whether it may.
	leavingInterval = 20 * time.Millisecond
	// leavingPatience is how long it asks. Without a majority of the controllers nobody answers.
	leavingPatience = 10 * time.Second
)

// leave is the controlled shutdown (controlled.shutdown.enable): the controller moves the leaders of this broker's partitions
// away and then lets it go. Until then requests are answered as before. A broker that has nobody to hand over to just goes.
func (b *Broker) leave(ctx context.Context) {
	if !b.ready.Load() || !b.isBroker() || !b.config.Load().Bool(config.ControlledShutdownEnable) || !b.hasSuccessors() {
		return
	}
	b.leaving.Store(true)
	b.beat()
	patience := time.NewTimer(leavingPatience)
	defer patience.Stop()
	select {
	case <-b.gone:
	case <-ctx.Done():
	case <-b.ctx.Done():
	case err := <-b.failed:
		b.fail(err)
	case <-patience.C:
		b.log.Warn("the controller did not let this broker go in time; it goes without handing over all its partitions", "waited", leavingPatience)
	}
}

// hasSuccessors reports whether another broker is active.
func (b *Broker) hasSuccessors() bool {
	for other := range b.store.Current().Brokers() {
		if other.ID != b.node && other.Active() {
			return true
		}
	}
	return false
}
