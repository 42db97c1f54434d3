package partition

import (
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/producerstate"
	"github.com/ottla/ottla/internal/record"
)

// StartVerification returns the guard with which the transaction's coordinator is to be asked whether this partition belongs
// to it, before the first batch of a transaction is appended; producerstate.NoGuard if there is nothing to ask
// (producerstate.Table.StartVerification, KIP-890). Errors: NOT_LEADER_OR_FOLLOWER, INVALID_PRODUCER_EPOCH.
func (p *Partition) StartVerification(producerID int64, epoch int16, sequence int32, epochBump bool, now time.Time) (producerstate.Guard, error) {
	if _, err := p.Leading(AnyEpoch); err != nil {
		return producerstate.NoGuard, err
	}
	return p.Log().StartVerification(producerID, epoch, sequence, epochBump, now)
}

// AppendMarker ends the transaction of a producer in this partition. The marker counts once it is committed: see Await.
// transactionVersion is that of the feature transaction.version under which the marker was written. Errors:
// NOT_LEADER_OR_FOLLOWER, NOT_ENOUGH_REPLICAS, INVALID_PRODUCER_EPOCH, TRANSACTION_COORDINATOR_FENCED, KAFKA_STORAGE_ERROR.
func (p *Partition) AppendMarker(m record.EndTxnMarker, producerID int64, epoch int16, transactionVersion int16) (Appended, error) {
	if err := p.atLeastMinISR(p.State()); err != nil {
		return Appended{}, err
	}
	done, err := p.appendAs(AnyEpoch, m.Batch(producerID, epoch), commitlog.AppendOptions{
		Origin: record.Coordinator, Now: time.UnixMilli(m.Timestamp), TransactionVersion: transactionVersion,
	})
	if err == nil {
		p.commit(done.NextOffset)
	}
	return done, err
}
