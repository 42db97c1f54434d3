package partition

import (
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/producerstate"
	"github.com/ottla/ottla/internal/record"
)

// Append is one partition's share of a Produce request.
type Append struct {
	// Records is one record batch as the client sent it; offsets are stamped into it in place.
	Records []byte
	// Acks is -1 (all in-sync replicas), 0 or 1.
	Acks int16
	// ProduceVersion is the version of the Produce request.
	ProduceVersion int16
	// Verify demands that the first batch of a transaction shows the Guard that StartVerification gave.
	Verify bool
	Guard  producerstate.Guard
	Now    time.Time
}

// Appended says where the records are, and whether the producer had sent them before.
type Appended = commitlog.Appended

// Append validates a client's batch and appends it to a partition that this broker leads. With acks=-1 the caller
// answers after Await(NextOffset); the flusher is on its way. Errors: NOT_LEADER_OR_FOLLOWER, NOT_ENOUGH_REPLICAS
// (acks=-1 and fewer replicas in sync than min.insync.replicas), *record.InvalidError, those of the producer's
// sequence, KAFKA_STORAGE_ERROR.
func (p *Partition) Append(a Append) (Appended, error) {
	size := len(a.Records)
	done, records, err := p.append(a)
	p.Traffic().in(records, size, err != nil)
	if err != nil {
		return Appended{}, err
	}
	if a.Acks == -1 || p.watched.Load() > 0 {
		p.Log().Commit(done.NextOffset)
	}
	p.advance()
	return done, nil
}

// append is Append up to the log; records is their number.
func (p *Partition) append(a Append) (done Appended, records int, err error) {
	state, err := p.Leading(AnyEpoch)
	if err != nil {
		return Appended{}, 0, err
	}
	if a.Acks == -1 {
		if err := p.atLeastMinISR(state); err != nil {
			return Appended{}, 0, err
		}
	}
	rules := p.settings.Load().Rules
	rules.Partition, rules.ProduceVersion = p.name, a.ProduceVersion
	valid, err := record.Validate(a.Records, rules, a.Now.UnixMilli())
	if err != nil {
		return Appended{}, 0, err
	}
	done, err = p.appendAs(AnyEpoch, valid.Batch, commitlog.AppendOptions{Origin: record.Client, Now: a.Now, Verify: a.Verify, Guard: a.Guard})
	return done, valid.Count, err
}

// atLeastMinISR is NOT_ENOUGH_REPLICAS if fewer replicas than min.insync.replicas are in sync.
func (p *Partition) atLeastMinISR(state *metadata.Partition) error {
	if need := p.settings.Load().effectiveMinISR(state); len(state.ISR) < need {
		return kafka.Errorf(kafka.NotEnoughReplicas,
			"The size of the current ISR : %d is insufficient to satisfy the min.isr requirement of %d for partition %s (min.insync.replicas), in sync are the brokers %v",
			len(state.ISR), need, p.name, state.ISR)
	}
	return nil
}

// appendAs appends under the current leader epoch, which must be the given one unless that is AnyEpoch. The epoch does not
// change until the records are in the log.
func (p *Partition) appendAs(epoch int32, batch []byte, o commitlog.AppendOptions) (Appended, error) {
	done, err := p.appendNow(epoch, batch, o)
	if err == nil {
		p.tellAppended()
	}
	return done, err
}

func (p *Partition) appendNow(epoch int32, batch []byte, o commitlog.AppendOptions) (Appended, error) {
	p.leadership.RLock()
	defer p.leadership.RUnlock()
	state, err := p.Leading(epoch)
	if err != nil {
		return Appended{}, err
	}
	if err := p.Gone(); err != nil {
		return Appended{}, err
	}
	o.LeaderEpoch = state.LeaderEpoch
	return p.Log().Append(batch, o)
}

// EnoughReplicas is asked once an append with acks=-1 is committed: NOT_ENOUGH_REPLICAS_AFTER_APPEND if the in-sync set
// has become smaller than min.insync.replicas meanwhile, so that the record is on fewer replicas than the topic asks for.
func (p *Partition) EnoughReplicas() error {
	state := p.state.Load()
	if need := p.settings.Load().effectiveMinISR(state); len(state.ISR) < need {
		return kafka.Errorf(kafka.NotEnoughReplicasAfterAppend,
			"The size of the ISR of %s has become %d, less than the min.isr requirement of %d (min.insync.replicas), after the records were appended", p.name, len(state.ISR), need)
	}
	return nil
}

// AtMinISR reports whether just min.insync.replicas are in sync: one fewer, and acks=-1 is refused.
func (p *Partition) AtMinISR() bool {
	state := p.state.Load()
	return len(state.ISR) == p.settings.Load().effectiveMinISR(state)
}
