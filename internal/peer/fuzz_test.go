package peer

import (
	"encoding/binary"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// FuzzPeer: whatever a peer answers, on the first request of a connection, too, every request is done once, and at most half an
// hour later.
func FuzzPeer(f *testing.F) {
	for kind := range byte(6) {
		f.Add([]byte{0, kind, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, kind, 3, 1, 0, 0, kind, 20})
		f.Add([]byte{kind, 12, 0, 0, 0, 0, 2, 0, 18, 0, 0, 0, 4, 0, 1, 0, 4, 0, 17, 0, 0})
	}
	honest := respond(wire.RequestHeader{RequestApiKey: apiVersionsKey, RequestApiVersion: 4}, (&host{}).versions())
	f.Add(append([]byte{1, 255}, honest[8:]...))
	f.Fuzz(func(t *testing.T, in []byte) {
		inBench(t, Options{}, func(b *bench) {
			b.net.listen(home, (&liar{in: in}).serve)
			done := make([]int, len(asked()))
			for i, m := range asked() {
				b.client.Send(Request{Message: m, Response: wire.NewResponse(m.Key()), Timeout: time.Minute, Done: func(error) { done[i]++ }})
			}
			time.Sleep(30 * time.Minute)
			synctest.Wait()
			for i, n := range done {
				if n != 1 {
					t.Errorf("%T was done %d times", asked()[i], n)
				}
			}
			if n := b.net.dialed(); n > 10_000 {
				t.Errorf("%d attempts in half an hour", n)
			}
		})
	})
}

// asked are requests of every kind that a node sends another.
func asked() []wire.Message {
	topic := "t"
	return []wire.Message{
		&wire.BrokerHeartbeatRequest{BrokerEpoch: 3}, &wire.BrokerRegistrationRequest{ClusterID: "c"}, &wire.AlterPartitionRequest{BrokerID: 1},
		&wire.FetchRequest{Topics: []wire.FetchRequestFetchTopic{{TopicID: kafka.UUID{1}, Partitions: []wire.FetchRequestFetchPartition{{}}}}},
		&wire.FetchSnapshotRequest{}, &wire.EnvelopeRequest{RequestPrincipal: []byte("p"), ClientHostAddress: make([]byte, 4)}, &wire.AllocateProducerIdsRequest{},
		&wire.WriteTxnMarkersRequest{Markers: []wire.WriteTxnMarkersRequestWritableTxnMarker{{Topics: []wire.WriteTxnMarkersRequestWritableTxnMarkerTopic{{Name: topic}}}}},
		&wire.AddPartitionsToTxnRequest{}, &wire.AssignReplicasToDirsRequest{}, &wire.RaftRequest{}, &wire.WhyRequest{Name: topic}, &wire.UpdateRaftVoterRequest{}, &wire.DescribeQuorumRequest{},
	}
}

// liar answers what the fuzzer says.
type liar struct {
	mu sync.Mutex // a connection may outlive the next one's begin
	in []byte
}

func (l *liar) take(n int) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	n = min(n, len(l.in))
	taken := l.in[:n]
	l.in = l.in[n:]
	return taken
}

func (l *liar) pick() byte {
	if b := l.take(1); len(b) > 0 {
		return b[0]
	}
	return 0
}

func (l *liar) serve(conn net.Conn) {
	defer conn.Close()
	for {
		frame, err := readFrame(conn)
		if err != nil {
			return
		}
		key, version, correlation, _ := wire.PeekRequest(frame)
		h := wire.RequestHeader{RequestApiKey: key, RequestApiVersion: version, CorrelationID: correlation}
		var answer []byte
		switch l.pick() % 6 {
		case 0, 2: // what is right, with nothing in it
			if key == apiVersionsKey {
				answer = respond(h, (&host{}).versions())
			} else {
				answer = respond(h, wire.NewResponse(key))
			}
		case 1: // a body that was made up
			body := binary.BigEndian.AppendUint32(nil, uint32(correlation))
			body = append(body, l.take(int(l.pick()))...)
			answer = append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
		case 3:
			answer = l.take(int(l.pick()))
		case 4:
			continue // nothing
		case 5:
			return
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}
