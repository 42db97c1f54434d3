package controller

import (
	"slices"
	"time"

	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// brokerState is where a broker is between fenced and gone (BrokerControlState).
type brokerState int8

const (
	stateFenced brokerState = iota
	stateUnfenced
	stateLeaving // in controlled shutdown: hands over what it leads
	stateGone    // may shut down now
)

// Heartbeat renews a broker's session and moves it on: unfenced once it has read its own registration, through
// controlled shutdown when it wants to go (KIP-631).
func (c *Controller) Heartbeat(now time.Time, rq *wire.BrokerHeartbeatRequest, reply Reply[*wire.BrokerHeartbeatResponse]) statemachine.Output {
	if err := c.ready(); err != nil {
		return refused(err, reply)
	}
	if err := c.checkBrokerEpoch(rq.BrokerID, rq.BrokerEpoch); err != nil {
		return refused(err, reply)
	}
	b, s := c.Image().Broker(rq.BrokerID), c.sessions[rq.BrokerID]
	s.heard, s.unlinked = now, false
	caughtUp := rq.CurrentMetadataOffset >= c.registeredAt[b.ID]
	was := stateOf(b)
	next := c.nextState(b, s, rq, caughtUp)
	var records []wire.Message
	if next != was {
		switch next {
		case stateFenced, stateGone:
			records = c.fenceRecords(b)
		case stateUnfenced:
			records = c.unfenceRecords(b, rq.OfflineLogDirs)
		case stateLeaving:
			records = c.leavingRecords(b)
		}
	}
	s.readTo = rq.CurrentMetadataOffset
	if next == stateGone {
		s.heard = time.Time{} // it goes: its next incarnation need not wait until the session has run out
	}
	records = append(records, c.offlineDirRecords(b, rq.OfflineLogDirs)...)
	if s.short = rq.ShortLogDirs(); len(records) == 0 { // else with the next one, when the image has those
		records = append(records, c.shortDirRecords(b)...)
	}
	if cordoned := rq.CordonedLogDirs; cordoned != nil && !sameDirs(cordoned, b.CordonedLogDirs) {
		change := registrationChange(b)
		change.CordonedLogDirs = cordoned
		records = append(records, change)
	}
	return decided(records, &wire.BrokerHeartbeatResponse{
		IsCaughtUp:     caughtUp,
		IsFenced:       next == stateFenced || next == stateGone,
		ShouldShutDown: next == stateGone,
	}, reply)
}

func sameDirs[T comparable](a, b []T) bool {
	return b != nil && len(a) == len(b) && !slices.ContainsFunc(a, func(d T) bool { return !slices.Contains(b, d) })
}

func stateOf(b *metadata.Broker) brokerState {
	switch {
	case b.Fenced:
		return stateFenced
	case b.InControlledShutdown:
		return stateLeaving
	}
	return stateUnfenced
}

func (c *Controller) nextState(b *metadata.Broker, s *session, rq *wire.BrokerHeartbeatRequest, caughtUp bool) brokerState {
	switch stateOf(b) {
	case stateFenced:
		switch {
		case rq.WantShutDown:
			return stateGone
		case !rq.WantFence && caughtUp && !b.InControlledShutdown:
			return stateUnfenced // one that was shutting down has to register anew
		}
		return stateFenced
	case stateLeaving:
		if c.leads(b.ID) {
			return stateLeaving
		}
		// It may go when all others know that it leads nothing: no client is sent to it any more.
		if lowest, found := c.lowestActive(); found && s.shutdownAt > lowest {
			return stateLeaving
		}
		return stateGone
	}
	switch {
	case rq.WantFence && rq.WantShutDown:
		return stateGone
	case rq.WantFence:
		return stateFenced
	case rq.WantShutDown && c.leads(b.ID):
		return stateLeaving
	case rq.WantShutDown:
		return stateGone
	}
	return stateUnfenced
}
