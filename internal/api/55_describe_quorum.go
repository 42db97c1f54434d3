package api

import (
	"context"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/wire"
)

// describeQuorum answers DescribeQuorum 0-2 on listeners of brokers: what the leader of the metadata quorum knows, wherever
// it is. Version 1 adds times, version 2 directory ids, texts and how the voters are reached (KIP-853).
func (a *API) describeQuorum(c Call, rq *wire.DescribeQuorumRequest) {
	if a.Remote == nil || a.leadsQuorum() {
		a.describeQuorumHere(c, rq)
		return
	}
	go a.describeQuorumThere(c, rq)
}

// describeQuorumThere asks the leader in another process, until there is one that answers, or request.timeout.ms is over.
func (a *API) describeQuorumThere(c Call, rq *wire.DescribeQuorumRequest) {
	timeout := a.Config().Duration(config.RequestTimeoutMs)
	ctx, cancel := context.WithTimeout(a.context, timeout)
	defer cancel()
	for pause := firstForwardPause; ; pause = min(2*pause, maxForwardPause) {
		if a.leadsQuorum() {
			a.describeQuorumHere(c, rq)
			return
		}
		response := new(wire.DescribeQuorumResponse)
		err := a.Remote(ctx, rq, response)
		if err == nil && kafka.ErrorCode(response.ErrorCode) != kafka.NotLeaderOrFollower {
			replyQuorum(c, response)
			return
		}
		if err != nil && !undecided(err) {
			refuseDescribeQuorum(c, err)
			return
		}
		select {
		case <-ctx.Done():
			refuseDescribeQuorum(c, kafka.Errorf(kafka.RequestTimedOut, "no leader of the metadata quorum has answered within %v (request.timeout.ms)", timeout))
			return
		case <-time.After(pause):
		}
	}
}

// describeQuorumHere answers if this node leads the quorum, and with NOT_LEADER_OR_FOLLOWER otherwise, as controllers do
// (KafkaRaftClient.handleDescribeQuorumRequest).
func (a *API) describeQuorumHere(c Call, rq *wire.DescribeQuorumRequest) {
	status, ok := a.QuorumStatus()
	if !ok || status.LeaderID != a.Node {
		refuseDescribeQuorum(c, kafka.Errorf(kafka.NotLeaderOrFollower, "node %d does not lead the metadata quorum; node %d does", a.Node, status.LeaderID))
		return
	}
	response := &wire.DescribeQuorumResponse{ErrorMessage: new("")} // Kafka's text of no error
	for _, topic := range rq.Topics {
		described := wire.DescribeQuorumResponseTopicData{TopicName: topic.TopicName}
		for _, p := range topic.Partitions {
			if topic.TopicName == kafka.MetadataTopic && p.PartitionIndex == 0 {
				described.Partitions = append(described.Partitions, quorumPartition(status))
				response.Nodes = a.quorumNodes(status)
				continue
			}
			err := kafka.Errorf(kafka.UnknownTopicOrPartition, "This server does not host this topic-partition.")
			described.Partitions = append(described.Partitions, wire.DescribeQuorumResponsePartitionData{
				PartitionIndex: p.PartitionIndex, ErrorCode: codeOf(err), ErrorMessage: textOf(err),
			})
		}
		response.Topics = append(response.Topics, described)
	}
	replyQuorum(c, response)
}

// replyQuorum leaves out what the request's version has no room for.
func replyQuorum(c Call, response *wire.DescribeQuorumResponse) {
	if c.version < 2 {
		response.Nodes = nil
		for i := range response.Topics {
			for j := range response.Topics[i].Partitions {
				p := &response.Topics[i].Partitions[j]
				for k := range p.CurrentVoters {
					p.CurrentVoters[k].ReplicaDirectoryID = kafka.ZeroUUID
				}
				for k := range p.Observers {
					p.Observers[k].ReplicaDirectoryID = kafka.ZeroUUID
				}
			}
		}
	}
	c.Reply(response)
}

func refuseDescribeQuorum(c Call, err error) {
	c.Reply(&wire.DescribeQuorumResponse{ErrorCode: codeOf(err), ErrorMessage: textOf(err)})
}

func (a *API) leadsQuorum() bool {
	status, ok := a.QuorumStatus()
	return ok && status.LeaderID == a.Node
}

func quorumPartition(s quorum.Status) wire.DescribeQuorumResponsePartitionData {
	p := wire.DescribeQuorumResponsePartitionData{ErrorMessage: new(""), LeaderID: s.LeaderID, LeaderEpoch: s.LeaderEpoch, HighWatermark: s.HighWatermark}
	p.CurrentVoters, p.Observers = replicaStates(s.Voters), replicaStates(s.Observers)
	return p
}

func replicaStates(of []quorum.VoterStatus) (all []wire.DescribeQuorumResponseReplicaState) {
	for _, v := range of {
		all = append(all, wire.DescribeQuorumResponseReplicaState{
			ReplicaID: v.NodeID, ReplicaDirectoryID: v.DirectoryID, LogEndOffset: v.LogEndOffset,
			LastFetchTimestamp: millisOrNever(v.LastFetch), LastCaughtUpTimestamp: millisOrNever(v.LastCaughtUp),
		})
	}
	return all
}

// quorumNodes are the voters with the listeners on which they are reached; a lone node's voter has none.
func (a *API) quorumNodes(s quorum.Status) []wire.DescribeQuorumResponseNode {
	var endpoints []ControllerEndpoint
	if a.Controllers != nil {
		endpoints, _ = a.Controllers()
	}
	var name string
	if names := a.Config().List(config.ControllerListenerNames); len(names) > 0 {
		name = names[0]
	}
	nodes := make([]wire.DescribeQuorumResponseNode, len(s.Voters))
	for i, v := range s.Voters {
		nodes[i].NodeID = v.NodeID
		for _, e := range endpoints {
			if e.Node == v.NodeID {
				nodes[i].Listeners = append(nodes[i].Listeners, wire.DescribeQuorumResponseListener{Name: name, Host: e.Host, Port: uint16(e.Port)})
			}
		}
	}
	return nodes
}

// millisOrNever is a time in milliseconds since 1970, -1 for none.
func millisOrNever(t time.Time) int64 {
	if t.IsZero() {
		return -1
	}
	return t.UnixMilli()
}
