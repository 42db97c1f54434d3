package statemachine

import (
	"fmt"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// maxBatchBytes bounds what one compressed batch of a machine's log may decompress to. Engines write
// uncompressed; other writers (Kafka itself, in an adopted directory) may not.
const maxBatchBytes = 256 << 20

// Load replays the log into the machine and opens the engine for steps. It blocks: hosts call it on a
// goroutine of its own. It is called once. An error stops the engine: it names the offset of what cannot be
// read or understood, or is the reason of a Stop that came in between.
func (e *Engine[M]) Load() error {
	err := e.log.Load(func(b record.Batch) error {
		if err := e.Err(); err != nil {
			return err
		}
		return e.loadBatch(b)
	})
	if err != nil {
		err = fmt.Errorf("loading %s: %w", e.options.Name, err)
		// Kafka's coordinator, too, says that it is none when its log could not be read.
		e.Stop(e.options.Errors(kafka.Errorf(kafka.NotLeaderOrFollower, "%v", err)))
		return err
	}
	e.mu.Lock()
	if e.mu.phase == stopped {
		err := e.mu.err
		e.mu.Unlock()
		return err
	}
	e.mu.phase = running
	e.mu.Unlock()
	e.await() // what was loaded may still have to be committed, and reads wait for it
	e.drain() // sets the alarm
	return nil
}

// loadBatch replays one batch of the log.
func (e *Engine[M]) loadBatch(b record.Batch) error {
	if err := b.CheckCRC(); err != nil {
		return fmt.Errorf("batch at offset %d: %w", b.BaseOffset(), err)
	}
	var p *Producer
	if b.Attributes().Transactional() {
		p = &Producer{ID: b.ProducerID(), Epoch: b.ProducerEpoch()}
	}
	offset := b.BaseOffset()
	for r, err := range b.Records(maxBatchBytes) {
		if err != nil {
			return fmt.Errorf("batch at offset %d: %w", b.BaseOffset(), err)
		}
		offset = r.Offset
		if b.Attributes().Control() {
			err = e.loadControl(p, r)
		} else {
			err = replayOne(e.machine, offset, p, Record{Key: r.Key, Value: r.Value})
		}
		if err != nil {
			return fmt.Errorf("record at offset %d: %w", offset, err)
		}
	}
	e.written = b.LastOffset() + 1
	return nil
}

// loadControl replays a transaction marker. Other control records (a new leader, frames of snapshots) speak
// to the log, not to the machine.
func (e *Engine[M]) loadControl(p *Producer, r record.Record) error {
	kind, err := record.ParseControlKey(r.Key)
	if err != nil || (kind != record.CommitMarker && kind != record.AbortMarker) {
		return err
	}
	t, ok := any(e.machine).(Transactional)
	if !ok || p == nil {
		return kafka.Errorf(kafka.CorruptMessage, "a transaction marker in a log without transactions")
	}
	t.ReplayMarker(p.ID, p.Epoch, kind == record.CommitMarker)
	return nil
}
