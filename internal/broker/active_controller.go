package broker

import "sync"

// activeController is who leads the metadata quorum, as far as this node knows.
type activeController struct {
	mu struct {
		sync.Mutex
		node    int32 // -1: nobody is known
		epoch   int32
		changed chan struct{} // closed at the next change
	}
}

func newActiveController() *activeController {
	a := &activeController{}
	a.mu.node, a.mu.epoch, a.mu.changed = -1, -1, make(chan struct{})
	return a
}

// set takes note of the leader of an epoch, -1 for none. What is older than what is known is let be.
func (a *activeController) set(node, epoch int32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if epoch < a.mu.epoch || epoch == a.mu.epoch && node == a.mu.node {
		return
	}
	a.mu.node, a.mu.epoch = node, epoch
	close(a.mu.changed)
	a.mu.changed = make(chan struct{})
}

// get returns the leader, -1 if it is not known, and a channel that is closed when there is another.
func (a *activeController) get() (node int32, changed <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.mu.node, a.mu.changed
}
