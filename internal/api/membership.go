package api

import (
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/producerstate"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/txn"
)

// membership is the question to the coordinator of a transaction whether partitions led here belong to it (KIP-890). It is
// asked before the first batch of a transaction is appended to a partition, so that no transaction can begin that its
// coordinator would never end.
type membership struct {
	transactionalID string
	producer        statemachine.Producer
	client          causes.Client
	support         transactionSupport
	places          []membershipPlace
}

// membershipPlace is one partition of the question, with the answer.
type membershipPlace struct {
	kafka.TopicPartition
	asked    bool  // whether it has a batch of the transaction
	sequence int32 // of that batch
	guard    producerstate.Guard
	err      error
}

// transactionSupport is what a producer understands of KIP-890, as the version of its request tells (Kafka:
// TransactionSupportedOperation).
type transactionSupport int

const (
	defaultErrors   transactionSupport = iota
	abortableErrors                    // TRANSACTION_ABORTABLE
	addsPartitions                     // partitions become part of the transaction by the request itself
)

// produceSupport is for Produce.
func produceSupport(version int16) transactionSupport {
	switch {
	case version >= 12:
		return addsPartitions
	case version == 11:
		return abortableErrors
	}
	return defaultErrors
}

// offsetSupport is for TxnOffsetCommit.
func offsetSupport(version int16) transactionSupport {
	switch {
	case version >= 5:
		return addsPartitions
	case version == 4:
		return abortableErrors
	}
	return defaultErrors
}

// verifiesTransactions reports whether partitions ask the coordinator about transactions of old producers.
func (a *API) verifiesTransactions() bool {
	return a.Config().Bool(config.TransactionPartitionVerificationEnable)
}

// askMembership fills in guards and errors of q's places, then calls done, maybe before it returns.
func (a *API) askMembership(q *membership, done func()) {
	if ask := a.unverified(q); len(ask) > 0 {
		a.askCoordinator(q, ask, done)
		return
	}
	done()
}

// unverified returns those of q's places that the coordinator has to be asked about, with their guards; the errors of others are
// filled in. Where the transaction is open already there is nothing to ask.
func (a *API) unverified(q *membership) (ask []*membershipPlace) {
	if q.support != addsPartitions && !a.verifiesTransactions() {
		return nil
	}
	for i := range q.places {
		place := &q.places[i]
		if !place.asked || place.err != nil {
			continue
		}
		p, err := a.Partitions.Get(place.Topic, place.Partition)
		if err == nil {
			place.guard, err = p.StartVerification(q.producer.ID, q.producer.Epoch, place.sequence, q.support == addsPartitions, a.Now())
		}
		place.err = err
		if err == nil && place.guard != producerstate.NoGuard {
			ask = append(ask, place)
		}
	}
	return ask
}

// askCoordinator asks for some of q's places, here or on the broker that coordinates the transaction. While the last transaction
// gets its markers, partitions to add wait for that for add.partitions.to.txn.retry.backoff.max.ms; then it is
// CONCURRENT_TRANSACTIONS, and the producer has to send its records again.
func (a *API) askCoordinator(q *membership, ask []*membershipPlace, done func()) {
	question := &txn.AddPartitions{
		TransactionalID: q.transactionalID, Producer: q.producer, VerifyOnly: q.support != addsPartitions, Patience: a.transactionPatience(),
		Client: q.client,
	}
	if q.support == addsPartitions {
		question.Version = 2
	}
	for _, place := range ask {
		question.Partitions = append(question.Partitions, place.TopicPartition)
	}
	answer := func(errs []error) {
		for i, place := range ask {
			place.err = nil
			if errs != nil {
				place.err = q.support.understood(errs[i])
			}
		}
		done()
	}
	if node, elsewhere := a.transactionCoordinatorElsewhere(q.transactionalID); elsewhere {
		a.askCoordinatorOn(node, question, answer)
		return
	}
	a.askTransaction(q.transactionalID, func(t *txn.Coordinator, now time.Time) statemachine.Output {
		return t.AddPartitions(now, question, answer)
	}, func(err error) {
		errs := make([]error, len(ask))
		for i := range errs {
			errs[i] = err
		}
		answer(errs)
	})
}

// transactionPatience is how long partitions that are to be added wait for the end of the last transaction.
func (a *API) transactionPatience() time.Duration {
	return a.Config().Duration(config.AddPartitionsToTxnRetryBackoffMaxMs)
}

// understood is the coordinator's answer in the errors that a producer knows from partitions.
func (s transactionSupport) understood(err error) error {
	switch code := kafka.CodeOf(err); {
	case code == kafka.ProducerFenced:
		return kafka.Errorf(kafka.InvalidProducerEpoch, "%v", err)
	case code == kafka.TransactionAbortable && s == defaultErrors:
		return kafka.Errorf(kafka.InvalidTxnState, "%v", err)
	}
	return err
}
