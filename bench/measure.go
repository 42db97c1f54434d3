package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"
)

const (
	idleSettle = 5 * time.Second // from a start until the memory is looked at
	idleWatch  = 3 * time.Second // how long the CPU of doing nothing is counted after that
	// warmRun is the run before the first round whose figures are thrown away: it is for the JVM's compiler.
	warmRun = 4 * time.Second
	// lead is the part of every run before its measurement begins.
	lead = 400 * time.Millisecond
	// runBytes keeps what one run writes well within memory that the page cache has touched before.
	runBytes  = 1 << 30
	leadBytes = 256 << 20
	// deleteLimit is how long deleted topics may stay on disk; see properties.
	deleteLimit = 30 * time.Second
)

// Idle is what a broker is like that was just started and has nothing to do.
type Idle struct {
	FirstAnswerMs float64 `json:"first_answer_ms"`
	FirstRecordMs float64 `json:"first_record_ms"`
	ResidentMB    float64 `json:"idle_resident_mb"`
	CPUPerSecond  float64 `json:"idle_cpu_ms_per_second"`
}

// measureStarts starts every broker on an empty directory, once a round, looks at it while it has nothing to do, and stops it.
func measureStarts(ctx context.Context, o Options, dir string, results *Results) error {
	for _, b := range newBrokers(o) {
		size, err := b.Size()
		if err != nil {
			return err
		}
		results.Sizes[b.Name()] = float64(size) / 1e6
	}
	if !o.Only.MatchString(startRow) {
		return nil
	}
	for round := range o.Rounds {
		for _, b := range newBrokers(o) {
			log.Printf("round %d of %d: %s: %s", round+1, o.Rounds, startRow, b.Name())
			idle, err := measureStart(ctx, b, filepath.Join(dir, fmt.Sprintf("start-%s-%d", b.Name(), round)))
			if err != nil {
				return fmt.Errorf("%s: %s: %w", startRow, b.Name(), err)
			}
			results.Idles[b.Name()] = append(results.Idles[b.Name()], idle)
		}
	}
	return nil
}

func measureStart(ctx context.Context, b Broker, dir string) (idle Idle, err error) {
	defer os.RemoveAll(dir)
	started, err := b.Start(ctx, dir)
	if err != nil {
		return idle, err
	}
	defer func() { err = errors.Join(err, b.Stop()) }()
	idle.FirstAnswerMs, idle.FirstRecordMs = milliseconds(started.FirstAnswer), milliseconds(started.FirstRecord)
	if err := pass(ctx, idleSettle); err != nil {
		return idle, err
	}
	resident, err := residentBytes(b.PID())
	if err != nil {
		return idle, err
	}
	idle.ResidentMB = float64(resident) / 1e6
	before, err := cpuTime(b.PID())
	if err != nil {
		return idle, err
	}
	if err := pass(ctx, idleWatch); err != nil {
		return idle, err
	}
	after, err := cpuTime(b.PID())
	idle.CPUPerSecond = milliseconds(after-before) / idleWatch.Seconds()
	return idle, err
}

// A bench has the brokers running, all but one of them paused.
type bench struct {
	Options
	dir     string // every broker has a folder of its name in it
	brokers []Broker
	topics  int // names given so far
	// contenders are what the rows compare, on these brokers.
	contenders []*Contender
}

// measureLoads runs the rows: every contender in turn, round after round.
func measureLoads(ctx context.Context, o Options, dir string, works []*Work, results *Results) (err error) {
	b := &bench{Options: o, dir: dir, brokers: newBrokers(o)}
	b.contenders = contenders(o, b.brokers)
	return b.measureLoads(ctx, works, results)
}

func (b *bench) measureLoads(ctx context.Context, works []*Work, results *Results) (err error) {
	for _, broker := range b.brokers {
		defer func() { err = errors.Join(err, broker.Stop()) }()
	}
	for i, broker := range b.brokers {
		log.Printf("starting %s", broker.Name())
		if _, err := broker.Start(ctx, filepath.Join(b.dir, broker.Name())); err != nil {
			return err
		}
		if i < len(b.brokers)-1 {
			if err := pause(broker.PID()); err != nil {
				return err
			}
		}
	}
	for _, w := range works {
		if err := b.measureRow(ctx, w, results); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	return nil
}

func (b *bench) measureRow(ctx context.Context, w *Work, results *Results) (err error) {
	var list []*Contender
	for _, c := range b.contenders {
		if !w.onlyPlain || len(c.Configs) == 0 {
			list = append(list, c)
		}
	}
	kept := map[*Contender]*Load{}
	defer func() {
		for c, load := range kept {
			err = errors.Join(err, b.wake(c.Broker), load.close())
		}
	}()
	for round := range b.Rounds + 1 {
		for _, c := range list {
			limits := Limits{WarmUp: lead, WarmUpBytes: leadBytes, Measure: b.Duration(), MeasureBytes: runBytes}
			if round == 0 {
				limits.Measure = warmRun
			}
			if w.kept {
				limits.WarmUpBytes, limits.MeasureBytes = 0, 0 // it writes nothing
			}
			sample, err := b.runOnce(ctx, w, c, kept, limits, nil)
			if err != nil {
				return fmt.Errorf("%s: %w", c.Name, err)
			}
			if round == 0 {
				continue
			}
			log.Printf("round %d of %d: %s: %s: %.1f µs CPU/%s, %.0f/s", round, b.Rounds, w.name, c.Name, sample.MicrosPerRequest, w.unit, sample.PerSecond)
			results.add(w, c, sample)
		}
	}
	if b.Profile == "" {
		return nil
	}
	for _, c := range list {
		if err := b.profile(ctx, w, c, kept); err != nil {
			return fmt.Errorf("profile of %s: %w", c.Name, err)
		}
	}
	return nil
}

// runOnce sets up the load unless it is kept from an earlier round, and runs it once.
func (b *bench) runOnce(ctx context.Context, w *Work, c *Contender, kept map[*Contender]*Load, limits Limits, around func(bool)) (Sample, error) {
	if err := b.wake(c.Broker); err != nil {
		return Sample{}, err
	}
	load := kept[c]
	if load == nil {
		var err error
		b.topics++
		if load, err = w.load(ctx, c, fmt.Sprintf("bench-%d", b.topics)); err != nil {
			return Sample{}, err
		}
		if w.kept {
			kept[c] = load
		}
	}
	syncDisks()
	sample, err := load.Run(ctx, []int{c.Broker.PID()}, limits, around)
	if !w.kept {
		err = errors.Join(err, load.close(), b.awaitDeleted(ctx, c.Broker))
	}
	return sample, err
}

// awaitDeleted returns when the folders of deleted topics are gone.
func (b *bench) awaitDeleted(ctx context.Context, of Broker) error {
	deadline := time.Now().Add(deleteLimit)
	for {
		found := 0
		for _, pattern := range []string{"*/*-delete", "*/*/*-delete"} {
			folders, err := filepath.Glob(filepath.Join(b.dir, of.Name(), pattern))
			if err != nil {
				return err
			}
			found += len(folders)
		}
		if found == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s still has %d folders of deleted partitions after %v", of.Name(), found, deleteLimit)
		}
		if err := pass(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// wake lets one broker run and pauses the others.
func (b *bench) wake(one Broker) error {
	for _, other := range b.brokers {
		if other != one {
			if err := pause(other.PID()); err != nil {
				return err
			}
		}
	}
	return resume(one.PID())
}

// pass waits.
func pass(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
