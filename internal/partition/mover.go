package partition

import (
	"errors"
	"slices"
	"sync"
)

// mover works on the moves of a Set: a few goroutines, which are there while there is something to do, each on one move
// until its copy has caught up.
type mover struct {
	set  *Set
	pace pace
	done sync.WaitGroup // the goroutines

	mu struct {
		sync.Mutex
		moves   map[*Partition]*move
		queue   []*move
		workers int
		closed  bool
	}
}

func newMover(s *Set) *mover {
	v := &mover{set: s}
	v.mu.moves = map[*Partition]*move{}
	return v
}

// of returns the move of a replica, or nil.
func (v *mover) of(p *Partition) *move {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.mu.moves[p]
}

func (v *mover) start(m *move) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.mu.moves[m.partition] = m
	v.enqueue(m)
}

// enqueue: the caller holds v.mu.
func (v *mover) enqueue(m *move) {
	if v.mu.closed || slices.Contains(v.mu.queue, m) {
		return
	}
	v.mu.queue = append(v.mu.queue, m)
	if v.mu.workers < v.set.options.MoveThreads() {
		v.mu.workers++
		v.done.Go(v.work)
	}
}

// again has a move worked on once more: the controller has answered.
func (v *mover) again(m *move) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.mu.moves[m.partition] == m {
		v.enqueue(m)
	}
}

func (v *mover) work() {
	for {
		v.mu.Lock()
		if len(v.mu.queue) == 0 || v.mu.closed {
			v.mu.workers--
			v.mu.Unlock()
			return
		}
		m := v.mu.queue[0]
		v.mu.queue = slices.Delete(v.mu.queue, 0, 1)
		v.mu.Unlock()
		v.advance(m)
	}
}

// advance works on a move until it is done, has failed, or has to wait for the controller.
func (v *mover) advance(m *move) {
	m.working.Lock()
	done, err := v.proceed(m)
	if done {
		v.finish(m)
	}
	m.working.Unlock()
	if err != nil && !errors.Is(err, errMoveEnded) {
		v.fail(m, err)
	}
}

// proceed: the caller holds m.working.
func (v *mover) proceed(m *move) (done bool, err error) {
	for !m.ended {
		n, same, err := m.copySome(v.pace.chunk(v.set.options.MoveRate()))
		if err != nil {
			return false, err
		}
		if !v.pace.wait(n, v.set.options.MoveRate, m.quit) {
			return false, errMoveEnded
		}
		switch {
		case !same:
		case !m.accepted:
			if err := m.future.Sync(); err != nil {
				return false, err
			}
			m.buffer = nil
			v.tell(m)
			return false, nil
		default:
			if done, err := m.swap(); done || err != nil {
				return done, err
			}
		}
	}
	return false, errMoveEnded
}

// tell tells the controller where the replica will be: should the new directory fail right after the move, the controller
// knows whom that concerns.
func (v *mover) tell(m *move) {
	m.told = true
	p := m.partition
	v.set.options.Assign(Assignment{TopicID: p.topicID, Partition: p.name.Partition, Dir: m.to.ID(), Done: func() {
		go func() { // the caller must not wait for the disk
			m.working.Lock()
			m.accepted = true
			m.working.Unlock()
			v.again(m)
		}()
	}})
}

// finish deletes the log that the replica had in its old directory, and tells everybody who waits. The caller holds
// m.working, so that nobody has the replica move on before.
func (v *mover) finish(m *move) {
	s, p := v.set, m.partition
	p.advance()
	p.Nudge()
	defer v.forget(m)
	s.options.Logger.Info("a replica has moved to another log directory", "partition", p.name.String(), "dir", m.to.Path())
	for _, dir := range s.options.Dirs {
		if dir == m.to || dir.Log(p.name) == nil || dir.Log(p.name).TopicID() != p.topicID {
			continue
		}
		if err := dir.Delete(p.name); err != nil {
			s.options.Logger.Warn("the old log of a replica that has moved cannot be deleted", "partition", p.name.String(), "dir", dir.Path(), "error", err)
		}
	}
}

// fail gives a move up. The replica stays where it is.
func (v *mover) fail(m *move, err error) {
	s, p := v.set, m.partition
	s.changing.Lock()
	defer s.changing.Unlock()
	if v.of(p) != m {
		return
	}
	if gone := p.Gone(); gone != nil {
		err = gone
	}
	s.options.Logger.Error("a replica cannot move to another log directory and stays where it is", "partition", p.name.String(), "dir", p.Dir().Path(), "to", m.to.Path(), "error", err)
	s.endMove(p, true)
}

// end stops the work on a move and forgets it.
func (v *mover) end(m *move) {
	m.stop()
	m.working.Lock()
	m.ended = true
	m.working.Unlock()
	v.forget(m)
}

func (v *mover) forget(m *move) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.mu.moves[m.partition] == m {
		delete(v.mu.moves, m.partition)
		m.release()
	}
	v.mu.queue = slices.DeleteFunc(v.mu.queue, func(o *move) bool { return o == m })
}

// close stops all work. Copies stay on disk, for the next start to go on with.
func (v *mover) close() {
	v.mu.Lock()
	v.mu.closed = true
	for _, m := range v.mu.moves {
		m.stop()
	}
	clear(v.mu.moves)
	v.mu.Unlock()
	v.done.Wait()
}
