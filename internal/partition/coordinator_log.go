package partition

import (
	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/producerstate"
	"github.com/ottla/ottla/internal/record"
)

// CoordinatorLog is a led partition of an internal topic as its coordinator's state machine uses it
// (statemachine.Log): bound to one leader epoch.
type CoordinatorLog struct {
	partition *Partition
	epoch     int32
	allAcks   bool
}

// CoordinatorLog returns the log for a coordinator that took over at the given leader epoch.
func (p *Partition) CoordinatorLog(epoch int32) *CoordinatorLog {
	return &CoordinatorLog{partition: p, epoch: epoch}
}

// AllAcks has Append fail with NOT_ENOUGH_REPLICAS below min.insync.replicas, as Kafka's transaction coordinator appends with
// acks=all. The group coordinator's records are appended all the same, and are committed later.
func (l *CoordinatorLog) AllAcks() *CoordinatorLog {
	l.allAcks = true
	return l
}

// Append appends one batch and asks for it to be made stable.
func (l *CoordinatorLog) Append(batch []byte) (next int64, err error) {
	return l.AppendTransactional(batch, producerstate.Append{Origin: record.Coordinator})
}

// AppendTransactional is Append for a batch that belongs to a transaction or ends one (statemachine.TransactionLog).
func (l *CoordinatorLog) AppendTransactional(batch []byte, how producerstate.Append) (next int64, err error) {
	p := l.partition
	if l.allAcks {
		if err := p.atLeastMinISR(p.State()); err != nil {
			return 0, err
		}
	}
	done, err := p.appendAs(l.epoch, batch, commitlog.AppendOptions{
		Origin: how.Origin, Now: p.Dir().Now(), TransactionVersion: how.TransactionVersion, Verify: how.Verify, Guard: how.Guard,
	})
	if err != nil {
		return 0, err
	}
	p.commit(done.NextOffset)
	return done.NextOffset, nil
}

// Await calls done once everything below offset is committed.
func (l *CoordinatorLog) Await(offset int64, done func(err error)) {
	l.partition.AwaitFunc(l.epoch, offset, done)
}

// loadChunk is how many bytes Load reads at a time; a larger batch is read whole.
const loadChunk = 1 << 20

// Load yields every batch of the log, oldest first.
func (l *CoordinatorLog) Load(yield func(batch record.Batch) error) error {
	log := l.partition.Log()
	end := log.EndOffset()
	var buf []byte
	for offset := log.StartOffset(); offset < end; {
		chunk, err := readChunk(log, offset, end, buf, loadChunk)
		if now := l.partition.Log(); err != nil && now != log { // moved to another directory
			log = now
			continue
		}
		if err != nil || len(chunk) == 0 {
			return err
		}
		buf = chunk
		for batch, err := range record.Batches(chunk) {
			if err != nil {
				return err
			}
			if batch.LastOffset() < offset {
				continue
			}
			if err := yield(batch); err != nil {
				return err
			}
			offset = batch.LastOffset() + 1
		}
	}
	return nil
}

// readChunk reads at most limit bytes of whole batches below end, but at least one batch, into buf if that is large enough.
func readChunk(log *commitlog.Log, offset, end int64, buf []byte, limit int) ([]byte, error) {
	span, err := log.Find(offset, limit, end, true)
	if err != nil {
		return nil, err
	}
	defer span.Release()
	if cap(buf) < span.Size {
		buf = make([]byte, span.Size)
	}
	n, err := span.ReadAt(buf[:span.Size])
	return buf[:n], err
}
