package partition

import (
	"errors"
	"sync"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// move is a replica on its way to another log directory (KIP-113): its log is copied into a future log there while producers
// and consumers go on; once the copy has caught up the controller is told, and then the copy takes the log's place. A crash
// in between leaves the log as it was, and a future log from which the next start goes on; only after the copy has the log's
// name is the log itself deleted.
type move struct {
	partition *Partition
	to        *commitlog.Dir
	future    *commitlog.Log
	quit      chan struct{} // closed to end the move
	stopping  sync.Once
	buffer    []byte
	// release lets the log be compacted again.
	release func()

	// working is held by the goroutine that works on the move, and by who ends it.
	working sync.Mutex
	ended   bool // guarded by working
	// told says that the controller may believe that the replica is in the new directory already; accepted, that it does.
	told, accepted bool
	unsynced       int
}

// Bytes that a move copies at a time, at most those of one second if its rate is limited (a larger batch is copied whole),
// and after which it syncs its copy.
const (
	moveChunk     = 1 << 20
	leastChunk    = 16 << 10
	moveSyncEvery = 16 << 20
)

var errMoveEnded = errors.New("the move has ended")

func newMove(p *Partition, to *commitlog.Dir, future *commitlog.Log) *move {
	return &move{partition: p, to: to, future: future, quit: make(chan struct{}), release: p.Log().HoldCompaction(future)}
}

// stop has the work on the move end soon.
func (m *move) stop() { m.stopping.Do(func() { close(m.quit) }) }

// copySome brings the future log up to limit bytes closer to the log, and reports how many it copied and whether both end at
// the same offset.
func (m *move) copySome(limit int) (n int, same bool, err error) {
	log := m.partition.Log()
	if err := m.reconcile(log); err != nil {
		return 0, false, err
	}
	at, end := m.future.EndOffset(), log.EndOffset()
	if at < end {
		if n, err = m.copyFrom(log, at, end, limit); err != nil {
			return n, false, err
		}
	}
	m.future.SetHighWatermark(log.HighWatermark())
	if start := log.StartOffset(); start > m.future.StartOffset() && start <= m.future.HighWatermark() {
		err = m.future.AdvanceStart(start)
	}
	return n, m.future.EndOffset() == log.EndOffset(), err
}

// reconcile cuts from the future log what the log does not have: after an unclean stop, or a truncation by this broker's
// leader. What was deleted at the beginning of the log before it was copied is skipped.
func (m *move) reconcile(log *commitlog.Log) error {
	start := log.StartOffset()
	if m.future.EndOffset() < start || m.future.StartOffset() > log.EndOffset() {
		return m.future.TruncateFully(start)
	}
	keep := min(m.future.EndOffset(), log.EndOffset())
	if epoch := m.future.LatestEpoch(); epoch > log.LatestEpoch() {
		_, end := m.future.EpochEnd(log.LatestEpoch())
		keep = min(keep, max(end, start))
	} else if epoch >= 0 {
		found, end := log.EpochEnd(epoch)
		keep = min(keep, max(end, start))
		if found < epoch { // the log has lost that epoch altogether: what the copy has after the one before goes, too
			_, own := m.future.EpochEnd(found)
			keep = min(keep, max(own, start))
		}
	}
	if keep >= m.future.EndOffset() {
		return nil
	}
	if err := m.future.TruncateTo(keep); err != nil {
		return err
	}
	return m.reconcile(log) // under the epoch that the copy has now
}

// copyFrom appends what the log has between at and end.
func (m *move) copyFrom(log *commitlog.Log, at, end int64, limit int) (int, error) {
	chunk, err := readChunk(log, at, end, m.buffer, min(limit, int(log.Config().SegmentBytes)))
	if err != nil {
		return 0, err
	}
	if len(chunk) < record.HeaderSize {
		return 0, kafka.Errorf(kafka.KafkaStorageError, "%s has no records from offset %d on, though it ends at %d", m.partition.name, at, end)
	}
	m.buffer = chunk
	if first := record.Batch(chunk).BaseOffset(); first < at {
		// The first batch begins below the start of the log, which is in its middle.
		if m.future.StartOffset() == at {
			err = m.future.TruncateFully(first)
		} else {
			err = m.future.TruncateTo(first)
		}
		if err != nil {
			return 0, err
		}
	}
	if _, err := m.future.AppendReplica(chunk); err != nil {
		return 0, err
	}
	if m.unsynced += len(chunk); m.unsynced >= moveSyncEvery {
		m.unsynced = 0
		err = m.future.Sync()
	}
	return len(chunk), err
}

// swap puts the copy in the place of the log, if what the copy lacks is at most one more chunk; done is false if it is
// more. Producers wait meanwhile.
func (m *move) swap() (done bool, err error) {
	p := m.partition
	if err := m.future.Sync(); err != nil {
		return false, err
	}
	p.leadership.Lock()
	defer p.leadership.Unlock()
	if p.Gone() != nil {
		return false, errMoveEnded
	}
	if _, same, err := m.copySome(moveChunk); err != nil || !same {
		return false, err
	}
	from := p.Log()
	log, err := m.to.Promote(p.name, from)
	if err != nil {
		return false, err
	}
	log.Configure(from.Config())
	p.listen(log)
	p.mu.Lock()
	log.SetHighWatermark(max(log.HighWatermark(), from.HighWatermark()))
	p.home.Store(&home{m.to, log})
	p.mu.Unlock()
	return true, nil
}

// Moving returns the directory that a replica is on its way to and its copy there; nil if it is not.
func (s *Set) Moving(p *Partition) (*commitlog.Dir, *commitlog.Log) {
	if m := s.mover.of(p); m != nil && p.Dir() != m.to {
		return m.to, m.future
	}
	return nil, nil
}

// MoveTo has the replica of a partition move to the log directory with a path; its own directory ends a move. If this broker
// has no replica yet, one that comes will be in that directory. Errors are those of Kafka's ReplicaManager.alterReplicaLogDirs:
// INVALID_TOPIC_EXCEPTION (the name is too long for the folder of a copy), LOG_DIR_NOT_FOUND, KAFKA_STORAGE_ERROR (a
// directory is offline: while one is, no move begins), INVALID_REPLICA_ASSIGNMENT (the directory is cordoned),
// UNKNOWN_TOPIC_OR_PARTITION, REPLICA_NOT_AVAILABLE (the partition's replicas are on other brokers).
func (s *Set) MoveTo(name kafka.TopicPartition, path string) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	to, err := s.target(name, path)
	if err != nil {
		return err
	}
	p, err := s.Get(name.Topic, name.Partition)
	if kafka.CodeOf(err) == kafka.KafkaStorageError {
		return err
	}
	if err != nil {
		s.prefer(name, to)
		if kafka.CodeOf(err) == kafka.UnknownTopicOrPartition {
			return err
		}
		return kafka.Errorf(kafka.ReplicaNotAvailable, "Broker %d has no replica of %s yet; if it gets one, that will be in %s", s.options.Node, name, to.Path())
	}
	if err := p.Gone(); err != nil {
		return err
	}
	if m := s.mover.of(p); m != nil && m.to == to {
		return nil
	}
	s.endMove(p, true)
	if p.Dir() == to {
		return nil
	}
	if failed := s.failures(); failed != nil {
		return kafka.Errorf(kafka.KafkaStorageError, "%s cannot move while a log directory is offline: %v", name, failed)
	}
	log := p.Log()
	future, err := to.CreateFuture(name, p.topicID, log.StartOffset(), log.Config())
	if err != nil {
		return err
	}
	s.options.Logger.Info("a replica moves to another log directory", "partition", name.String(), "from", p.Dir().Path(), "to", to.Path(), "bytes", log.Size())
	s.mover.start(newMove(p, to, future))
	return nil
}

// target is the directory with a path, if a replica may move there.
func (s *Set) target(name kafka.TopicPartition, path string) (*commitlog.Dir, error) {
	if !commitlog.FutureFolderFits(name) {
		return nil, kafka.Errorf(kafka.InvalidTopicException, "The topic name is too long.")
	}
	for _, dir := range s.options.Dirs {
		switch {
		case dir.Path() != path:
		case dir.Failed() != nil:
			return nil, kafka.Errorf(kafka.KafkaStorageError, "Log directory %s is offline: %v", path, dir.Failed())
		case s.options.Cordoned(dir):
			return nil, kafka.Errorf(kafka.InvalidReplicaAssignment, "Log directory %s is cordoned (cordoned.log.dirs)", path)
		default:
			return dir, nil
		}
	}
	return nil, kafka.Errorf(kafka.LogDirNotFound, "Log dir %s is not found in the config.", path)
}

// maxPreferences bounds the directories that are remembered for replicas that are not here yet.
const maxPreferences = 10_000

func (s *Set) prefer(name kafka.TopicPartition, dir *commitlog.Dir) {
	if kafka.CheckTopicName(name.Topic) == nil && name.Partition >= 0 && len(s.preferred) < maxPreferences {
		s.preferred[name] = dir
	}
}

// endMove ends the move of a replica, if there is one, and deletes the copy if it is of no more use. The caller holds
// s.changing.
func (s *Set) endMove(p *Partition, drop bool) {
	m := s.mover.of(p)
	if m == nil {
		return
	}
	s.mover.end(m)
	if m.told && p.Dir() != m.to {
		s.options.Assign(Assignment{TopicID: p.topicID, Partition: p.name.Partition, Dir: p.Dir().ID()})
	}
	if drop && m.to.Future(p.name) == m.future {
		if err := m.to.DeleteFuture(p.name); err != nil && m.to.Failed() == nil {
			s.options.Logger.Warn("the copy of a replica that does not move any more cannot be deleted", "partition", p.name.String(), "path", m.future.Path(), "error", err)
		}
	}
}

// resume goes on with a move that the last stop has interrupted. Copies that are of no use are deleted.
func (s *Set) resume(p *Partition) {
	for _, dir := range s.options.Dirs {
		future := dir.Future(p.name)
		if future == nil || dir.Failed() != nil {
			continue
		}
		if s.mover.of(p) == nil && dir != p.Dir() && future.TopicID() == p.topicID && !future.Damaged() {
			assigned, _ := p.State().Directory(s.options.Node)
			future.Configure(p.Log().Config())
			s.options.Logger.Info("the move of a replica to another log directory goes on", "partition", p.name.String(), "from", p.Dir().Path(), "to", dir.Path(), "copied", future.EndOffset(), "end", p.Log().EndOffset())
			m := newMove(p, dir, future)
			m.told = assigned == dir.ID()
			s.mover.start(m)
			continue
		}
		if err := dir.DeleteFuture(p.name); err != nil {
			s.options.Logger.Warn("an old copy of a replica cannot be deleted", "partition", p.name.String(), "path", future.Path(), "error", err)
		}
	}
}
