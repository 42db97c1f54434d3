package producerstate

import "github.com/ottla/ottla/internal/record"

// window is how many batches of a producer are remembered to recognise duplicates. Java's producer has
// at most five in flight (max.in.flight.requests.per.connection).
const window = 5

// noCoordinatorEpoch is the coordinator epoch before the first marker.
const noCoordinatorEpoch int32 = -1

// AppendedBatch is a batch that is in the log.
type AppendedBatch struct {
	FirstOffset int64
	LastOffset  int64
	// Timestamp is the batch's maximum timestamp in milliseconds.
	Timestamp int64
}

// batch is what is remembered of a batch: 24 bytes.
type batch struct {
	lastOffset   int64
	timestamp    int64
	lastSequence int32
	offsetDelta  int32
}

func (b batch) appended() AppendedBatch {
	return AppendedBatch{b.lastOffset - int64(b.offsetDelta), b.lastOffset, b.timestamp}
}

func (b batch) firstSequence() int32 {
	return record.SubtractSequence(b.lastSequence, b.offsetDelta)
}

// entry is what is known of one producer.
type entry struct {
	lastTimestamp  int64
	txnFirstOffset int64
	last           batch
	// older are the batches before last, oldest first; nil while there are none. Most producers of a
	// large table have one batch.
	older            *[window - 1]batch
	coordinatorEpoch int32
	epoch            int16
	// batches counts last and the older ones; 0 means that nothing was written in this epoch.
	batches int8
}

func newEntry() *entry {
	return &entry{epoch: record.NoProducerEpoch, coordinatorEpoch: noCoordinatorEpoch, lastTimestamp: record.NoTimestamp, txnFirstOffset: NoOffset}
}

func (e *entry) lastSequence() int32 {
	if e.batches == 0 {
		return record.NoSequence
	}
	return e.last.lastSequence
}

// setEpoch forgets the batches of another epoch.
func (e *entry) setEpoch(epoch int16) {
	if e.epoch != epoch {
		e.epoch, e.batches, e.older = epoch, 0, nil
	}
}

func (e *entry) addBatch(epoch int16, b batch) {
	e.setEpoch(epoch)
	if e.batches > 0 {
		if e.older == nil {
			e.older = new([window - 1]batch)
		}
		n := int(e.batches) - 1
		if n == len(e.older) {
			n = copy(e.older[:], e.older[1:])
		}
		e.older[n] = e.last
	}
	e.last = b
	e.batches = min(e.batches+1, window)
	e.lastTimestamp = b.timestamp
}

// duplicate finds the remembered batch with exactly these sequence numbers, the oldest first.
func (e *entry) duplicate(epoch int16, first, last int32) (AppendedBatch, bool) {
	if e.epoch != epoch || e.batches == 0 {
		return AppendedBatch{}, false
	}
	for i := range int(e.batches) - 1 {
		if b := e.older[i]; b.lastSequence == last && b.firstSequence() == first {
			return b.appended(), true
		}
	}
	if e.last.lastSequence == last && e.last.firstSequence() == first {
		return e.last.appended(), true
	}
	return AppendedBatch{}, false
}

func (e *entry) expired(now, expirationMs int64) bool {
	return e.txnFirstOffset == NoOffset && now-e.lastTimestamp >= expirationMs
}
