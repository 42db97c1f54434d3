package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Report is what came of a run.
type Report struct {
	Options Options
	Plan    Plan
	Faults  []string // what is wrong; none if all is well
	Took    time.Duration
	// Acknowledged records, committed transactions, commits of the group, changes of metadata, leaderships of partitions.
	Records, Transactions, Commits, Changes, Leaderships int

	story  *story
	Events []event
}

// Summary is the run in one line.
func (r *Report) Summary() string {
	return fmt.Sprintf("seed %d: %d faults in %v of simulated time: %d records, %d transactions, %d commits, %d changes of metadata, %d leaderships",
		r.Options.Seed, len(r.Plan), r.Took.Round(time.Millisecond), r.Records, r.Transactions, r.Commits, r.Changes, r.Leaderships)
}

// Story tells what was done and logged.
func (r *Report) Story() string { return r.story.text() }

// Told is the plan, and after an empty line what clients were told, with simulated times, a line each.
func (r *Report) Told() string {
	lines := []string{r.Plan.String(), ""}
	for _, e := range r.Events {
		lines = append(lines, fmt.Sprint(e.at, " ", e.text))
	}
	return strings.Join(lines, "\n")
}

// Run runs a seed in the bubble of the caller.
func Run(o Options) *Report {
	for range o.Seed % 4096 {
		rand.Uint64() // so that each seed has other draws of the bubble's generator
	}
	s := newStory()
	r := &Report{Options: o, Plan: draw(o), story: s}
	c := newCluster(o, s)
	w := newClients(c)
	supervised, unsupervise := context.WithCancel(context.Background())
	err := c.run(supervised, w, r.Plan)
	if err != nil {
		r.Faults = append(r.Faults, err.Error())
	}
	if len(r.Faults) == 0 {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		r.Faults = w.judge(ctx)
		cancel()
	}
	unsupervise()
	if err != nil {
		w.abandon()
	}
	for _, n := range c.nodes {
		if err := n.stop(time.Minute); err != nil {
			r.Faults = append(r.Faults, fmt.Sprintf("%s did not stop cleanly: %v", n.host.Name(), err))
		}
	}
	c.dying.Wait()
	r.Faults = append(r.Faults, c.mu.faults...)
	if len(r.Faults) == 0 {
		r.Faults = c.autopsy(context.Background())
	}
	acknowledged, _ := w.book.Acknowledgements()
	r.Records = acknowledged[plain] + acknowledged[payments]
	r.Transactions, _, _ = w.book.Transactions(payments)
	r.Commits, r.Changes = w.commits.Count(), w.changes.Acknowledged()
	r.Leaderships, _ = w.leaders.Counts()
	r.Took, r.Events = time.Since(s.began), s.mu.events
	return r
}

// run starts the cluster, which is supervised until a context ends, and the clients, has everything go wrong that is planned, and ends the clients when all is healed.
func (c *Cluster) run(supervised context.Context, w *clients, p Plan) error {
	defer w.stop()
	for _, n := range c.nodes {
		if err := n.start(); err != nil {
			return err
		}
		go c.supervise(supervised, n)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.prepare(ctx); err != nil {
		return fmt.Errorf("the cluster does not begin to work: %w", err)
	}
	w.start()
	c.trouble(context.Background(), p)
	c.heal()
	w.stop()
	ended := make(chan struct{})
	go func() {
		w.working.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-time.After(2 * patience):
		return errors.New("clients did not finish though all was healed; last errors: " + w.book.Failures())
	}
}
