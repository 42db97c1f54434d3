package metadata

import (
	"sync"
	"sync/atomic"
)

// Store holds the current Image of a process. Current may be called from anywhere; Publish is called by the
// one goroutine that follows the metadata log.
type Store struct {
	current atomic.Pointer[Image]
	mu      struct {
		sync.Mutex
		subscribers []func(prev, next *Image, changes *Changes)
	}
}

// NewStore returns a Store whose current Image is the given one.
func NewStore(first *Image) *Store {
	s := new(Store)
	s.current.Store(first)
	return s
}

// Current returns the newest Image that was published. It costs one atomic load.
func (s *Store) Current() *Image { return s.current.Load() }

// Publish makes next the current Image and then calls the subscribers, in the order in which they came. They
// run on the caller's goroutine; Publish returns after the last. changes may be nil: then Publish works them out.
func (s *Store) Publish(next *Image, changes *Changes) {
	s.mu.Lock()
	defer s.mu.Unlock()
	prev := s.current.Load()
	if changes == nil {
		changes = Diff(prev, next)
	}
	s.current.Store(next)
	for _, f := range s.mu.subscribers {
		f(prev, next, changes)
	}
}

// Subscribe makes f hear of every Image published from now on. f is first called at once, with an image
// without content as prev and the current one as next, so that it need not treat the beginning apart. It must
// not call Publish or Subscribe.
func (s *Store) Subscribe(f func(prev, next *Image, changes *Changes)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.subscribers = append(s.mu.subscribers, f)
	next := s.current.Load()
	empty := Empty(next.clusterID)
	f(empty, next, Diff(empty, next))
}
