package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/ottla/ottla/internal/wire"
)

// partitionTopics is over how many topics -partitions are spread; records go to the partitions of one of them.
const partitionTopics = 10

// settle is how long a broker is left alone before its memory is looked at: what is due every 5 s has happened then.
const settle = 8 * time.Second

// A scale is one broker with many partitions, and what was measured of it.
type scale struct {
	Options
	broker  Broker
	topics  []*topic
	figures []Figure
}

// A Figure is one line of the table of many partitions.
type Figure struct {
	Name  string
	Value float64
}

func (s *scale) note(name string, value float64) {
	log.Printf("%s: %s: %s", s.broker.Name(), name, figure(value))
	s.figures = append(s.figures, Figure{name, value})
}

func (s *scale) seconds(name string, since time.Time) {
	s.note(name+", s", time.Since(since).Seconds())
}

// runPartitions measures what partitions cost that have nothing to do, and what starts, stops and appends cost beside them.
func runPartitions(ctx context.Context, o Options) error {
	dir, err := os.MkdirTemp(o.Dir, "ottla-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var scales []*scale
	for _, b := range newBrokers(o) {
		s := &scale{Options: o, broker: b}
		if err := s.run(ctx, filepath.Join(dir, b.Name())); err != nil {
			return fmt.Errorf("%s: %w", b.Name(), err)
		}
		scales = append(scales, s)
		if err := os.RemoveAll(filepath.Join(dir, b.Name())); err != nil {
			return err
		}
	}
	printScales(os.Stdout, o, scales)
	if o.JSON != "" {
		return writeScales(o.JSON, scales)
	}
	return nil
}

func (s *scale) run(ctx context.Context, dir string) (err error) {
	if _, err := s.broker.Start(ctx, dir); err != nil {
		return err
	}
	defer func() {
		s.broker.Kill()
		for _, t := range s.topics {
			t.conn.Close()
		}
	}()
	for _, step := range []func(context.Context) error{s.create, s.restarts, s.loads, s.restartWithData} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// create makes the topics and looks at what they cost.
func (s *scale) create(ctx context.Context) error {
	before, err := s.lookAtProcess(ctx)
	if err != nil {
		return err
	}
	begin := time.Now()
	for i := range partitionTopics { // more than 10,000 records in a request are refused, by Kafka too
		t, err := createTopic(ctx, s.broker.Addr(), fmt.Sprintf("scale-%d", i), int32(s.Partitions/partitionTopics), s.configs())
		if err != nil {
			return err
		}
		s.topics = append(s.topics, t)
	}
	s.seconds("creation", begin)
	for _, t := range s.topics {
		t.conn.Close()
	}
	after, err := s.lookAtProcess(ctx)
	if err != nil {
		return err
	}
	n := float64(s.Partitions)
	s.note("resident memory per partition, bytes", float64(after.resident-before.resident)/n)
	s.note("open descriptors for them", float64(after.descriptors-before.descriptors))
	s.note("goroutines or threads for them", float64(after.running-before.running))
	s.note("CPU while they are idle, ms/s", after.idleCPU)
	return nil
}

// configs are the settings of the topics. Ottla is to answer from the page cache, as Kafka does, in all but the last.
func (s *scale) configs() map[string]string {
	if _, ok := s.broker.(*Ottla); ok {
		return map[string]string{"write.caching": "true"}
	}
	return nil
}

// restarts stops and kills the broker while its partitions are as they are.
func (s *scale) restarts(ctx context.Context) error {
	if err := errors.Join(s.restart(ctx, "idle", true), s.restart(ctx, "idle", false)); err != nil {
		return err
	}
	return s.describe()
}

// describe asks for the metadata of all partitions at once, as clients without a list of topics do.
func (s *scale) describe() error {
	const asked = 10
	before, err := cpuTime(s.broker.PID())
	if err != nil {
		return err
	}
	for range asked {
		var rs wire.MetadataResponse
		if err := s.topics[0].conn.ask(12, &wire.MetadataRequest{}, &rs); err != nil {
			return err
		}
		if len(rs.Topics) < partitionTopics {
			return fmt.Errorf("metadata of %d topics", len(rs.Topics))
		}
	}
	after, err := cpuTime(s.broker.PID())
	s.note("CPU of a Metadata answer about all, ms", milliseconds(after-before)/asked)
	return err
}

// restart ends the broker and starts it until every partition serves.
func (s *scale) restart(ctx context.Context, what string, clean bool) error {
	begin := time.Now()
	how := "kill -9"
	if clean {
		how = "a clean stop"
		if err := s.broker.Stop(); err != nil {
			return err
		}
		s.seconds("clean stop, "+what, begin)
	} else {
		s.broker.Kill()
	}
	begin = time.Now()
	if err := s.broker.Again(ctx); err != nil {
		return err
	}
	s.seconds(fmt.Sprintf("first answer after %s, %s", how, what), begin)
	for _, t := range s.topics {
		if err := t.reconnect(ctx, s.broker.Addr()); err != nil {
			return err
		}
		if err := t.awaitLeaders(ctx); err != nil {
			return err
		}
	}
	s.seconds(fmt.Sprintf("all serve after %s, %s", how, what), begin)
	cpu, err := cpuTime(s.broker.PID())
	if err != nil {
		return err
	}
	s.note(fmt.Sprintf("CPU until then, after %s, %s, s", how, what), cpu.Seconds())
	return nil
}

// loads appends to the partitions of one topic.
func (s *scale) loads(ctx context.Context) error {
	for _, shape := range []scaleShape{{1, 16, 5}, {100, 4, 2}} {
		load, err := s.load(ctx, s.topics[0], shape)
		if err != nil {
			return err
		}
		limits := Limits{WarmUp: 2 * time.Second, Measure: s.Duration(), MeasureBytes: runBytes}
		sample, err := load.Run(ctx, []int{s.broker.PID()}, limits, s.profile(fmt.Sprintf("partitions-%d-a-request", shape.perRequest)))
		if err != nil {
			return err
		}
		load.disconnect()
		records := float64(shape.perRequest)
		s.note(fmt.Sprintf("1 KB records/s, %d a request", shape.perRequest), sample.PerSecond*records)
		s.note(fmt.Sprintf("broker CPU a record, %d a request, µs", shape.perRequest), sample.MicrosPerRequest/records)
		s.note(fmt.Sprintf("generator CPU a record, %d a request, µs", shape.perRequest), sample.GeneratorPerRequest/records)
		s.note(fmt.Sprintf("p99 of a request, %d a request, ms", shape.perRequest), sample.P99)
	}
	descriptors, err := openDescriptors(s.broker.PID())
	if err != nil {
		return err
	}
	s.note("open descriptors after it", float64(descriptors))
	return s.restart(ctx, "written", true)
}

// profile returns what records profiles of Ottla during a load, if that is asked for.
func (s *scale) profile(name string) func(begin bool) {
	ottla, ok := s.broker.(*Ottla)
	if !ok || s.Profile == "" {
		return nil
	}
	p := &profiler{http: ottla.HTTP(), base: filepath.Join(s.Profile, name), seconds: max(1, int(s.Seconds)-1)}
	return p.around
}

// restartWithData fills the partitions of one topic and kills the broker.
func (s *scale) restartWithData(ctx context.Context) error {
	if err := s.fill(ctx, s.topics[1], int64(s.Data*1e9)); err != nil {
		return err
	}
	if err := pass(ctx, settle); err != nil {
		return err
	}
	return s.restart(ctx, fmt.Sprintf("%g GB", s.Data), false)
}
