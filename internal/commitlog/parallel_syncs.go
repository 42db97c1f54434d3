package commitlog

import (
	"sync"
	"sync/atomic"
)

// maxParallelSyncs bounds the files that a round syncs at once: enough for a disk to merge its own commits.
const maxParallelSyncs = 8

// parallelSyncs runs the I/O of the flusher's rounds: that of one log in the flusher's goroutine, of more with the help of
// a few others, which stay for later rounds. The zero value is ready.
type parallelSyncs struct {
	logs   []*Log
	next   atomic.Int64   // index of the log to be synced next
	busy   sync.WaitGroup // helpers of this round
	help   chan struct{}  // one for each helper that a round needs
	helper int            // how many there are
}

// sync brings everything of logs to the disk that their beginFlush took.
func (p *parallelSyncs) sync(logs []*Log) {
	p.logs = logs
	p.next.Store(0)
	if n := min(maxParallelSyncs, len(logs)) - 1; n > 0 {
		p.hire(n)
		p.busy.Add(n)
		for range n {
			p.help <- struct{}{}
		}
	}
	p.work()
	p.busy.Wait()
	p.logs = nil
}

func (p *parallelSyncs) work() {
	for i := p.next.Add(1) - 1; i < int64(len(p.logs)); i = p.next.Add(1) - 1 {
		p.logs[i].flushing.sync(p.logs[i])
	}
}

// hire sees to it that there are n helpers.
func (p *parallelSyncs) hire(n int) {
	if p.help == nil {
		p.help = make(chan struct{}, maxParallelSyncs)
	}
	for ; p.helper < n; p.helper++ {
		go p.assist(p.help)
	}
}

// assist is a helper.
func (p *parallelSyncs) assist(help <-chan struct{}) {
	for range help {
		p.work()
		p.busy.Done()
	}
}

// stop sends the helpers away, between rounds.
func (p *parallelSyncs) stop() {
	if p.help != nil {
		close(p.help)
	}
	p.help, p.helper = nil, 0
}
