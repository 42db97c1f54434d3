package tools

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A listedGroup is a group as ListGroups tells it. kind is Classic, Consumer, Share or Streams.
type listedGroup struct{ id, protocol, state, kind string }

// listGroups returns the groups of all brokers, sorted by id. types and states restrict them if they are not empty.
func (a *admin) listGroups(limit time.Duration, types, states []string) ([]listedGroup, error) {
	rq := kmsg.NewPtrListGroupsRequest()
	rq.TypesFilter, rq.StatesFilter = types, states
	response, err := a.callWithin(limit, "listGroups", rq)
	if err != nil {
		if !a.connected.Load() {
			err = kafkaException("Failed to find brokers to send ListGroups")
		}
		return nil, err
	}
	list := response.(*kmsg.ListGroupsResponse)
	if err := responseError(list.ErrorCode, nil); err != nil {
		return nil, err
	}
	var groups []listedGroup
	for _, g := range list.Groups {
		l := listedGroup{g.Group, g.ProtocolType, g.GroupState, groupType(g.GroupType)}
		if wantedIn(types, l.kind) && wantedIn(states, l.state) {
			groups = append(groups, l)
		}
	}
	slices.SortFunc(groups, func(x, y listedGroup) int { return cmp.Compare(x.id, y.id) })
	return groups, nil
}

// groupType spells a type as Kafka's tools do, whatever the broker's case. Before ListGroups 5 there was no other than classic.
func groupType(name string) string {
	if name == "" {
		return "Classic"
	}
	return strings.ToUpper(name[:1]) + strings.ToLower(name[1:])
}

// wantedIn filters again what an old broker did not.
func wantedIn(filter []string, text string) bool {
	return len(filter) == 0 || slices.ContainsFunc(filter, func(f string) bool { return strings.EqualFold(f, text) })
}

// listConsumerGroups returns the groups of consumers: of the consumer protocol, and classic ones whose protocol type is
// "consumer" or, without members ever, empty.
func (a *admin) listConsumerGroups(limit time.Duration, types, states []string) ([]listedGroup, error) {
	if len(types) == 0 {
		types = []string{"Classic", "Consumer"}
	}
	groups, err := a.listGroups(limit, types, states)
	return slices.DeleteFunc(groups, func(g listedGroup) bool { return g.protocol != "" && g.protocol != "consumer" }), err
}

// A coordinator is the broker that looks after a group.
type coordinator struct {
	host string
	port int32
	id   int32
}

// findCoordinators asks for the coordinators of groups, again while the cluster is about to make its topic of offsets.
func (a *admin) findCoordinators(limit time.Duration, call string, groups []string) (map[string]coordinator, error) {
	found := make(map[string]coordinator)
	deadline := time.Now().Add(limit)
	for _, group := range groups {
		for {
			c, err := a.findCoordinator(time.Until(deadline), call, group)
			if err == nil {
				found[group] = c
				break
			}
			e, ok := errors.AsType[*brokerError](err)
			if !ok || !kerr.IsRetriable(e.cause) || time.Now().Add(a.backoff).After(deadline) {
				return nil, err
			}
			time.Sleep(a.backoff)
		}
	}
	return found, nil
}

func (a *admin) findCoordinator(limit time.Duration, call, group string) (coordinator, error) {
	rq := kmsg.NewPtrFindCoordinatorRequest()
	rq.CoordinatorKey, rq.CoordinatorKeys = group, []string{group}
	response, err := a.callWithin(limit, call, rq)
	if err != nil {
		return coordinator{}, err
	}
	r := response.(*kmsg.FindCoordinatorResponse)
	if len(r.Coordinators) == 0 {
		return coordinator{r.Host, r.Port, r.NodeID}, responseError(r.ErrorCode, r.ErrorMessage)
	}
	k := r.Coordinators[0]
	return coordinator{k.Host, k.Port, k.NodeID}, responseError(k.ErrorCode, k.ErrorMessage)
}

// deleteGroups deletes groups and returns the failure of each, nil for success.
func (a *admin) deleteGroups(limit time.Duration, groups []string) (map[string]error, error) {
	rq := kmsg.NewPtrDeleteGroupsRequest()
	rq.Groups = groups
	results := make(map[string]error)
	if len(groups) == 0 {
		return results, nil
	}
	response, err := a.callWithin(limit, "deleteConsumerGroups(api=FIND_COORDINATOR)", rq)
	if err != nil {
		return nil, err
	}
	for _, g := range response.(*kmsg.DeleteGroupsResponse).Groups {
		results[g.Group] = responseError(g.ErrorCode, nil)
	}
	return results, nil
}

// isMissingGroup reports whether err says that a group is not there.
func isMissingGroup(err error) bool { return hasCode(err, kerr.GroupIDNotFound) }
