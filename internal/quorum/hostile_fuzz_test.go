package quorum

import (
	"context"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// choices turns what the fuzzer makes up into decisions; when it is used up, all are the first.
type choices []byte

func (c *choices) pick(n int) int {
	if len(*c) == 0 {
		return 0
	}
	b := (*c)[0]
	*c = (*c)[1:]
	return int(b) % n
}

// number is one about as large as known, or one that breaks things.
func (c *choices) number(known uint64) uint64 {
	switch n := c.pick(12); {
	case n < 4:
		return known
	case n < 9:
		return known + uint64(n) - 6
	default:
		return []uint64{0, 1 << 31, 1<<64 - 1}[n-9]
	}
}

// hostile makes messages as another voter might send them whose memory is broken, or who means harm.
type hostile struct {
	choices
	to    *node
	peers []uint64
}

func (h *hostile) message() *pb.Message {
	q := h.to.Quorum
	q.mu.Lock()
	status := q.mu.node.BasicStatus()
	q.mu.Unlock()
	last, _ := q.storage.LastIndex()
	at, _ := q.storage.position(last)
	kind := pb.MessageType(h.pick(len(pb.MessageType_name) + 1))
	m := &pb.Message{
		Type: &kind, To: &q.self, From: &h.peers[h.pick(len(h.peers))], Term: new(h.number(status.HardState.GetTerm())),
		Index: new(h.number(last)), LogTerm: new(h.number(at.term)), Commit: new(h.number(status.HardState.GetCommit())),
		Reject: new(h.pick(3) == 0), RejectHint: new(h.number(last)),
	}
	if h.pick(3) == 0 {
		m.Context = binary.LittleEndian.AppendUint64(nil, h.number(uint64(h.pick(4))))[:5+h.pick(4)]
	}
	entry := at
	if m.GetIndex() < last {
		entry, _ = q.storage.position(m.GetIndex())
	}
	for range h.pick(4) {
		entry.term = h.number(m.GetTerm())
		b := h.batch(position{index: entry.index, term: entry.term, offset: int64(h.number(uint64(entry.offset)))})
		e := newEntry(h.number(entry.index+1), b)
		m.Entries = append(m.Entries, e)
		entry.index, entry.offset = entry.index+1, b.LastOffset()+1
	}
	if h.pick(3) == 0 {
		m.Snapshot = h.snapshot(position{index: h.number(last), term: h.number(at.term), offset: int64(h.number(uint64(at.offset)))})
	}
	return m
}

func (h *hostile) batch(at position) record.Batch {
	switch h.pick(5) {
	case 0:
		e := electorate{version: int16(h.pick(3)), voters: VoterSet{{Voter: voter(int32(h.pick(5)))}}}
		if b, err := votersBatch(at, e, time.UnixMilli(1)); err == nil {
			return b
		}
	case 1:
		if b, err := leaderChange(at, voter(2), nil, time.UnixMilli(1)); err == nil {
			return b
		}
	}
	b := record.NewBuilder(record.BatchOptions{BaseOffset: at.offset, LeaderEpoch: int32(at.term)})
	for range h.pick(3) {
		b.Add(1, nil, []byte("hostile"))
	}
	if b.Count() == 0 {
		b.Add(1, nil, nil)
	}
	out, err := b.Build()
	if err != nil {
		panic(err)
	}
	if h.pick(8) == 0 {
		out = slices.Clone(out)
		out[h.pick(len(out))] ^= byte(1 + h.pick(255))
	}
	return out
}

func (h *hostile) snapshot(p position) *pb.Snapshot {
	e := electorate{version: int16(h.pick(3)), voters: VoterSet{{Voter: voter(int32(h.pick(5)))}}}
	data, err := buildSnapshot(p, 1, e, slices.Values([][]byte{[]byte("snapshot")}), time.UnixMilli(1))
	if err != nil {
		data = []byte("none")
	}
	return &pb.Snapshot{Data: data, Metadata: &pb.SnapshotMetadata{
		Index: new(h.number(p.index)), Term: new(h.number(p.term)), ConfState: &pb.ConfState{Voters: h.peers[:h.pick(len(h.peers)+1)]},
	}}
}

// FuzzStep: whatever another voter sends, a controller lives on, and what it knows to be committed stays.
func FuzzStep(f *testing.F) {
	for kind := range byte(30) {
		f.Add([]byte{0, 6, kind, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0})
		f.Add([]byte{1, 6, kind, 1, 7, 7, 7, 7, 7, 7, 1, 2, 0, 0, 0, 1, 0, 1, 0})
	}
	f.Fuzz(func(t *testing.T, in []byte) { checkHostile(t, in) })
}

func checkHostile(t *testing.T, in []byte) {
	h := &hostile{choices: in}
	c := newCluster(t, 3, Options{})
	leader := c.elect()
	leader.propose("a")
	leader.propose("b", "c")
	c.settle()
	h.to = leader
	if h.pick(2) == 0 {
		h.to = c.nodes[leader.id%3+1]
	}
	for id := range int32(4) {
		h.peers = append(h.peers, voter(id+1).RaftID())
	}
	for range h.pick(8) {
		m := h.message()
		before, applied := h.to.last, slices.Clone(h.to.applied)
		term := h.to.term()
		_ = h.to.Step(m)
		for more := true; more; {
			var err error
			if more, err = h.to.turn(); err != nil {
				t.Fatalf("%v ended the node: %v", m, err)
			}
		}
		if h.to.term() < term {
			t.Fatalf("%v took the node from term %d back to %d", m, term, h.to.term())
		}
		if h.to.last.offset < before.offset || m.GetType() != pb.MsgSnap && !slices.Equal(h.to.applied[:len(applied)], applied) {
			t.Fatalf("%v: %d were applied, %v; then %d, %v", m, before.offset, applied, h.to.last.offset, h.to.applied)
		}
		h.to.tick()
	}
}

func (n *node) term() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.mu.node.BasicStatus().HardState.GetTerm()
}

// lying is a source that answers what the fuzzer says, most of it near to the truth.
type lying struct {
	*hostile
	honest *leaderOf
	took   bool // the last answer may be the end: it says that the leader does not have what is here
}

func (s *lying) Fetch(ctx context.Context, offset int64, lastEpoch int32) (Tail, error) {
	t, err := s.honest.Fetch(ctx, offset, lastEpoch)
	switch s.pick(6) {
	case 0:
		at := position{term: s.number(uint64(max(lastEpoch, 0))), offset: int64(s.number(uint64(offset)))}
		t.Batches = nil
		for range s.pick(4) {
			b := s.batch(at)
			t.Batches, at.offset = append(t.Batches, b...), b.LastOffset()+1
		}
	case 1:
		t.Snapshot = &SnapshotID{int64(s.number(uint64(offset))), int32(s.number(uint64(max(lastEpoch, 0))))}
	case 2:
		t.Diverging = &SnapshotID{int64(s.number(uint64(offset))), int32(s.number(uint64(max(lastEpoch, 0))))}
	case 3:
		t.LeaderID, t.Epoch = int32(s.number(uint64(max(t.LeaderID, 0)))), int32(s.number(uint64(t.Epoch)))
	case 4:
		t.HighWatermark, t.LogStart = int64(s.number(uint64(t.HighWatermark))), int64(s.number(uint64(t.LogStart)))
	}
	s.took = t.Diverging != nil
	return t, err
}

func (s *lying) FetchSnapshot(_ context.Context, id SnapshotID, at int64) ([]byte, int64, error) {
	data := s.snapshot(position{index: s.number(uint64(max(id.EndOffset, 0))), term: uint64(max(id.Epoch, 0)), offset: id.EndOffset}).Data
	if len(data) > 0 && s.pick(4) == 0 {
		data[s.pick(len(data))] ^= byte(1 + s.pick(255))
	}
	size := int64(s.number(uint64(len(data))))
	if at < 0 || at >= int64(len(data)) {
		return nil, size, nil
	}
	return data[at:min(int64(len(data)), at+int64(50+s.pick(200)))], size, nil
}

// FuzzObserver: whatever the active controller answers, a broker lives on, and takes back nothing that it has told.
func FuzzObserver(f *testing.F) {
	for kind := range byte(6) {
		f.Add([]byte{kind, 0, 0, 3, 0, 0, 0, kind, 1, 1, 1, 1, 1, 1, 1})
		f.Add([]byte{kind, 7, 7, 3, 1, 1, 0, kind, 0, 0, 3, 4, 2, 0, 1})
	}
	f.Fuzz(func(t *testing.T, in []byte) { checkLies(t, in) })
}

func checkLies(t *testing.T, in []byte) {
	c := newCluster(t, 1, Options{})
	leader := c.elect()
	leader.propose("a")
	leader.propose("b", "c")
	c.settle()
	w := c.watch(vfs.NewMemory(), leader)
	source := &lying{hostile: &hostile{choices: in, to: leader, peers: []uint64{voter(1).RaftID(), voter(9).RaftID()}}, honest: w.source}
	w.Observer.source = source
	for range 12 {
		before, log := len(w.applied), len(w.log)
		_, err := w.turn()
		if err != nil && source.took {
			return
		}
		if err != nil {
			t.Fatalf("an answer ended the observer: %v", err)
		}
		if len(w.applied) < before && len(w.log) == log {
			t.Fatalf("%d were applied, then %v", before, w.applied)
		}
	}
}
