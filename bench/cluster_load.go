package main

import (
	"context"
	"fmt"
	"log"
	"path/filepath"
	"time"
)

// Before anything is measured of a cluster both kinds of load run for a while and are thrown away: a JVM that has just started
// compiles what it runs, for half a minute on two processors, and takes several times the CPU time meanwhile.
const (
	warmThroughput = 25 * time.Second
	warmLatency    = 10 * time.Second
)

// warmUp is for the JVM's compiler; Ottla gets the same.
func (c *clusterRun) warmUp(ctx context.Context) error {
	if _, err := c.produce(ctx, "warm-throughput", Limits{Measure: warmThroughput, MeasureBytes: 2 * runBytes}, nil); err != nil {
		return err
	}
	_, err := c.endToEnd(ctx, "warm-latency", Limits{Measure: warmLatency}, nil)
	return err
}

// throughput is that of produce.
func (c *clusterRun) throughput(ctx context.Context) error {
	limits := Limits{WarmUp: 2 * time.Second, Measure: 2 * c.Duration(), MeasureBytes: runBytes}
	if err := touchPageCache(c.dir, clusterNodes*limits.MeasureBytes); err != nil {
		return err
	}
	s, err := c.produce(ctx, "throughput", limits, c.profiles("throughput"))
	if err != nil {
		return err
	}
	const what = "acks=all, 1 KB records, 6 partitions: "
	c.figures.note(what+"MB/s", c.name, s.MBPerSecond)
	c.figures.note(what+"CPU s/GB of the nodes", c.name, s.SecondsPerGB)
	c.figures.note(what+"p50 of a request of 64 KB, ms", c.name, s.P50)
	c.figures.note(what+"p99 of a request of 64 KB, ms", c.name, s.P99)
	return nil
}

// produce has every partition's leader take batches of 64 KB, 5 requests on the way for each, acks=all.
func (c *clusterRun) produce(ctx context.Context, name string, limits Limits, around func(begin bool)) (Sample, error) {
	batch := batchOf(recordsPer64KB)
	return c.runLoad(ctx, name, limits, around, func(load *Load, p int32, addr string) error {
		frame, err := produceFrame(load.topic.id, p, batch)
		if err != nil {
			return err
		}
		conn, err := load.connect(ctx, addr)
		if err != nil {
			return err
		}
		load.lanes = append(load.lanes, func(l *lane) error {
			return produceUntilStopped(l, conn, newWindow(frame, 5), int64(len(batch)))
		})
		return nil
	})
}

// latency is that of endToEnd.
func (c *clusterRun) latency(ctx context.Context) error {
	s, err := c.endToEnd(ctx, "latency", Limits{WarmUp: 2 * time.Second, Measure: 3 * c.Duration()}, c.profiles("latency"))
	if err != nil {
		return err
	}
	const what = "acks=all, 1,000 records/s: "
	c.figures.note(what+"p50 end to end, ms", c.name, s.P50)
	c.figures.note(what+"p99 end to end, ms", c.name, s.P99)
	c.figures.note(what+"p99.9 end to end, ms", c.name, s.P999)
	c.figures.note(what+"p50 of an acknowledgement, ms", c.name, s.AckP50)
	c.figures.note(what+"p99 of an acknowledgement, ms", c.name, s.AckP99)
	c.figures.note(what+"CPU of the nodes, µs a record", c.name, s.MicrosPerRequest)
	return nil
}

// endToEnd sends 1,000 records/s, one by one, over all partitions, each with a consumer that waits.
func (c *clusterRun) endToEnd(ctx context.Context, name string, limits Limits, around func(begin bool)) (Sample, error) {
	const perSecond = 1000
	return c.runLoad(ctx, name, limits, around, func(load *Load, p int32, addr string) error {
		return addEndToEnd(ctx, load, addr, p, clusterPartitions*time.Second/perSecond)
	})
}

// runLoad runs a load on a topic of its own, and deletes that.
func (c *clusterRun) runLoad(ctx context.Context, name string, limits Limits, around func(begin bool), add func(load *Load, partition int32, leader string) error) (Sample, error) {
	load, err := c.load(ctx, name, add)
	if err != nil {
		return Sample{}, err
	}
	s, err := load.Run(ctx, c.pids(), limits, around)
	if err != nil {
		return s, err
	}
	return s, load.close()
}

// load makes a topic, and has add put lanes for each of its partitions into a load.
func (c *clusterRun) load(ctx context.Context, name string, add func(load *Load, partition int32, leader string) error) (*Load, error) {
	t, err := c.create(ctx, name)
	if err != nil {
		return nil, err
	}
	leaders, err := c.byPartition(t)
	if err != nil {
		return nil, err
	}
	load := &Load{topic: t}
	for p, leader := range leaders {
		if err := add(load, int32(p), leader.Addr()); err != nil {
			return nil, err
		}
	}
	return load, nil
}

// profiles returns what records a profile of each node of Ottla during a load, if that is asked for.
func (c *clusterRun) profiles(name string) func(begin bool) {
	var all []*profiler
	for i, n := range c.nodes {
		if ottla, ok := n.(*Ottla); ok && c.Profile != "" {
			base := filepath.Join(c.Profile, fmt.Sprintf("cluster-%s-%d", name, i+1))
			all = append(all, &profiler{http: ottla.HTTP(), base: base, seconds: max(1, int(c.Seconds))})
		}
	}
	if all == nil {
		return nil
	}
	return func(begin bool) {
		for _, p := range all {
			if p.around(begin); p.err != nil {
				log.Print(p.err)
			}
		}
	}
}
