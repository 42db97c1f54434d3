package controller

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/statemachine/script"
	"github.com/ottla/ottla/internal/wire"
)

// TestScenarios runs testdata/scenario_*.txt: lines at the margin are commands, the indented ones below each are
// the records that it wrote ("+") and what it answered.
func TestScenarios(t *testing.T) {
	script.Run(t, "testdata/scenario_*.txt", func(t *testing.T, out *strings.Builder) func(*script.Command) {
		s := &scenario{out: out}
		return func(c *script.Command) { s.play(t, c.Line) }
	})
}

type scenario struct {
	*asker
	out *strings.Builder
}

func (s *scenario) play(t *testing.T, line string) {
	words := strings.Fields(line)
	if words[0] == "cluster" {
		s.asker = &asker{cluster: newCluster(t, words[1:]...)}
	} else {
		s.appends = nil
		s.run(words, line)
	}
	s.print()
}

func (s *scenario) print() {
	for _, m := range s.appends {
		fmt.Fprintf(s.out, "\t+ %s\n", s.drawRecord(m))
	}
	for _, answer := range s.got {
		fmt.Fprintf(s.out, "\t%s\n", answer)
	}
	s.got = nil
}

func (s *scenario) say(format string, args ...any) {
	s.got = append(s.got, fmt.Sprintf(format, args...))
}

func (s *scenario) run(words []string, line string) {
	switch words[0] {
	case "register":
		s.register(words)
	case "beat":
		s.heartbeat(words)
	case "unlinked":
		s.hint(words, (*Controller).BrokerUnlinked)
	case "dead":
		s.hint(words, (*Controller).BrokerDead)
	case "wait", "stall": // a stalled controller does nothing in its time
		d, err := time.ParseDuration(words[1])
		if err != nil {
			s.t.Fatal(err)
		}
		if words[0] == "stall" {
			s.now, d = s.now.Add(d), 0
		}
		s.wait(d)
	case "isr":
		s.alterISR(words)
	case "ids":
		s.producerIDs(words)
	case "dirs":
		s.assignDirs(words)
	case "lead":
		s.takeOver(words)
	case "show":
		for i, p := range s.c.Image().Topic(words[1]).Partitions {
			s.say("%d %s", i, s.drawPartition(p))
		}
	default:
		s.ask(line)
	}
}

// takeOver is: lead [after=NODE silent=DURATION], where NODE is the controller before.
func (s *scenario) takeOver(words []string) {
	s.predecessor, s.heard = 0, time.Time{}
	if node, found := option(words, "after"); found {
		silent, _ := option(words, "silent")
		d, err := time.ParseDuration(silent)
		if err != nil {
			s.t.Fatal(err)
		}
		s.predecessor, s.heard = number(node), s.now.Add(-d)
	}
	s.lead()
}

// option returns the value of key=value among the words.
func option(words []string, key string) (string, bool) {
	for _, word := range words {
		if name, value, _ := strings.Cut(word, "="); name == key {
			return value, true
		}
	}
	return "", false
}

// hint tells what happened to a broker, in its present epoch or the one that is named.
func (s *scenario) hint(words []string, of func(*Controller, time.Time, int32, int64) statemachine.Output) {
	id, epoch := int32(0), int64(0)
	if _, err := fmt.Sscan(words[1], &id); err != nil {
		s.t.Fatal(err)
	}
	if b := s.c.Image().Broker(id); b != nil {
		epoch = b.Epoch
	}
	if len(words) > 2 {
		if _, err := fmt.Sscanf(words[2], "epoch=%d", &epoch); err != nil {
			s.t.Fatal(err)
		}
	}
	s.step(of(s.c, s.now, id, epoch))
}

func (s *scenario) register(words []string) {
	rq := s.registration(number(words[1]), 1)
	if incarnation, found := option(words, "incarnation"); found {
		rq.IncarnationID[1] = byte(number(incarnation))
	}
	if rack, found := option(words, "rack"); found {
		rq.Rack = &rack
	}
	if id, found := option(words, "cluster"); found {
		rq.ClusterID = id
	}
	if epoch, found := option(words, "previous"); found {
		rq.PreviousBrokerEpoch = int64(number(epoch))
	}
	if n, found := option(words, "dirs"); found {
		rq.LogDirs = nil
		for i := range number(n) {
			dir := directoryOf(rq.BrokerID)
			dir[14] = byte(i + 1)
			rq.LogDirs = append(rq.LogDirs, dir)
		}
	}
	if owner, found := option(words, "dir"); found {
		rq.LogDirs = []kafka.UUID{directoryOf(number(owner))}
	}
	if name, found := option(words, "without"); found {
		features := rq.Features
		rq.Features = nil
		for _, f := range features {
			if f.Name != name {
				rq.Features = append(rq.Features, f)
			}
		}
	}
	epoch, err := s.cluster.register(rq)
	if err != nil {
		s.say("%v", err)
		return
	}
	s.say("epoch %d", epoch)
}

func (s *scenario) heartbeat(words []string) {
	rp, err := s.beat(number(words[1]), func(rq *wire.BrokerHeartbeatRequest) {
		_, rq.WantFence = option(words, "fence")
		_, rq.WantShutDown = option(words, "shutdown")
		if at, found := option(words, "at"); found {
			rq.CurrentMetadataOffset = int64(number(at))
		}
		if epoch, found := option(words, "epoch"); found {
			rq.BrokerEpoch = int64(number(epoch))
		}
		if n, found := option(words, "offline"); found {
			dir := directoryOf(rq.BrokerID)
			dir[14] = byte(number(n))
			rq.OfflineLogDirs = []kafka.UUID{dir}
		}
		if n, found := option(words, "short"); found {
			dir := directoryOf(rq.BrokerID)
			dir[14] = byte(number(n))
			rq.SetShortLogDirs([]kafka.UUID{dir})
		}
		if _, found := option(words, "cordon"); found {
			rq.CordonedLogDirs = []kafka.UUID{directoryOf(rq.BrokerID)}
		}
	})
	if err != nil {
		s.say("%v", err)
		return
	}
	s.say("caught up %v, fenced %v, may shut down %v", rp.IsCaughtUp, rp.IsFenced, rp.ShouldShutDown)
}

// wait lets time pass and prints the records of every wake-up.
func (s *scenario) wait(d time.Duration) {
	end := s.now.Add(d)
	var all []wire.Message
	for range 100 {
		at := s.c.NextWake()
		if at.IsZero() || at.After(end) {
			break
		}
		if at.After(s.now) {
			s.now = at
		}
		s.step(s.c.Wake(s.now))
		all = append(all, s.appends...)
	}
	s.now, s.appends = end, all
}

// alterISR is: isr LEADER TOPIC PARTITION ISR [leader-epoch=+N] [partition-epoch=+N] [recovery=N] [epoch-of=N:E].
func (s *scenario) alterISR(words []string) {
	leader, t := number(words[1]), s.c.Image().Topic(words[2])
	p := t.Partition(number(words[3]))
	if p == nil {
		p = new(metadata.Partition)
	}
	wanted := wire.AlterPartitionRequestPartitionData{
		PartitionIndex: number(words[3]), LeaderEpoch: p.LeaderEpoch, PartitionEpoch: p.PartitionEpoch,
	}
	for _, id := range numbers(words[4]) {
		wanted.NewIsrWithEpochs = append(wanted.NewIsrWithEpochs, wire.AlterPartitionRequestBrokerState{BrokerID: id, BrokerEpoch: -1})
	}
	if n, found := option(words, "leader-epoch"); found {
		wanted.LeaderEpoch += number(n)
	}
	if n, found := option(words, "partition-epoch"); found {
		wanted.PartitionEpoch += number(n)
	}
	if n, found := option(words, "recovery"); found {
		wanted.LeaderRecoveryState = int8(number(n))
	}
	if e, found := option(words, "broker-epochs"); found {
		for i := range wanted.NewIsrWithEpochs {
			wanted.NewIsrWithEpochs[i].BrokerEpoch = int64(number(e))
		}
	}
	rq := &wire.AlterPartitionRequest{BrokerID: leader, Topics: []wire.AlterPartitionRequestTopicData{
		{TopicID: t.ID, Partitions: []wire.AlterPartitionRequestPartitionData{wanted}},
	}}
	if b := s.c.Image().Broker(leader); b != nil {
		rq.BrokerEpoch = b.Epoch
	}
	rp, _ := await(s.cluster, func(reply Reply[*wire.AlterPartitionResponse]) statemachine.Output {
		return s.c.AlterPartition(s.now, rq, reply)
	})
	if rp.ErrorCode != 0 {
		s.say("%v", kafka.ErrorCode(rp.ErrorCode))
		return
	}
	r := rp.Topics[0].Partitions[0]
	s.say("%v leader=%d/%d isr=%v", kafka.ErrorCode(r.ErrorCode), r.LeaderID, r.LeaderEpoch, r.Isr)
}

func (s *scenario) producerIDs(words []string) {
	rq := &wire.AllocateProducerIdsRequest{BrokerID: number(words[1]), BrokerEpoch: -1}
	if b := s.c.Image().Broker(rq.BrokerID); b != nil {
		rq.BrokerEpoch = b.Epoch
	}
	rp, _ := await(s.cluster, func(reply Reply[*wire.AllocateProducerIdsResponse]) statemachine.Output {
		return s.c.AllocateProducerIDs(s.now, rq, reply)
	})
	s.say("%v %d from %d", kafka.ErrorCode(rp.ErrorCode), rp.ProducerIDLen, rp.ProducerIDStart)
}

// assignDirs is: dirs BROKER TOPIC PARTITION DIRECTORY.
func (s *scenario) assignDirs(words []string) {
	rq := &wire.AssignReplicasToDirsRequest{BrokerID: number(words[1]), BrokerEpoch: -1}
	if b := s.c.Image().Broker(rq.BrokerID); b != nil {
		rq.BrokerEpoch = b.Epoch
	}
	dir := directoryOf(rq.BrokerID)
	dir[14] = byte(number(words[4]))
	rq.Directories = []wire.AssignReplicasToDirsRequestDirectoryData{{ID: dir, Topics: []wire.AssignReplicasToDirsRequestTopicData{{
		TopicID:    s.c.Image().Topic(words[2]).ID,
		Partitions: []wire.AssignReplicasToDirsRequestPartitionData{{PartitionIndex: number(words[3])}},
	}}}}
	rp, err := await(s.cluster, func(reply Reply[*wire.AssignReplicasToDirsResponse]) statemachine.Output {
		return s.c.AssignReplicasToDirs(s.now, rq, reply)
	})
	if err != nil {
		s.say("%v", err)
		return
	}
	s.say("%v", kafka.ErrorCode(rp.Directories[0].Topics[0].Partitions[0].ErrorCode))
}
