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
type raftTransport struct{ b *Broker }

var _ quorum.Transport = raftTransport{}

// raftUse names the connections of raft's messages.
const raftUse = "raft"

// raftTimeout is when an answer is given up. A snapshot may take a while to be written; anything else is answered at once.
const raftTimeout = 10 * time.Second

func newRaftTransport(b *Broker) raftTransport { return raftTransport{b} }

// Send implements quorum.Transport: one request for each voter.
func (t raftTransport) Send(messages []*pb.Message) {
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

func (t raftTransport) send(to uint64, messages []*pb.Message) {
	q := t.b.quorum.Load()
	if q == nil {
		return // it has only just begun
	}
	node, known := q.Node(to)
	if !known {
		return
	}
	rq := &wire.RaftRequest{ClusterID: t.b.ClusterID(), NodeID: t.b.node, DirectoryID: t.b.metadataDir.ID()}
	if own := t.b.controllerEndpoints(); len(own) > 0 {
		rq.Host, rq.Port = own[0].Host, own[0].Port
	}
	for _, m := range messages {
		data, err := proto.Marshal(m)
		if err != nil {
			panic("BUG: raft made a message that cannot be written: " + err.Error())
		}
		rq.Messages = append(rq.Messages, wire.RaftRequestMessage{Message: data})
	}
	snapshot := slices.ContainsFunc(messages, func(m *pb.Message) bool { return m.GetType() == pb.MsgSnap })
	rs := new(wire.RaftResponse)
	t.b.peers.Client(peer.To{Listener: peer.Controller, Node: node, Use: raftUse}).Send(peer.Request{
		Message: rq, Response: rs, Timeout: raftTimeout,
		Done: func(err error) {
			if err == nil && rs.ErrorCode != 0 {
				err = refusal("Raft", rs.ErrorCode)
				if rs.ErrorMessage != nil {
					err = fmt.Errorf("%w: %s", err, *rs.ErrorMessage)
				}
			}
			t.tell(node, err)
			t.report(to, snapshot, err)
		},
	})
}

// tell has the log say that a controller refuses this one's messages, once until it takes them again.
func (t raftTransport) tell(node int32, err error) {
	if err == nil || errors.Is(err, kafka.NetworkException) || errors.Is(err, kafka.BrokerNotAvailable) || errors.Is(err, kafka.RequestTimedOut) {
		if err == nil {
			t.b.refusedBy.Delete(node)
		}
		return
	}
	if last, told := t.b.refusedBy.Swap(node, kafka.CodeOf(err)); !told || last != kafka.CodeOf(err) {
		t.b.log.Warn("a controller refuses the messages of this one", "node", node, "error", err)
	}
}

// report owes raft the outcome: of every snapshot, and of messages that did not arrive.
func (t raftTransport) report(to uint64, snapshot bool, err error) {
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
func (b *Broker) takeRaft(rq *wire.RaftRequest) error {
	if rq.ClusterID != b.ClusterID() {
		return kafka.Errorf(kafka.InconsistentClusterID, "the sender belongs to cluster %s, node %d to cluster %s: each node's meta.properties says which", rq.ClusterID, b.node, b.ClusterID())
	}
	q := b.quorum.Load()
	if q == nil {
		return kafka.Errorf(kafka.BrokerNotAvailable, "node %d has not opened its metadata log yet", b.node)
	}
	b.voters.meet(rq.NodeID, rq.Host, rq.Port)
	var first error
	for i := range rq.Messages {
		m := new(pb.Message)
		err := proto.Unmarshal(rq.Messages[i].Message, m)
		if err != nil {
			err = kafka.Errorf(kafka.InvalidRequest, "a message that is none of raft's: %v", err)
		} else if err = q.Meet(m.GetFrom(), quorum.Voter{NodeID: rq.NodeID, DirectoryID: rq.DirectoryID}); err == nil {
			err = q.Step(m)
		}
		if first == nil {
			first = err
		}
	}
	return first
}
