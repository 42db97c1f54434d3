package broker

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/txn"
)

// newTransactions makes the host of the transaction coordinators.
func (b *Broker) newTransactions() *statemachine.Host[*txn.Coordinator] {
	var host *statemachine.Host[*txn.Coordinator]
	machine := func(partition, epoch int32) *txn.Coordinator {
		return txn.New(txn.Options{
			Epoch: epoch, Logger: b.log,
			// The API is there before any coordinator is.
			Settings:      func() txn.Settings { return b.api.TransactionSettings() },
			NewProducerID: func(done func(int64, error)) { b.api.NewProducerID(done) },
			Markers:       func(m txn.Marker, done func([]error)) { b.api.WriteMarkers(m, done) },
			Again: func(op func(*txn.Coordinator, time.Time) statemachine.Output, failed func(error)) {
				engine, err := host.Get(partition)
				if err != nil {
					failed(err)
					return
				}
				engine.Do(op, failed)
			},
		})
	}
	host = statemachine.NewHost(kafka.TransactionsTopic, machine, statemachine.Options{Logger: b.log, Clock: statemachine.WallClock(b.options.Now)})
	return host
}
