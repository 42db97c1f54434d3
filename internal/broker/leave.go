package broker

import (
	"context"
	"time"

	"github.com/ottla/ottla/internal/config"
)

const (
	// leavingInterval is how often a broker that wants to go asks whether it may.
	leavingInterval = 20 * time.Millisecond
	// leavingPatience is how long it asks, and leavingSilence how long it waits for any answer: without a majority of the
	// controllers nobody answers, and an election takes less.
	leavingPatience = 20 * time.Second
	leavingSilence  = 3 * time.Second
)

// leave is the controlled shutdown (controlled.shutdown.enable): the controller moves the leaders of this broker's partitions
// away and then lets it go. Until then requests are answered as before. A broker that has nobody to hand over to just goes.
func (b *Broker) leave(ctx context.Context) {
	if !b.ready.Load() || !b.isBroker() || !b.config.Load().Bool(config.ControlledShutdownEnable) || !b.hasSuccessors() {
		return
	}
	b.leaving.Store(true)
	b.beat()
	began := time.Now()
	wait := time.NewTicker(leavingInterval)
	defer wait.Stop()
	for {
		select {
		case <-b.gone:
			return
		case <-ctx.Done():
			return
		case <-b.ctx.Done():
			return
		case <-wait.C:
		}
		heard := began
		if last := b.answered.Load(); last != nil && last.After(began) {
			heard = *last
		}
		if now := time.Now(); now.Sub(heard) > leavingSilence || now.Sub(began) > leavingPatience || len(b.failed) > 0 {
			b.log.Warn("the controller did not let this broker go in time; it goes without handing over its partitions", "asked", now.Sub(began), "heard", now.Sub(heard))
			return
		}
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
