package txn

import (
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
)

// fate is what has become of a record, or of a transaction.
type fate int

const (
	fateOpen fate = iota
	fateCommitted
	fateAborted
)

// data is a record of a transaction.
type data struct {
	tx   *transact
	fate fate
}

// partition is what a partition knows of producers: enough to refuse what comes too late.
type partition struct {
	producers map[int64]*written
}

type written struct {
	epoch       int16
	coordinator int32
	open        []*data
}

func newPartition() *partition { return &partition{producers: map[int64]*written{}} }

func (p *partition) of(id int64) *written {
	if p.producers[id] == nil {
		p.producers[id] = &written{epoch: noProducerEpoch}
	}
	return p.producers[id]
}

func (p *partition) produce(by statemachine.Producer, r *data) error {
	w := p.of(by.ID)
	if by.Epoch < w.epoch {
		return kafka.InvalidProducerEpoch
	}
	w.epoch = by.Epoch
	w.open = append(w.open, r)
	return nil
}

// mark ends the producer's open transaction.
func (p *partition) mark(m Marker) error {
	w := p.of(m.Producer.ID)
	switch {
	case m.CoordinatorEpoch < w.coordinator:
		return kafka.TransactionCoordinatorFenced
	case m.Producer.Epoch < w.epoch:
		return kafka.InvalidProducerEpoch
	}
	w.epoch, w.coordinator = m.Producer.Epoch, m.CoordinatorEpoch
	for _, r := range w.open {
		r.fate = fateAborted
		if m.Commit {
			r.fate = fateCommitted
		}
	}
	w.open = nil
	return nil
}

// deliver takes markers: some are written at once, some later, some not at all.
func (m *model) deliver(marker Marker, done func([]error)) {
	m.note("-> %s", printMarker(marker))
	write := func() []error {
		errs := make([]error, len(marker.Partitions))
		for i, tp := range marker.Partitions {
			if m.rand.IntN(5) == 0 {
				errs[i] = kafka.NotLeaderOrFollower
				continue
			}
			errs[i] = m.partitions[tp].mark(marker)
			m.note("%v has %s: %s", tp, printMarker(marker), codeOf(errs[i]))
			if errs[i] == nil && m.rand.IntN(8) == 0 {
				errs[i] = kafka.RequestTimedOut // it is written, but who knows
			}
		}
		return errs
	}
	switch m.rand.IntN(4) {
	case 0:
		done(write())
	case 1:
		errs := write()
		m.held = append(m.held, func() { done(errs) })
	default:
		m.held = append(m.held, func() { done(write()) })
	}
}

// someMarkers brings about half of the markers that are on the way.
func (m *model) someMarkers() {
	held := m.held
	m.held = nil
	for _, f := range held {
		if m.rand.IntN(2) == 0 {
			m.held = append(m.held, f)
			continue
		}
		f()
	}
}
