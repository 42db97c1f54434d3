package statemachine

import (
	"iter"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/ottla/ottla/internal/kafka"
)

// Host keeps the engines of one internal topic's partitions: those that this broker leads. Its methods may be
// called from any goroutine.
type Host[M Machine] struct {
	topic   string
	machine func(partition, epoch int32) M
	options Options

	mu struct {
		sync.Mutex
		led map[int32]led[M]
		err error // set once the host has stopped
	}
}

// led is one partition's engine, and under which leadership it runs.
type led[M Machine] struct {
	epoch  int32
	engine *Engine[M]
}

// NewHost returns a host for a topic such as __consumer_offsets. machine makes the empty machine of a
// partition that this broker starts to lead in a leader epoch. Options.Name is set per partition, and
// Options.Errors defaults to CoordinatorError.
func NewHost[M Machine](topic string, machine func(partition, epoch int32) M, options Options) *Host[M] {
	if options.Errors == nil {
		options.Errors = CoordinatorError
	}
	if options.Logger == nil {
		options.Logger = slog.Default()
	}
	h := &Host[M]{topic: topic, machine: machine, options: options}
	h.mu.led = map[int32]led[M]{}
	return h
}

// Lead starts to load partition's machine from its log in the background; requests get
// COORDINATOR_LOAD_IN_PROGRESS meanwhile. An epoch that is not newer than the one already led changes
// nothing, so news may come twice; a newer one replaces the engine.
func (h *Host[M]) Lead(partition, epoch int32, log Log) {
	name := kafka.TopicPartition{Topic: h.topic, Partition: partition}.String()
	options := h.options
	options.Name = name
	h.mu.Lock()
	old, was := h.mu.led[partition]
	if h.mu.err != nil || (was && old.epoch >= epoch) {
		h.mu.Unlock()
		return
	}
	engine := New(h.machine(partition, epoch), log, options)
	h.mu.led[partition] = led[M]{epoch, engine}
	h.mu.Unlock()
	if was {
		old.engine.Stop(h.resigned(partition))
	}
	go func() {
		start := options.clock().Now()
		if err := engine.Load(); err != nil {
			if engine.Err() != nil && !h.leads(partition, engine) {
				return // it was stopped while it loaded
			}
			h.options.Logger.Error("a coordinator's log could not be loaded; it serves nothing until the partition gets a new leader",
				"partition", name, "epoch", epoch, "error", err)
			return
		}
		h.options.Logger.Debug("coordinator loaded", "partition", name, "epoch", epoch, "took", options.clock().Now().Sub(start))
	}()
}

// leads reports whether engine is still the partition's.
func (h *Host[M]) leads(partition int32, engine *Engine[M]) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.mu.led[partition].engine == engine
}

// Resign stops partition's engine, if there is one: everything that waits gets NOT_COORDINATOR.
func (h *Host[M]) Resign(partition int32) {
	h.mu.Lock()
	old, was := h.mu.led[partition]
	delete(h.mu.led, partition)
	h.mu.Unlock()
	if was {
		old.engine.Stop(h.resigned(partition))
	}
}

// Get returns the engine of a partition, ready for steps. Otherwise the error is NOT_COORDINATOR (not led
// here, or its log could not be read) or COORDINATOR_LOAD_IN_PROGRESS.
func (h *Host[M]) Get(partition int32) (*Engine[M], error) {
	h.mu.Lock()
	l, ok := h.mu.led[partition]
	err := h.mu.err
	h.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, kafka.Errorf(kafka.NotCoordinator, "this broker does not lead %s-%d; look for the coordinator again", h.topic, partition)
	}
	if err := l.engine.ready(); err != nil {
		return nil, err
	}
	return l.engine, nil
}

// All iterates over the partitions led here, in order, with their engines: also those that still load, whose
// steps fail with COORDINATOR_LOAD_IN_PROGRESS (ListGroups reports that).
func (h *Host[M]) All() iter.Seq2[int32, *Engine[M]] {
	return func(yield func(int32, *Engine[M]) bool) {
		h.mu.Lock()
		all := maps.Clone(h.mu.led)
		h.mu.Unlock()
		for _, partition := range slices.Sorted(maps.Keys(all)) {
			if !yield(partition, all[partition].engine) {
				return
			}
		}
	}
}

// Stop stops every engine with err, and leads nothing from then on.
func (h *Host[M]) Stop(err error) {
	h.mu.Lock()
	all := h.mu.led
	h.mu.led = map[int32]led[M]{}
	if h.mu.err == nil {
		h.mu.err = err
	}
	h.mu.Unlock()
	for _, l := range all {
		l.engine.Stop(err)
	}
}

func (h *Host[M]) resigned(partition int32) error {
	return kafka.Errorf(kafka.NotCoordinator, "this broker no longer leads %s-%d; look for the coordinator again", h.topic, partition)
}
