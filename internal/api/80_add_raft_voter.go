package api

import (
	"fmt"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/wire"
)

// addRaftVoter answers AddRaftVoter 0-1 (KIP-853): the leader of the metadata quorum makes a controller that follows its log one of
// the voters. Version 1 may ask for an answer before that is committed.
func (a *API) addRaftVoter(c Call, rq *wire.AddRaftVoterRequest) {
	changeVoters(a, c.origin(), rq, (*API).addVoterHere, func(response *wire.AddRaftVoterResponse, err error) {
		if err != nil {
			response = &wire.AddRaftVoterResponse{ErrorCode: codeOf(err), ErrorMessage: textOf(err)}
		}
		c.Reply(response)
	})
}

// addVoterHere adds a voter if this node leads. It asks the new one first which levels of kraft.version it supports, as Kafka does
// (KafkaRaftClient.handleAddVoterRequest).
func (a *API) addVoterHere(rq *wire.AddRaftVoterRequest, reply func(*wire.AddRaftVoterResponse)) {
	answer := func(err error) {
		reply(&wire.AddRaftVoterResponse{ErrorCode: codeOf(err), ErrorMessage: votersText(err)})
	}
	q, err := a.leadingQuorum(rq.ClusterID)
	m := quorum.Member{Voter: quorum.Voter{NodeID: rq.VoterID, DirectoryID: rq.VoterDirectoryID}}
	for _, l := range rq.Listeners {
		m.Endpoints = append(m.Endpoints, quorum.Endpoint{Listener: l.Name, Host: l.Host, Port: l.Port})
	}
	if err == nil {
		err = a.checkVoter("Add", m.Voter)
	}
	listener := a.controllerListener()
	at, reachable := m.Endpoint(listener)
	if err == nil && !reachable && listener != "" { // a node without such a listener has nobody to add
		err = kafka.Errorf(kafka.InvalidRequest, "Add voter request didn't include the endpoint (%s) for the default listener ListenerName(%s)", endpointsText(m.Endpoints), listener)
	}
	if err == nil {
		err = q.Addable(m.Voter)
	}
	if err != nil {
		answer(err)
		return
	}
	a.AskFeatures(m.NodeID, at, func(response *wire.ApiVersionsResponse, err error) {
		if err == nil {
			err = refusal(response.ErrorCode)
		}
		if err != nil {
			answer(kafka.Errorf(kafka.RequestTimedOut, "Aborted add voter operation for since API_VERSIONS returned an error %v", kafka.CodeOf(err)))
			return
		}
		for _, f := range response.SupportedFeatures {
			if f.Name == kafka.KRaftVersionFeature {
				m.MinKRaft, m.MaxKRaft = f.MinVersion, f.MaxVersion
			}
		}
		once := a.soon(answer)
		if err := q.AddVoter(m, once); err != nil || !rq.AckWhenCommitted {
			once(err)
		}
	})
}

// endpointsText writes endpoints as Kafka's texts do.
func endpointsText(all []quorum.Endpoint) string {
	text := ""
	for _, e := range all {
		if text != "" {
			text += ", "
		}
		text += fmt.Sprintf("ListenerName(%s)=%s/<unresolved>:%d", e.Listener, e.Host, e.Port)
	}
	return "Endpoints(endpoints={" + text + "})"
}
