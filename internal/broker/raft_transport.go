package broker

import (
	"errors"
	"fmt"
	"slices"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/peer"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/wire"
)

// raftTransport takes raft's messages to the other voters: a request of Ottla's own API, on a connection that nothing else
// uses, pipelined. raft sends again what gets lost.
type raftTransport struct {
	b      *Broker
	voters map[uint64]int32 // node ids by raft id
}

var _ quorum.Transport = (*raftTransport)(nil)

// raftUse names the connections of raft's messages.
const raftUse = "raft"

// raftTimeout is when an answer is given up. A snapshot may take a while to be written; anything else is answered at once.
const raftTimeout = 10 * time.Second

func newRaftTransport(b *Broker, voters []quorum.Voter) *raftTransport {
	t := &raftTransport{b: b, voters: map[uint64]int32{}}
	for _, v := range voters {
		t.voters[v.RaftID()] = v.NodeID
	}
	return t
}

// Send implements quorum.Transport: one request for each voter.
func (t *raftTransport) Send(messages []*pb.Message) {
	for len(messages) > 0 {
		to := messages[0].GetTo()
		own, others := messages[:0:0], messages[:0:0]
		for _, m := range messages {
			if m.GetTo() == to {
				own = append(own, m)
			} else {
				others = append(others, m)
			}
		}
		t.send(to, own)
		messages = others
	}
}

func (t *raftTransport) send(to uint64, messages []*pb.Message) {
	rq := &wire.RaftRequest{ClusterID: t.b.ClusterID()}
	for _, m := range messages {
		data, err := proto.Marshal(m)
		if err != nil {
			panic("BUG: raft made a message that cannot be written: " + err.Error())
		}
		rq.Messages = append(rq.Messages, wire.RaftRequestMessage{Message: data})
	}
	snapshot := slices.ContainsFunc(messages, func(m *pb.Message) bool { return m.GetType() == pb.MsgSnap })
	rs := new(wire.RaftResponse)
	t.b.peers.Client(peer.To{Listener: peer.Controller, Node: t.voters[to], Use: raftUse}).Send(peer.Request{
		Message: rq, Response: rs, Timeout: raftTimeout,
		Done: func(err error) {
			if err == nil && rs.ErrorCode != 0 {
				err = refusal("Raft", rs.ErrorCode)
				if rs.ErrorMessage != nil {
					err = fmt.Errorf("%w: %s", err, *rs.ErrorMessage)
				}
				t.b.log.Warn("a controller refuses the messages of this one", "node", t.voters[to], "error", err)
			}
			t.report(to, snapshot, err)
		},
	})
}

// report owes raft the outcome: of every snapshot, and of messages that did not arrive.
func (t *raftTransport) report(to uint64, snapshot bool, err error) {
	q := t.b.quorum.Load()
	if q == nil {
		return
	}
	if snapshot {
		q.ReportSnapshot(to, err == nil)
	}
	if errors.Is(err, kafka.OffsetOutOfRange) {
		q.Forgotten(to)
	}
	if err != nil {
		q.ReportUnreachable(to)
	}
}

// takeRaft takes the messages of another voter (API 20000).
func (b *Broker) takeRaft(clusterID string, messages [][]byte) error {
	if clusterID != b.ClusterID() {
		return kafka.Errorf(kafka.InconsistentClusterID, "the sender belongs to cluster %s, node %d to cluster %s: each node's meta.properties says which", clusterID, b.node, b.ClusterID())
	}
	q := b.quorum.Load()
	if q == nil {
		return kafka.Errorf(kafka.BrokerNotAvailable, "node %d has not opened its metadata log yet", b.node)
	}
	var first error
	for _, data := range messages {
		m := new(pb.Message)
		err := proto.Unmarshal(data, m)
		if err != nil {
			err = kafka.Errorf(kafka.InvalidRequest, "a message that is none of raft's: %v", err)
		} else {
			err = q.Step(m)
		}
		if first == nil {
			first = err
		}
	}
	return first
}
