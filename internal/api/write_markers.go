package api

import (
	"time"

	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/txn"
)

// WriteMarkers ends a producer's transaction in its partitions, which this broker leads, and calls done once with the outcome
// of each, in their order; nil if all have their marker on every in-sync replica. A partition that was deleted needs none.
func (a *API) WriteMarkers(m txn.Marker, done func(errs []error)) {
	image := a.Metadata.Current()
	errs := make([]error, len(m.Partitions))
	all := newGather(len(m.Partitions), func() {
		for _, err := range errs {
			if err != nil {
				done(errs)
				return
			}
		}
		done(nil)
	})
	for i, tp := range m.Partitions {
		if image.Partition(tp) == nil {
			all.one()
			continue
		}
		a.writeMarker(m, tp, func(err error) {
			errs[i] = err
			all.one()
		})
	}
	all.one()
}

// writeMarker ends a producer's transaction in one partition. The offsets of groups have a state machine that decides with
// the marker; other partitions are just logs.
func (a *API) writeMarker(m txn.Marker, tp kafka.TopicPartition, done func(error)) {
	if tp.Topic == kafka.OffsetsTopic {
		a.endGroupTransaction(m, tp.Partition, done)
		return
	}
	p, err := a.Partitions.Get(tp.Topic, tp.Partition)
	if err != nil {
		done(err)
		return
	}
	marker := record.EndTxnMarker{Commit: m.Commit, CoordinatorEpoch: m.CoordinatorEpoch, Timestamp: time.Now().UnixMilli()}
	p.AppendMarker(marker, m.Producer.ID, m.Producer.Epoch, m.Version, done)
}

// endGroupTransaction has a group coordinator end a transaction. Transaction coordinators know no errors of coordinators: to
// them it is a partition that has no leader yet (KafkaApis.handleWriteTxnMarkersRequest).
func (a *API) endGroupTransaction(m txn.Marker, partition int32, done func(error)) {
	answer := func(err error) {
		switch kafka.CodeOf(err) {
		case kafka.CoordinatorNotAvailable, kafka.CoordinatorLoadInProgress, kafka.NotCoordinator:
			err = kafka.Errorf(kafka.NotLeaderOrFollower, "%v", err)
		}
		done(err)
	}
	engine, err := a.Groups.Get(partition)
	if err != nil {
		answer(err)
		return
	}
	marker := statemachine.Marker{Producer: m.Producer, CoordinatorEpoch: m.CoordinatorEpoch, Commit: m.Commit, Version: m.Version}
	engine.Do(func(c *group.Coordinator, _ time.Time) statemachine.Output {
		return c.EndTransaction(marker, answer)
	}, answer)
}
