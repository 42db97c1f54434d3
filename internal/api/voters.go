package api

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/wire"
)

// changeVoters has the leader of the metadata quorum change its voters: here, or forwarded in an Envelope until there is one
// that answers, for at most request.timeout.ms. done is called once.
func changeVoters[Q wire.Message, R any, PR message[R]](a *API, from origin, rq Q, here func(*API, Q, func(PR)), done func(PR, error)) {
	if a.Remote == nil || a.leadsQuorum() {
		here(a, rq, func(response PR) { done(response, nil) })
		return
	}
	go func() {
		timeout := a.Config().Duration(config.RequestTimeoutMs)
		ctx, cancel := context.WithTimeout(a.context, timeout)
		defer cancel()
		for pause := firstForwardPause; ; pause = min(2*pause, maxForwardPause) {
			if a.leadsQuorum() {
				here(a, rq, func(response PR) { done(response, nil) })
				return
			}
			response := PR(new(R))
			err := a.sendVoters(ctx, from, rq, response)
			if err == nil || !undecided(err) {
				done(response, err)
				return
			}
			select {
			case <-ctx.Done():
				done(nil, kafka.Errorf(kafka.RequestTimedOut, "no leader of the metadata quorum has answered within %v (request.timeout.ms): %v", timeout, err))
				return
			case <-time.After(pause):
			}
		}
	}()
}

// sendVoters forwards one request to the active controller; NOT_CONTROLLER if that does not lead any more.
func (a *API) sendVoters(ctx context.Context, from origin, rq, response wire.Message) error {
	sealed, version, err := from.sealed(rq)
	if err != nil {
		return err
	}
	answer := new(wire.EnvelopeResponse)
	if err := a.Remote(ctx, sealed, answer); err != nil {
		return err
	}
	if _, err := opened(answer, version, response); err != nil {
		return err
	}
	code := kafka.None
	switch r := response.(type) {
	case *wire.AddRaftVoterResponse:
		code = kafka.ErrorCode(r.ErrorCode)
	case *wire.RemoveRaftVoterResponse:
		code = kafka.ErrorCode(r.ErrorCode)
	}
	if code == kafka.NotLeaderOrFollower {
		return kafka.Errorf(kafka.NotController, "the controller that was asked does not lead the metadata quorum any more")
	}
	return nil
}

// changesVoters is what becomes of such a request that comes in an Envelope.
func changesVoters[Q, R any, PQ message[Q], PR message[R]](here func(*API, PQ, func(PR))) decision {
	return decision{key: PQ(new(Q)).Key(), run: func(a *API, r *wire.Reader, version int16, done func(wire.Message, error)) error {
		rq := PQ(new(Q))
		if err := rq.Decode(r, version); err != nil {
			return err
		}
		here(a, rq, func(response PR) { done(response, nil) })
		return nil
	}}
}

// leadingQuorum returns the quorum if this node leads it, and the request is for this cluster.
func (a *API) leadingQuorum(clusterID *string) (*quorum.Quorum, error) {
	own := a.Metadata.Current().ClusterID()
	if clusterID != nil && *clusterID != own {
		return a.Quorum(), kafka.Errorf(kafka.InconsistentClusterID, "The given id \"%s\" doesn't match the cluster id \"%s\"", *clusterID, own)
	}
	q := a.Quorum()
	if q == nil || !a.leadsQuorum() {
		return q, kafka.NotLeaderOrFollower
	}
	return q, nil
}

// checkVoter refuses what cannot be a voter.
func (a *API) checkVoter(what string, v quorum.Voter) error {
	if v.NodeID < 0 || v.DirectoryID == kafka.ZeroUUID {
		return kafka.Errorf(kafka.InvalidRequest, "%s voter request didn't include a valid voter", what)
	}
	return nil
}

// controllerListener is the name of the listener on which controllers talk.
func (a *API) controllerListener() string {
	if names := a.Config().List(config.ControllerListenerNames); len(names) > 0 {
		return names[0]
	}
	return ""
}

// leaderEndpoint is where a controller is reached.
func (a *API) leaderEndpoint(node int32) (ControllerEndpoint, bool) {
	if a.Controllers == nil || node < 0 {
		return ControllerEndpoint{}, false
	}
	all, _ := a.Controllers()
	for _, e := range all {
		if e.Node == node {
			return e, true
		}
	}
	return ControllerEndpoint{}, false
}

// soon makes of an answer one that is given once: with REQUEST_TIMED_OUT after controller.quorum.request.timeout.ms if not before. What
// was begun may still be committed then. An answer from a leader that is none any more is NOT_LEADER_OR_FOLLOWER.
func (a *API) soon(answer func(error)) func(error) {
	var once sync.Once
	give := func(err error) { once.Do(func() { answer(err) }) }
	timer := time.AfterFunc(a.Config().Duration(config.ControllerQuorumRequestTimeoutMs), func() { give(kafka.RequestTimedOut) })
	return func(err error) {
		timer.Stop()
		if errors.Is(err, kafka.NotController) {
			err = kafka.NotLeaderOrFollower
		}
		give(err)
	}
}

// votersText is the text of an answer; Kafka's has none where there is no more to say than the code.
func votersText(err error) *string {
	if errors.Is(err, kafka.NotLeaderOrFollower) || err == error(kafka.RequestTimedOut) {
		return nil
	}
	return textOf(err)
}

// refusal is a response's error code as an error.
func refusal(code int16) error {
	if code == 0 {
		return nil
	}
	return kafka.ErrorCode(code)
}
