package replication

import (
	"sync"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metrics"
	"github.com/ottla/ottla/internal/partition"
)

// fetcher follows one leader with some of the partitions.
type fetcher struct {
	m     *Followers
	place place
	wake  chan struct{} // something has changed; holds one
	quit  chan struct{}
	timer *time.Timer // wakes it when a pause is over

	mu struct {
		sync.Mutex
		closed    bool
		following map[key]*following
		// news must not wait for the answer to the request on its way.
		news    bool
		session session
		// slots hold the requests on their way, at most two, the older one first; free the others.
		slots []*slot
		free  []*slot
		// taking says that an answer is being taken in, sending that a request is being sent: by one goroutine at a time, so that they
		// leave in their order.
		taking, sending bool
		// unstable counts logs with records that are not stable yet; the next request waits for them until patience ends.
		unstable int
		patience time.Time
		failures int   // requests that failed in a row
		err      error // of the last of them
		resume   time.Time
	}
}

// following is one partition of a fetcher; the fetcher's mutex guards it.
type following struct {
	key       key
	partition *partition.Partition
	epoch     int32
	failures  int            // in a row
	err       error          // of the last of them
	resume    time.Time      // not to be asked for before
	told      string         // the last failure in the log
	lag       *metrics.Gauge // records behind the leader, as of the last answer
	gone      bool           // not followed here any more

	in   bool               // in the session
	sent partition.Position // what the session knows
}

// syncPatience is how long a fetcher waits for the disk before it asks for more: as long as a disk that is well takes.
const syncPatience = 20 * time.Millisecond

// firstPause is the pause after a first failure; it doubles with each further one.
const firstPause = 2 * time.Millisecond

func pauseAfter(failures int, most time.Duration) time.Duration {
	return min(firstPause<<min(failures, 20), most)
}

func newFetcher(m *Followers, at place) *fetcher {
	f := &fetcher{m: m, place: at, wake: make(chan struct{}, 1), quit: make(chan struct{})}
	f.mu.following = map[key]*following{}
	f.mu.free = []*slot{newSlot(f), newSlot(f)}
	f.timer = time.AfterFunc(idle, f.signal)
	return f
}

func (f *fetcher) signal() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// follow adds a partition, or has it followed under another epoch.
func (f *fetcher) follow(k key, p *partition.Partition, epoch int32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	x := f.mu.following[k]
	if x != nil && x.partition == p && x.epoch == epoch {
		return
	}
	if x == nil || x.partition != p {
		if x != nil {
			x.gone = true
		}
		in := x != nil && x.in
		x = &following{key: k, partition: p, in: in, sent: partition.Position{Offset: -1}, lag: f.m.numbers.lags.With(f.lagLabels(p)...)}
		f.mu.following[k] = x
	}
	x.epoch, x.failures, x.resume = epoch, 0, time.Time{}
	f.mu.news = true
	f.signal()
}

// drop ends a partition.
func (f *fetcher) drop(k key) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x := f.mu.following[k]; x != nil {
		f.remove(x)
		f.mu.news = true
		f.signal()
	}
}

// remove: the caller holds f.mu.
func (f *fetcher) remove(x *following) {
	x.gone = true
	delete(f.mu.following, x.key)
	f.m.numbers.lags.Remove(f.lagLabels(x.partition)...)
	if x.in {
		f.mu.session.forget(x.key)
	}
}

func (f *fetcher) partition(k key) *partition.Partition {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x := f.mu.following[k]; x != nil {
		return x.partition
	}
	return nil
}

// hurry ends pauses.
func (f *fetcher) hurry() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.failures, f.mu.resume = 0, time.Time{}
	for _, x := range f.mu.following {
		x.failures, x.resume = 0, time.Time{}
	}
	f.signal()
}

func (f *fetcher) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.mu.closed {
		f.mu.closed = true
		close(f.quit)
	}
}

// run sends requests until the fetcher is closed.
func (f *fetcher) run() {
	defer f.timer.Stop()
	for {
		f.pump()
		select {
		case <-f.quit:
			f.settle()
			return
		case <-f.wake:
		}
	}
}

// settle waits until no answer is being taken in. None is from now on.
func (f *fetcher) settle() {
	for {
		f.mu.Lock()
		taking := f.mu.taking
		f.mu.Unlock()
		if !taking {
			return
		}
		<-f.wake
	}
}

// idle is how long a fetcher waits that has nothing to wait for but a signal.
const idle = time.Hour

// pump sends what is to be sent now, and sees to it that the fetcher looks again when a pause is over.
func (f *fetcher) pump() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		s, wait := f.next(time.Now())
		if s == nil {
			if wait < idle {
				f.timer.Reset(wait)
			}
			return
		}
		f.mu.sending = true
		f.mu.Unlock()
		f.m.numbers.requests.Inc()
		f.m.options.Send(f.place.leader, f.place.index, &s.request, &s.response, f.m.options.Settings().Timeout, s.answered)
		f.mu.Lock()
		f.mu.sending = false
	}
}

// maxPumped is how many partitions a fetcher may have that sends from the goroutine that brings the news, which has other things to
// do: putting a request together takes time for each.
const maxPumped = 64

// goOn sends what is to be sent now, or has the fetcher's goroutine do so. The caller holds no locks.
func (f *fetcher) goOn() {
	f.mu.Lock()
	direct := !f.mu.closed && len(f.mu.following) <= maxPumped
	f.mu.Unlock()
	if direct {
		f.pump()
	} else {
		f.signal()
	}
}

// next returns the request to be sent now, or how long to wait for something to happen. The caller holds f.mu.
func (f *fetcher) next(now time.Time) (*slot, time.Duration) {
	switch {
	case f.mu.closed, f.mu.taking, f.mu.sending, len(f.mu.free) == 0:
		return nil, idle
	case len(f.mu.slots) > 0 && (!f.mu.news || f.mu.session.id == 0):
		return nil, idle // what waits at the leader must not be overtaken, or cannot
	case now.Before(f.mu.resume):
		return nil, f.mu.resume.Sub(now)
	case len(f.mu.slots) == 0 && f.mu.unstable > 0 && now.Before(f.mu.patience):
		return nil, f.mu.patience.Sub(now)
	}
	return f.compose(now)
}

// Committed implements partition.Committed: what was appended to one log is stable, or never will be.
func (f *fetcher) Committed(int, error) {
	f.mu.Lock()
	f.mu.unstable--
	all := f.mu.unstable == 0
	f.mu.news = f.mu.news || all
	f.mu.Unlock()
	if all {
		f.goOn()
	}
}

// fail puts off a partition. The caller holds f.mu.
func (f *fetcher) fail(x *following, err error, now time.Time) {
	x.failures++
	x.err = err
	x.resume = now.Add(pauseAfter(x.failures, f.m.options.Settings().Backoff))
	f.mu.news = true
	code := kafka.CodeOf(err)
	if said := code.String(); said != x.told && (x.failures > quietFailures || code == kafka.CorruptMessage) {
		x.told = said
		f.m.options.Logger.Warn("a replica cannot be fetched from its leader; it is asked again", "partition", x.partition.Name().String(), "leader", f.place.leader, "leaderEpoch", x.epoch, "error", err)
	}
}

// quietFailures is how many failures in a row are not worth a line: after an election, leader and followers hear of it
// one after the other. No election makes a leader send CORRUPT_MESSAGE's bytes.
const quietFailures = 8
