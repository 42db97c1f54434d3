package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// A Work is a row of the table: something that every contender is made to do.
type Work struct {
	name string
	// unit is what is counted: requests or records.
	unit string
	// onlyPlain leaves out contenders that differ in the settings of writes alone.
	onlyPlain bool
	// kept loads live through all rounds of the row; others are set up for every run.
	kept       bool
	partitions int
	// setup adds connections and lanes to a load that has its topic.
	setup func(ctx context.Context, addr string, load *Load) error
}

// Name is what -only matches.
func (w *Work) Name() string { return w.name }

// load makes a topic of the given name and everything else that the work needs.
func (w *Work) load(ctx context.Context, c *Contender, topicName string) (*Load, error) {
	t, err := createTopic(ctx, c.Broker.Addr(), topicName, int32(w.partitions), c.Configs)
	if err != nil {
		return nil, err
	}
	load := &Load{topic: t}
	if err := w.setup(ctx, c.Broker.Addr(), load); err != nil {
		return nil, errors.Join(err, load.close())
	}
	return load, nil
}

// A Load is what a Work does to one contender: lanes that run at the same time, each until its lane says stop.
type Load struct {
	lanes []func(l *lane) error
	// conns are the lanes' connections: when one lane fails, the others' waiting is ended through them.
	conns []*conn
	topic *topic
}

// close deletes the topic and closes the connections.
func (load *Load) close() error {
	for _, c := range load.conns {
		c.Close()
	}
	return load.topic.delete()
}

// connect adds a connection.
func (load *Load) connect(ctx context.Context, addr string) (*conn, error) {
	c, err := dial(ctx, addr)
	if err == nil {
		load.conns = append(load.conns, c)
	}
	return c, err
}

// A lane is where one goroutine of a load counts.
type lane struct {
	*execution
	requests, bytes atomic.Int64
	latency         Histogram // written while the run measures, by the lane's goroutine
	acks            Histogram // likewise, where a record's acknowledgement is not all that it waits for
	_               [64]byte  // keeps the counters of two lanes out of one cache line
}

// An execution is one run of a load.
type execution struct {
	measuring, stopping atomic.Bool
	failed              chan struct{} // closed at the first error of a lane
	fail                sync.Once
}

// done counts finished requests and the bytes of their records.
func (l *lane) done(requests, bytes int64) {
	l.requests.Add(requests)
	l.bytes.Add(bytes)
}

// took counts how long one request took, if the run measures.
func (l *lane) took(d time.Duration) {
	if l.measuring.Load() {
		l.latency.Add(d)
	}
}

// acknowledged counts how long one acknowledgement took, if the run measures.
func (l *lane) acknowledged(d time.Duration) {
	if l.measuring.Load() {
		l.acks.Add(d)
	}
}

// runLimit is beyond what any run takes.
const runLimit = 10 * time.Minute

// Limits are how long a run takes; the first one that is reached ends it, which keeps what a run writes in the page cache.
type Limits struct {
	WarmUp, Measure           time.Duration
	WarmUpBytes, MeasureBytes int64
}

// probe reads the figures of the processes.
type probe struct {
	at             time.Time
	cpu, generator time.Duration
	requests       int64
	bytes          int64
}

// Run puts the load on the broker, or the nodes of a cluster, and measures its steady part.
func (load *Load) Run(ctx context.Context, pids []int, limits Limits, around func(begin bool)) (Sample, error) {
	r := &execution{failed: make(chan struct{})}
	for _, c := range load.conns {
		c.SetDeadline(time.Now().Add(runLimit))
	}
	lanes := make([]*lane, len(load.lanes))
	errs := make([]error, len(load.lanes))
	var wait sync.WaitGroup
	for i, work := range load.lanes {
		lanes[i] = &lane{execution: r}
		wait.Go(func() {
			if errs[i] = work(lanes[i]); errs[i] != nil {
				r.fail.Do(func() { close(r.failed) })
			}
		})
	}
	before, after, err := r.measure(ctx, pids, lanes, limits, around)
	r.stopping.Store(true)
	select {
	case <-r.failed:
		for _, c := range load.conns {
			c.SetDeadline(time.Now())
		}
	default:
		for _, c := range load.conns {
			c.SetDeadline(time.Now().Add(answerLimit))
		}
	}
	wait.Wait()
	if err := errors.Join(append(errs, err)...); err != nil {
		return Sample{}, err
	}
	return newSample(pids, before, after, lanes)
}

func (r *execution) measure(ctx context.Context, pids []int, lanes []*lane, limits Limits, around func(begin bool)) (before, after probe, err error) {
	if err := r.wait(ctx, lanes, limits.WarmUp, limits.WarmUpBytes); err != nil {
		return before, after, err
	}
	if around != nil {
		around(true)
	}
	if before, err = takeProbe(pids, lanes); err != nil {
		return before, after, err
	}
	r.measuring.Store(true)
	if err := r.wait(ctx, lanes, limits.Measure, limits.MeasureBytes); err != nil {
		return before, after, err
	}
	r.measuring.Store(false)
	after, err = takeProbe(pids, lanes)
	if around != nil {
		around(false)
	}
	return before, after, err
}

// wait returns after d, or after that many more bytes.
func (r *execution) wait(ctx context.Context, lanes []*lane, d time.Duration, bytes int64) error {
	deadline := time.Now().Add(d)
	_, start := counted(lanes)
	for {
		_, now := counted(lanes)
		left := time.Until(deadline)
		if left <= 0 || (bytes > 0 && now-start >= bytes) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.failed:
			return errors.New("the run was ended by its first error")
		case <-time.After(min(left, 2*time.Millisecond)):
		}
	}
}

func counted(lanes []*lane) (requests, bytes int64) {
	for _, l := range lanes {
		requests += l.requests.Load()
		bytes += l.bytes.Load()
	}
	return requests, bytes
}

func takeProbe(pids []int, lanes []*lane) (probe, error) {
	p := probe{at: time.Now(), generator: ownCPUTime()}
	for _, pid := range pids {
		cpu, err := cpuTime(pid)
		if err != nil {
			return p, err
		}
		p.cpu += cpu
	}
	p.requests, p.bytes = counted(lanes)
	return p, nil
}
