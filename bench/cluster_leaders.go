package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/wire"
)

// metadataPatience is how long a node has for an answer about leaders. One that does not answer is asked again the next time.
const metadataPatience = 100 * time.Millisecond

// A leaderMap knows who leads which partition: what the nodes that answer say, of different answers the one of the latest
// epoch. Node ids are 1, 2, 3 in the order of the addresses. Its methods may be called from any goroutine.
type leaderMap struct {
	asking sync.Mutex
	asked  []*asker

	mu         sync.RWMutex
	partitions map[string][]partitionState
	at         time.Time // when the last refresh began
}

type partitionState struct {
	leader, epoch int32
	inSync        int
}

func newLeaderMap(addrs []string) *leaderMap {
	m := &leaderMap{partitions: map[string][]partitionState{}}
	for _, addr := range addrs {
		m.asked = append(m.asked, &asker{addr: addr})
	}
	return m
}

// refresh asks all nodes, and returns how many have answered.
func (m *leaderMap) refresh(topic string) int {
	begin := time.Now()
	m.asking.Lock()
	defer m.asking.Unlock()
	m.mu.RLock()
	fresh := m.at.After(begin)
	m.mu.RUnlock()
	if fresh {
		return 0 // somebody else has, meanwhile
	}
	begin = time.Now()
	answers := make([][]partitionState, len(m.asked))
	var wait sync.WaitGroup
	for i, a := range m.asked {
		wait.Go(func() { answers[i] = a.ask(topic) })
	}
	wait.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = begin
	count := 0
	for _, partitions := range answers {
		if partitions != nil {
			count++
		}
	}
	m.partitions[topic] = merge(m.partitions[topic], answers)
	return count
}

// merge takes of each partition what has the latest epoch, of answers with the same epoch the one with the fewest in sync.
func merge(before []partitionState, answers [][]partitionState) []partitionState {
	merged := slices.Clone(before)
	for i := range merged {
		merged[i].inSync = 1 << 30
	}
	for _, partitions := range answers {
		for i, p := range partitions {
			switch {
			case i >= len(merged):
				merged = append(merged, p)
			case p.epoch > merged[i].epoch:
				merged[i] = p
			case p.epoch == merged[i].epoch:
				merged[i].leader, merged[i].inSync = p.leader, min(merged[i].inSync, p.inSync)
			}
		}
	}
	return merged
}

// leader is -1 if there is none.
func (m *leaderMap) leader(topic string, partition int32) int32 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if all := m.partitions[topic]; int(partition) < len(all) {
		return all[partition].leader
	}
	return -1
}

func (m *leaderMap) inSync(topic string, replicas int) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return !slices.ContainsFunc(m.partitions[topic], func(p partitionState) bool { return p.leader < 0 || p.inSync != replicas })
}

// led counts the partitions of each leader that has some.
func (m *leaderMap) led(topic string) []int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	counts := map[int32]int{}
	for _, p := range m.partitions[topic] {
		counts[p.leader]++
	}
	var list []int
	for _, n := range counts {
		list = append(list, n)
	}
	return list
}

// asker asks one node for metadata, over a connection that it keeps.
type asker struct {
	addr string
	conn *conn
}

// ask returns nil if there is no answer in time.
func (a *asker) ask(topic string) []partitionState {
	if a.conn == nil {
		ctx, cancel := context.WithTimeout(context.Background(), metadataPatience)
		defer cancel()
		c, err := dial(ctx, a.addr)
		if err != nil {
			return nil
		}
		a.conn = c
	}
	rq := wire.MetadataRequest{Topics: []wire.MetadataRequestTopic{{Name: &topic}}}
	var rs wire.MetadataResponse
	if err := a.conn.askWithin(metadataPatience, 12, &rq, &rs); err != nil || len(rs.Topics) != 1 || rs.Topics[0].ErrorCode != 0 {
		if err != nil {
			a.conn.Close()
			a.conn = nil
		}
		return nil
	}
	partitions := make([]partitionState, len(rs.Topics[0].Partitions))
	for _, p := range rs.Topics[0].Partitions {
		if int(p.PartitionIndex) >= len(partitions) {
			return nil
		}
		partitions[p.PartitionIndex] = partitionState{p.LeaderID, p.LeaderEpoch, len(p.IsrNodes)}
	}
	return partitions
}
