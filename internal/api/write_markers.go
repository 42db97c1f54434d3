package api

import (
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/txn"
)

// WriteMarkers ends a producer's transaction in its partitions, here and on the brokers that lead the others, and calls done
// once with the outcome of each, in their order; nil if all have their marker on every in-sync replica. A partition that
// was deleted needs none. It is for transaction coordinators.
func (a *API) WriteMarkers(m txn.Marker, done func(errs []error)) {
	image := a.Metadata.Current()
	w := newMarkerWrite(m, done)
	elsewhere := map[int32][]int{} // by leader
	for i, tp := range m.Partitions {
		switch p := image.Partition(tp); {
		case p == nil:
			w.all.one()
		case a.Peer == nil || p.Leader == a.Node:
			a.writeMarker(m, tp, func(err error) { w.wrote(i, err) })
		case p.Leader < 0:
			w.wrote(i, kafka.Errorf(kafka.LeaderNotAvailable, "%s has no leader at the moment", tp))
		default:
			elsewhere[p.Leader] = append(elsewhere[p.Leader], i)
		}
	}
	for leader, at := range elsewhere {
		a.sendMarkers(leader, m, at, w.wrote)
	}
	w.all.one()
}

// writeMarkersHere is WriteMarkers for partitions that have replicas here, whoever leads them: another broker has sent the
// markers, and they do not travel on.
func (a *API) writeMarkersHere(m txn.Marker, done func(errs []error)) {
	w := newMarkerWrite(m, done)
	for i, tp := range m.Partitions {
		a.writeMarker(m, tp, func(err error) { w.wrote(i, err) })
	}
	w.all.one()
}

// markerWrite gathers the outcomes of a marker's partitions.
type markerWrite struct {
	errs []error
	all  *gather
}

func newMarkerWrite(m txn.Marker, done func(errs []error)) *markerWrite {
	w := &markerWrite{errs: make([]error, len(m.Partitions))}
	w.all = newGather(len(m.Partitions), func() {
		for _, err := range w.errs {
			if err != nil {
				done(w.errs)
				return
			}
		}
		done(nil)
	})
	return w
}

func (w *markerWrite) wrote(i int, err error) {
	w.errs[i] = err
	w.all.one()
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
	marker := record.EndTxnMarker{Commit: m.Commit, CoordinatorEpoch: m.CoordinatorEpoch, Timestamp: a.Now().UnixMilli()}
	appended, err := p.AppendMarker(marker, m.Producer.ID, m.Producer.Epoch, m.Version)
	if err != nil {
		done(err)
		return
	}
	w := &markerWait{api: a, partition: p, done: done}
	// The deadline first: the other way round it might be set for ever on what is committed already.
	a.deadlines.add(&w.expiry, time.Now().Add(a.Config().Duration(config.RequestTimeoutMs)), w)
	p.Await(appended.LeaderEpoch, appended.NextOffset, w, 0)
}

// markerWait is a marker in the log of a partition that waits for its commit, for request.timeout.ms at most: then the coordinator
// sends it again.
type markerWait struct {
	api       *API
	partition *partition.Partition
	done      func(error)
	expiry    deadline
}

// Committed implements partition.Committed.
func (w *markerWait) Committed(_ int, err error) {
	w.api.deadlines.remove(&w.expiry)
	w.done(err)
}

// retain implements expiring: nothing is recycled that expired looks at.
func (w *markerWait) retain() bool { return true }

// expired implements expiring.
func (w *markerWait) expired() {
	if w.partition.Abandon(w, 0) {
		w.done(kafka.Errorf(kafka.RequestTimedOut, "a transaction's marker in %s is written but was not committed in time (request.timeout.ms)", w.partition.Name()))
	}
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
