package sim

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/wire"
)

// A request may reach a controller long after the broker that sent it has given it up: it was held up on an old connection. late
// keeps the AlterPartition requests of one node, so that a fault can deliver them again.
type late struct {
	mu struct {
		sync.Mutex
		frames [][]byte // without their sizes; the oldest first
	}
}

// maxLate is how many requests are kept.
const maxLate = 50

func (l *late) keep(frame []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.frames = append(l.mu.frames, append([]byte(nil), frame...))
	l.mu.frames = l.mu.frames[max(0, len(l.mu.frames)-maxLate):]
}

func (l *late) all() [][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.frames
}

// tapped is a connection whose AlterPartition requests are kept.
type tapped struct {
	net.Conn
	late    *late
	pending []byte
}

func (t *tapped) Write(p []byte) (int, error) {
	t.pending = append(t.pending, p...)
	for len(t.pending) >= 6 {
		size := int(binary.BigEndian.Uint32(t.pending))
		if len(t.pending) < 4+size {
			break
		}
		frame := t.pending[4 : 4+size]
		if key := int16(binary.BigEndian.Uint16(frame)); key == (*wire.AlterPartitionRequest)(nil).Key() {
			t.late.keep(frame)
		}
		t.pending = t.pending[4+size:]
	}
	return t.Conn.Write(p)
}

// repeat delivers a node's requests late, now and then.
func (w *clients) repeat(n *Node) {
	random := w.random(400 + uint64(n.id))
	for w.ctx.Err() == nil {
		wait(w.ctx, between(random, 500*time.Millisecond, 3*time.Second))
		w.cluster.deliverLate(n)
	}
}

// deliverLate sends the kept requests of a node to all controllers once more, and judges the answers: a proposal for a state of the
// partition that has passed must be refused.
func (c *Cluster) deliverLate(n *Node) {
	frames := n.late.all()
	for _, to := range c.nodes {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		conn, err := n.host.Dial(ctx, "tcp", nodeAddress(to.id)+":9093")
		cancel()
		if err != nil {
			continue
		}
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		for _, frame := range frames {
			if err := c.deliver(conn, frame); err != nil {
				break
			}
		}
		conn.Close()
	}
}

func (c *Cluster) deliver(conn net.Conn, frame []byte) error {
	if _, err := conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(frame))), frame...)); err != nil {
		return err
	}
	var size [4]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return err
	}
	answer := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(conn, answer); err != nil {
		return err
	}
	version := int16(binary.BigEndian.Uint16(frame[2:]))
	asked, told := new(wire.AlterPartitionRequest), new(wire.AlterPartitionResponse)
	header := new(wire.RequestHeader)
	r := wire.NewReader(frame)
	err := header.Decode(r, wire.RequestHeaderVersion(asked.Key(), version))
	if err == nil {
		err = asked.Decode(r, version)
	}
	if err == nil {
		r = wire.NewReader(answer)
		if err = new(wire.ResponseHeader).Decode(r, wire.ResponseHeaderVersion(asked.Key(), version)); err == nil {
			err = told.Decode(r, version)
		}
	}
	if err != nil {
		c.fault("AlterPartition cannot be decoded: %v", err)
		return err
	}
	c.judgeLate(asked, told)
	return nil
}

// judgeLate: what is taken is for the state that there is, and makes the next one, or changes nothing.
func (c *Cluster) judgeLate(asked *wire.AlterPartitionRequest, told *wire.AlterPartitionResponse) {
	for _, t := range told.Topics {
		for _, p := range t.Partitions {
			for _, at := range asked.Topics {
				for _, ap := range at.Partitions {
					if at.TopicID == t.TopicID && ap.PartitionIndex == p.PartitionIndex && p.ErrorCode == 0 && p.PartitionEpoch > ap.PartitionEpoch+1 {
						c.fault("partition %d of %v: an in-sync set that broker %d proposed for partition epoch %d was taken in epoch %d",
							p.PartitionIndex, t.TopicID, asked.BrokerID, ap.PartitionEpoch, p.PartitionEpoch)
					}
				}
			}
		}
	}
}

// fault notes what is wrong; the run ends as planned.
func (c *Cluster) fault(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.faults = append(c.mu.faults, fmt.Sprintf(format, args...))
}
