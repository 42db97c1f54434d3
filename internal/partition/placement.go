package partition

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// Where a replica lives is decided as in Kafka's LogManager.getOrCreateLog (KIP-112, 113, 858, 1066), with one difference: a
// replica that others count on is never made anew, empty, while the log that it had may come back.

// place finds the log of a replica, or makes it.
func (s *Set) place(topic *metadata.Topic, name kafka.TopicPartition, state *metadata.Partition, settings *Settings) (home, error) {
	found, err := s.find(topic.ID, name, state)
	if err != nil || found.log != nil {
		return found, err
	}
	dir, err := s.choose(name, topic.ID, state, settings)
	if err != nil {
		return home{}, err
	}
	if future := dir.Future(name); future != nil {
		s.options.Logger.Warn("the copy of a replica that was to move becomes its log: the log itself is gone", "partition", name.String(), "dir", dir.Path(), "end", future.EndOffset())
		log, err := dir.Promote(name, nil)
		return home{dir, log}, err
	}
	log, err := dir.Create(name, topic.ID, settings.Log)
	delete(s.preferred, name)
	return home{dir, log}, err
}

// find returns the log that a replica has in an online directory; log is nil if there is none. A log of a topic of the
// same name that was deleted while this broker was away is set aside.
func (s *Set) find(topicID kafka.UUID, name kafka.TopicPartition, state *metadata.Partition) (home, error) {
	var all []home
	for _, dir := range s.options.Dirs {
		log := dir.Log(name)
		switch {
		case log == nil || dir.Failed() != nil:
		case log.TopicID() == topicID || log.TopicID().IsZero():
			all = append(all, home{dir, log})
		default:
			kept, err := dir.SetAside(name)
			if err != nil {
				return home{}, err
			}
			s.options.Logger.Warn("log belongs to another topic of the same name and is set aside", "partition", name.String(), "topicId", log.TopicID().String(), "path", kept, "bytes", log.Size())
		}
	}
	if len(all) == 0 {
		return home{}, nil
	}
	assigned, _ := state.Directory(s.options.Node)
	best := slices.MaxFunc(all, func(a, b home) int { return compareHistory(a, b, assigned) })
	for _, other := range all {
		if other != best {
			s.dropTwin(name, best, other)
		}
	}
	log, err := best.dir.Create(name, topicID, best.log.Config()) // which gives it the id, if it has none
	return home{best.dir, log}, err
}

// compareHistory orders two logs of a replica. There are two if a move ended in a crash between the moment when the copy
// became the log and the removal of the old one, or if the old directory was offline then: the newer one has more.
func compareHistory(a, b home, assigned kafka.UUID) int {
	is := func(h home) int {
		if h.dir.ID() == assigned {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(a.log.LatestEpoch(), b.log.LatestEpoch()), cmp.Compare(a.log.EndOffset(), b.log.EndOffset()), cmp.Compare(is(a), is(b)))
}

// dropTwin deletes a log that another one of the same replica has replaced. If it has records that the other lacks, which
// no move leaves behind, it stays for somebody to look at.
func (s *Set) dropTwin(name kafka.TopicPartition, kept, twin home) {
	epoch, end := kept.log.EpochEnd(twin.log.LatestEpoch())
	if twin.log.EndOffset() > twin.log.StartOffset() && (epoch != twin.log.LatestEpoch() || end < twin.log.EndOffset()) {
		s.options.Logger.Error("two log directories have a log of the same replica, with different records; one is used, the other left alone", "partition", name.String(), "used", kept.log.Path(), "left", twin.log.Path())
		return
	}
	s.options.Logger.Warn("a log is removed: the replica has moved to another log directory", "partition", name.String(), "used", kept.log.Path(), "removed", twin.log.Path())
	if err := twin.dir.Delete(name); err != nil {
		s.options.Logger.Error("a log that has moved cannot be removed", "partition", name.String(), "path", twin.log.Path(), "error", err)
	}
}

// choose says in which directory a replica that has no log here gets one.
func (s *Set) choose(name kafka.TopicPartition, topicID kafka.UUID, state *metadata.Partition, settings *Settings) (*commitlog.Dir, error) {
	assigned, _ := state.Directory(s.options.Node)
	dir := s.online(assigned)
	failed := s.failures()
	counted := slices.Contains(slices.Concat(state.ISR, state.ELR, state.LastKnownELR), s.options.Node)
	unassigned := assigned == metadata.DirectoryUnassigned || assigned == metadata.DirectoryMigrating
	switch {
	case dir != nil && dir.Future(name) != nil && dir.Future(name).TopicID() == topicID:
		if failed != nil && counted {
			return nil, fmt.Errorf("its log may be in a log directory that is offline, and the copy in %s, to which it was to move, may lack its last records: %w; bring the directory back, or take it out of log.dirs to use the copy", dir.Path(), failed)
		}
		return dir, nil
	case dir != nil && s.preferred[name] == nil:
		return dir, nil
	case dir != nil, unassigned && (failed == nil || !counted || !s.catchingUp):
	case failed != nil:
		return nil, fmt.Errorf("its log may be in a log directory that is offline: %w", failed)
	case counted && !settings.UncleanElection:
		return nil, errGone(assigned, state)
	}
	if preferred := s.preferred[name]; preferred != nil && preferred.Failed() == nil {
		return preferred, nil
	}
	return s.roomiest()
}

// errGone is for a replica that may be elected although its log is gone, e.g. because its disk was replaced: with an empty log it
// would lead, and the others would follow it and drop what they have. It is made anew when nobody counts on it any more.
func errGone(assigned kafka.UUID, state *metadata.Partition) error {
	where := fmt.Sprintf("in log directory %s, which is not among log.dirs", assigned)
	if assigned == metadata.DirectoryLost {
		where = "in a log directory that failed, or that could not hold it, and is not there now"
	}
	if len(slices.Concat(state.ISR, state.ELR)) > 1 {
		return fmt.Errorf("its log was %s, but the replica still counts as in sync (ISR %v, eligible leaders %v), and an empty log must not be elected: it is made anew once it has left both; or bring that directory back", where, state.ISR, state.ELR)
	}
	return fmt.Errorf("the last log with its records is %s: bring that directory back, or set unclean.leader.election.enable=true on the topic to go on with an empty log", where)
}

// online is the online directory with an id, or nil.
func (s *Set) online(id kafka.UUID) *commitlog.Dir {
	for _, dir := range s.options.Dirs {
		if dir.ID() == id && dir.Failed() == nil {
			return dir
		}
	}
	return nil
}

// failures says which directories are offline and why; nil if none is.
func (s *Set) failures() error {
	var failures []error
	for _, dir := range s.options.Dirs {
		if err := dir.Failed(); err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", dir.Path(), err))
		}
	}
	return errors.Join(failures...)
}

// roomiest is the online directory with the fewest logs, of those that are not cordoned unless all are: the controller
// may have placed the replica here before it knew.
func (s *Set) roomiest() (*commitlog.Dir, error) {
	var best, first *commitlog.Dir
	fewest := 0
	for _, dir := range s.options.Dirs {
		if dir.Failed() != nil {
			continue
		}
		if first == nil {
			first = dir
		}
		if s.options.Cordoned(dir) {
			continue
		}
		if n := dir.Count(); best == nil || n < fewest {
			best, fewest = dir, n
		}
	}
	if best = cmp.Or(best, first); best == nil {
		return nil, fmt.Errorf("no log directory is online: %w", s.failures())
	}
	return best, nil
}

// report tells the controller where a replica is, if it does not know.
func (s *Set) report(p *Partition) {
	if assigned, _ := p.State().Directory(s.options.Node); assigned != p.Dir().ID() {
		s.options.Assign(Assignment{TopicID: p.topicID, Partition: p.name.Partition, Dir: p.Dir().ID()})
	}
}

// Assignment tells the controller in which directory a replica of this broker is (KIP-858).
type Assignment struct {
	TopicID   kafka.UUID
	Partition int32
	Dir       kafka.UUID
	// Done, if not nil, is called once the controller has taken note.
	Done func()
}
