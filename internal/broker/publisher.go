package broker

import (
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/wire"
)

// publisher turns the committed metadata log into images, on a goroutine of its own: what follows the image (new logs,
// coordinators) may take a while, and the quorum must not wait for it.
type publisher struct {
	store *metadata.Store
	log   *slog.Logger
	fail  func(error)
	ended chan struct{}
	// broken is set once a record could not be understood. Nothing is published from then on: in an image without it,
	// replicas could seem to be deleted. It belongs to the goroutine.
	broken bool
	// applied is the newest timestamp in the image's part of the metadata log, in ms since 1970.
	applied atomic.Int64

	mu struct {
		sync.Mutex
		queue []publication
		wake  chan struct{} // holds one
		done  bool
		// caughtUp is whether the queue has reached what was committed when this node joined. Until then nothing is
		// published: an image of long ago shows old leader epochs, and topics that were deleted and made again with
		// the old id, for which the partitions would delete logs and epochs that are newer.
		caughtUp bool
	}
}

// publication is one thing to do, in order.
type publication struct {
	batch    record.Batch    // committed records
	snapshot *snapshotLoaded // instead of everything before
	then     func()          // called once all before it is published
}

type snapshotLoaded struct {
	offset  int64
	epoch   int32
	batches []record.Batch
}

func newPublisher(store *metadata.Store, log *slog.Logger, fail func(error)) *publisher {
	p := &publisher{store: store, log: log, fail: fail, ended: make(chan struct{})}
	p.mu.wake = make(chan struct{}, 1)
	go p.run()
	return p
}

// commit takes a committed batch (quorum.Options.OnCommit).
func (p *publisher) commit(b record.Batch) {
	if !b.Attributes().Control() {
		p.add(publication{batch: slices.Clone(b)})
	}
}

// load takes a snapshot (quorum.Options.OnSnapshot).
func (p *publisher) load(offset int64, epoch int32, batches iter.Seq[record.Batch]) {
	s := &snapshotLoaded{offset: offset, epoch: epoch}
	for b := range batches {
		if !b.Attributes().Control() {
			s.batches = append(s.batches, slices.Clone(b))
		}
	}
	p.add(publication{snapshot: s})
}

// catchUp tells that everything that was committed before this node joined has been handed over.
func (p *publisher) catchUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.caughtUp = true
	p.signal()
}

// signal: the caller holds p.mu.
func (p *publisher) signal() {
	select {
	case p.mu.wake <- struct{}{}:
	default:
	}
}

// after calls f once everything that was committed before is published.
func (p *publisher) after(f func()) { p.add(publication{then: f}) }

func (p *publisher) add(what publication) {
	p.mu.Lock()
	if !p.mu.done {
		p.mu.queue = append(p.mu.queue, what)
		p.signal()
		p.mu.Unlock()
		return
	}
	p.mu.Unlock()
	if what.then != nil {
		what.then()
	}
}

// close publishes what is queued, unless that is not all there was before, and ends the goroutine.
func (p *publisher) close() {
	p.mu.Lock()
	p.mu.done = true
	p.signal()
	p.mu.Unlock()
	<-p.ended
}

func (p *publisher) run() {
	defer close(p.ended)
	for range p.mu.wake {
		p.mu.Lock()
		caughtUp, done := p.mu.caughtUp, p.mu.done
		if !caughtUp && !done {
			p.mu.Unlock()
			continue
		}
		queue := p.mu.queue
		p.mu.queue = nil
		p.mu.Unlock()
		if !caughtUp {
			queue = slices.DeleteFunc(queue, func(what publication) bool { return what.then == nil })
		}
		p.publish(queue)
		if done {
			return
		}
	}
}

// publish applies what is queued: many batches make one image, so that a start with a long log does not make one each, and
// none of long ago where somebody began to wait. Who waits is called after that.
func (p *publisher) publish(queue []publication) {
	var delta *metadata.Delta
	var offset int64
	var epoch int32
	newest := p.applied.Load()
	for _, what := range queue {
		if p.broken || what.then != nil {
			continue
		}
		batches := []record.Batch{what.batch}
		offset, epoch = what.end()
		if what.snapshot != nil {
			delta = metadata.Empty(p.store.Current().ClusterID()).Change()
			batches = what.snapshot.batches
		} else if delta == nil {
			delta = p.store.Current().Change()
		}
		if err := replayAll(delta, batches); err != nil {
			p.broken, delta = true, nil
			p.fail(fmt.Errorf("the metadata log holds what this version does not understand: %w", err))
		}
		for _, b := range batches {
			newest = max(newest, b.MaxTimestamp())
		}
	}
	if delta != nil {
		p.store.Publish(delta.Apply(offset, epoch), nil)
		p.applied.Store(newest)
	}
	for _, what := range queue {
		if what.then != nil {
			what.then()
		}
	}
}

// lag is how old the image is while more is committed than it has. Unlike Kafka's controllers, ours write nothing while nothing
// happens: an old image is no late one.
func (p *publisher) lag(now time.Time) time.Duration {
	p.mu.Lock()
	waiting := slices.ContainsFunc(p.mu.queue, func(what publication) bool { return what.then == nil })
	p.mu.Unlock()
	if !waiting {
		return 0
	}
	return max(0, now.Sub(time.UnixMilli(p.applied.Load())))
}

// end is the last offset that the image has after the publication, and its epoch.
func (what *publication) end() (offset int64, epoch int32) {
	if s := what.snapshot; s != nil {
		return s.offset - 1, s.epoch
	}
	return what.batch.LastOffset(), what.batch.LeaderEpoch()
}

// maxMetadataBatch is the most that a batch of the metadata log may decompress to; it is never compressed by us.
const maxMetadataBatch = 64 << 20

// replayAll stops at the first record that cannot be replayed.
func replayAll(delta *metadata.Delta, batches []record.Batch) error {
	for _, b := range batches {
		if err := replay(delta, b); err != nil {
			return err
		}
	}
	return nil
}

func replay(delta *metadata.Delta, b record.Batch) error {
	for r, err := range b.Records(maxMetadataBatch) {
		if err != nil {
			return err
		}
		m, _, err := wire.DecodeMetadataRecord(r.Value)
		if err != nil {
			return kafka.Errorf(kafka.CorruptMessage, "metadata record at offset %d: %v", r.Offset, err)
		}
		if err := delta.ReplayAt(r.Offset, m); err != nil {
			return err
		}
	}
	return nil
}
