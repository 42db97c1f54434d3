package main

import (
	"context"
	"fmt"
	"time"
)

// An event is something that happens to a node while records are written.
type event struct {
	name string
	// active: to the one that leads the metadata quorum; else to one that does not.
	active bool
	strike func(n Node) error
	back   func(ctx context.Context, n Node) error
	// planned: the node is asked to go, and counts as away until it is back; else the stall is over when others lead.
	planned bool
}

func kill(n Node) error                       { n.Kill(); return nil }
func again(ctx context.Context, n Node) error { return n.Again(ctx) }
func freeze(n Node) error                     { return pause(n.PID()) }
func thaw(_ context.Context, n Node) error    { return resume(n.PID()) }
func stop(n Node) error                       { return n.Stop() }
func events() []event {
	return []event{
		{name: "kill -9 of a leader", strike: kill, back: again},
		{name: "kill -9 of the active controller", active: true, strike: kill, back: again},
		{name: "SIGSTOP of a leader", strike: freeze, back: thaw},
		{name: "SIGSTOP of the active controller", active: true, strike: freeze, back: thaw},
		{name: "restart of a node", strike: stop, back: again, planned: true},
		{name: "restart of the active controller", active: true, strike: stop, back: again, planned: true},
	}
}

// failover writes small records to every partition while the events happen, one after the other.
func (c *clusterRun) failover(ctx context.Context) error {
	for _, e := range events() {
		if err := c.survive(ctx, e); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	return nil
}

// steady is how long writes go on undisturbed before and after an event.
const steady = 500 * time.Millisecond

func (c *clusterRun) survive(ctx context.Context, e event) error {
	if err := c.prefer(ctx); err != nil {
		return err
	}
	if err := c.awaitInSync(ctx, c.topic); err != nil {
		return err
	}
	victim, err := c.victim(ctx, e.active)
	if err != nil {
		return err
	}
	w := c.startWriters()
	defer w.stop()
	if err := pass(ctx, steady); err != nil {
		return err
	}
	begin := time.Now()
	if err := e.strike(c.nodes[victim-1]); err != nil {
		return err
	}
	if err := w.awaitOthers(ctx, victim, begin); err != nil {
		return err
	}
	struck := time.Now()
	if err := e.back(ctx, c.nodes[victim-1]); err != nil {
		return err
	}
	if err := c.awaitInSync(ctx, c.topic); err != nil {
		return err
	}
	whole := time.Since(struck)
	if err := pass(ctx, steady); err != nil {
		return err
	}
	w.stop()
	if err := w.err(); err != nil {
		return err
	}
	if e.planned {
		c.figures.note(e.name+": longest stall of a partition, ms", c.name, milliseconds(w.longest(begin, time.Now())))
	} else {
		c.figures.note(e.name+": longest stall of a partition, ms", c.name, milliseconds(w.longest(begin, struck)))
		c.figures.note(e.name+": longest stall when it comes back, ms", c.name, milliseconds(w.longest(struck, time.Now())))
	}
	c.figures.note(e.name+": in sync again after its start, ms", c.name, milliseconds(whole))
	return nil
}

// victim returns the id of a node that leads partitions, as each does.
func (c *clusterRun) victim(ctx context.Context, active bool) (int32, error) {
	controller, err := c.activeController(ctx)
	if err != nil || active {
		return controller, err
	}
	return controller%int32(len(c.nodes)) + 1, nil
}
