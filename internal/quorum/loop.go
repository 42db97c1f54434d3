package quorum

import (
	"fmt"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// launch starts the quorum's goroutine.
func (q *Quorum) launch() error {
	if err := q.start(); err != nil {
		return fmt.Errorf("quorum: %w", err)
	}
	go q.run()
	if q.options.Source != nil {
		go q.fetch()
	}
	return nil
}

// start hands the snapshot to the metadata, and has a single voter lead without waiting for anybody.
func (q *Quorum) start() error {
	q.tellVoters(q.mu.voting)
	if q.last.index > 0 {
		if err := q.tellSnapshot(q.last); err != nil {
			return err
		}
	}
	if !q.alone() {
		q.mu.Lock()
		q.mu.hurry = hurriedTicks // if all start together nobody leads; a leader that there is keeps its followers
		q.mu.Unlock()
		return nil
	}
	for more := q.last.index < q.mu.voting.index; more; { // raft has to know of all changes of the voters that it is told of
		var err error
		if more, err = q.turn(); err != nil {
			return err
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.mu.node.Campaign()
}

// run is the quorum's goroutine.
func (q *Quorum) run() {
	defer close(q.closed)
	var ticker *time.Ticker // nil for a single voter, who has nobody to hear from: idle costs nothing
	for {
		for {
			more, err := q.turn()
			if err != nil {
				q.fail(err)
				return
			}
			if !more || q.stopping() {
				break
			}
		}
		if alone := q.alone(); alone && ticker != nil {
			ticker.Stop()
			ticker = nil
		} else if !alone && ticker == nil {
			ticker = time.NewTicker(q.options.ElectionTimeout / electionTicks)
			defer ticker.Stop()
		}
		if err := q.wait(ticker); err != nil {
			q.stop(err)
			return
		}
	}
}

// wait returns when there is something to do, or with an error when the quorum is to stop.
func (q *Quorum) wait(ticker *time.Ticker) error {
	var ticks, hurried <-chan time.Time
	if ticker != nil {
		ticks = ticker.C
	}
	if q.hurried() {
		hurried = time.After(hurryInterval)
	}
	select {
	case <-q.wake:
	case <-ticks:
		q.tick()
		q.askLeader()
	case <-hurried:
		q.hurry()
	case <-q.closing:
		return kafka.Errorf(kafka.NotController, "this node is shutting down")
	}
	return nil
}

func (q *Quorum) stopping() bool {
	select {
	case <-q.closing:
		return true
	default:
		return false
	}
}

// Close stops the quorum and waits until it has: a leader hands over to another voter first, if one can take over at
// once; who waits for a commit gets an error, OnResign is called if this node leads. The log stays open.
func (q *Quorum) Close() error {
	q.handOver()
	q.once.Do(func() { close(q.closing) })
	<-q.closed
	return nil
}

func (q *Quorum) tick() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.mu.node.Tick()
}

// poke has the loop look whether there is something to do.
func (q *Quorum) poke() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
