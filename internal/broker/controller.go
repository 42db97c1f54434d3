package broker

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/format"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// joinQuorum opens the metadata log and takes part in its quorum, or observes it.
func (b *Broker) joinQuorum() error {
	c := b.options.Config
	dir := b.metadataDir
	logConfig := commitlog.DefaultConfig()
	logConfig.SegmentBytes = int64(c.Int(config.MetadataLogSegmentBytes))
	logConfig.SegmentMs = c.Duration(config.MetadataLogSegmentMs).Milliseconds()
	if !b.isController() {
		return b.observeQuorum(logConfig)
	}
	if err := b.checkMetadataLog(); err != nil {
		return err
	}
	self := quorum.Voter{NodeID: b.node, DirectoryID: dir.ID()}
	voters, err := b.firstVoters(self)
	if err != nil {
		return err
	}
	bootstrap, err := format.ReadBootstrap(b.options.FS, dir.Path()) // now, and not when a leader is missed
	if err != nil {
		return err
	}
	o := quorum.Options{
		Self: self, Voters: voters, Endpoints: b.controllerEndpoints(), Dynamic: len(c.Voters) == 0,
		ElectionTimeout: c.Duration(config.ControllerQuorumFetchTimeoutMs),
		OnCommit:        b.publisher.commit, OnSnapshot: b.publisher.load, OnCaughtUp: b.publisher.catchUp,
		OnLead:   func(epoch int32, log *quorum.Leadership) { b.lead(epoch, log, bootstrap) },
		OnResign: b.resign, OnLeader: b.active.set, OnVoters: b.votersChanged,
		OnFailure:     func(err error) { b.fail(fmt.Errorf("the metadata quorum stopped: %w", err)) },
		Snapshot:      b.snapshot,
		SnapshotBytes: c.Long(config.MetadataLogMaxRecordBytesBetweenSnapshots),
		Logger:        b.log, Now: b.options.Now,
	}
	if !b.solitary() {
		o.Transport, o.Source = newRaftTransport(b), newMetadataSource(b)
	}
	q, err := quorum.Start(dir, b.options.FS, logConfig, o)
	if err != nil {
		return err
	}
	b.quorum.Store(q)
	b.keepVoter()
	return nil
}

// checkMetadataLog refuses to begin a new metadata log beside partitions of an old one: without it they would all seem to
// be deleted.
func (b *Broker) checkMetadataLog() error {
	if log := b.metadataDir.Log(quorum.Partition); log != nil {
		return log.Unloadable()
	}
	for _, dir := range b.allDirectories() {
		if n := dir.Count(); n > 0 {
			return fmt.Errorf("log directory %s holds %d partitions, but the metadata log %s that knows their topics is missing in %s: restore it (property metadata.log.dir), or start with empty directories", dir.Path(), n, quorum.Partition, b.metadataDir.Path())
		}
	}
	return nil
}

// controllerSeat holds the controller's engine while this node leads the quorum.
type controllerSeat struct {
	mu struct {
		sync.Mutex
		engine *statemachine.Engine[*controller.Controller]
	}
}

// engine returns the controller's engine, or NOT_CONTROLLER.
func (s *controllerSeat) engine() (*statemachine.Engine[*controller.Controller], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.engine == nil {
		return nil, errNotController
	}
	return s.mu.engine, nil
}

func (s *controllerSeat) take(engine *statemachine.Engine[*controller.Controller]) (old *statemachine.Engine[*controller.Controller]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, s.mu.engine = s.mu.engine, engine
	return old
}

var errNotController = &kafka.Error{Code: kafka.NotController, Message: "This is not the correct controller for this cluster."}

// lead makes this node the controller. A new cluster's metadata log begins with bootstrap.
func (b *Broker) lead(epoch int32, log *quorum.Leadership, bootstrap []wire.Message) {
	predecessor, heard := log.Predecessor()
	machine := controller.New(controller.Options{
		ClusterID: b.ClusterID(), Epoch: epoch, Config: b.options.Config, Incarnation: b.incarnation, Bootstrap: bootstrap,
		Predecessor: predecessor, PredecessorHeard: heard,
		KRaft: log, NewID: kafka.NewUUID, Random: rand.IntN,
	})
	engine := statemachine.New(machine, log, statemachine.Options{Name: kafka.MetadataTopic, Clock: statemachine.WallClock(b.options.Now), Logger: b.log, Errors: controllerError})
	b.controller.take(engine)
	b.loads.Go(func() {
		if err := engine.Load(); err != nil && b.ctx.Err() == nil {
			b.log.Error("the controller cannot read the metadata log", "epoch", epoch, "error", err)
			b.fail(err)
			return
		}
		b.probeBrokers()
	})
}

// resign ends this node's leadership.
func (b *Broker) resign(int32) {
	if old := b.controller.take(nil); old != nil {
		old.Stop(errNotController)
	}
}

// controllerError is what a client is told when the controller's log fails it.
func controllerError(err error) error {
	if code := kafka.CodeOf(err); code == kafka.CoordinatorLoadInProgress || code == kafka.KafkaStorageError {
		return kafka.Errorf(kafka.NotController, "%v", err)
	}
	return err
}

// snapshot gives the records of the image for a snapshot of the metadata log, if the image is as far as the log.
func (b *Broker) snapshot(offset int64) (iter.Seq[[]byte], bool) {
	image := b.store.Current()
	if image.Offset()+1 != offset {
		return nil, false
	}
	return func(yield func([]byte) bool) {
		for m := range image.Records() {
			value, err := wire.EncodeMetadataRecord(m, metadata.RecordVersion(m))
			if err != nil {
				panic("BUG: a record of the image cannot be encoded: " + err.Error())
			}
			if !yield(value) {
				return
			}
		}
	}, true
}

// refusal is an answer of the controller's with an error code, as an error.
func refusal(what string, code int16) error {
	if code == 0 {
		return nil
	}
	return fmt.Errorf("%s: %w", what, kafka.ErrorCode(code))
}

// hopeless reports whether asking the controller again cannot help.
func hopeless(err error) bool {
	for _, code := range []kafka.ErrorCode{kafka.InconsistentClusterID, kafka.InvalidRegistration, kafka.UnsupportedVersion} {
		if errors.Is(err, code) {
			return true
		}
	}
	return strings.Contains(err.Error(), "BUG")
}
