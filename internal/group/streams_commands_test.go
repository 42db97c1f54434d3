package group

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// testTopology reads a topology: subtopologies with ";" between them, each ID/SOURCES/SINKS/REPARTITION/CHANGELOGS[/co], with
// "+" between topics, and ":N" after repartition topics whose partitions the application fixes. With "co" all its sources must
// be partitioned alike.
func testTopology(t testing.TB, text string, epoch int) *wire.StreamsGroupHeartbeatRequestTopology {
	topology := &wire.StreamsGroupHeartbeatRequestTopology{Epoch: int32(epoch)}
	for sub := range strings.SplitSeq(text, ";") {
		parts := strings.Split(sub, "/")
		if len(parts) < 5 {
			t.Fatalf("%q is no subtopology", sub)
		}
		names := func(i int) []string {
			if parts[i] == "" {
				return nil
			}
			return strings.Split(parts[i], "+")
		}
		s := wire.StreamsGroupHeartbeatRequestSubtopology{SubtopologyID: parts[0], SourceTopics: names(1), RepartitionSinkTopics: names(2)}
		for _, name := range names(3) {
			name, count, _ := strings.Cut(name, ":")
			n, _ := strconv.Atoi(count)
			s.RepartitionSourceTopics = append(s.RepartitionSourceTopics, wire.StreamsGroupHeartbeatRequestTopicInfo{Name: name, Partitions: int32(n)})
		}
		for _, name := range names(4) {
			s.StateChangelogTopics = append(s.StateChangelogTopics, wire.StreamsGroupHeartbeatRequestTopicInfo{
				Name: name, TopicConfigs: []wire.StreamsGroupHeartbeatRequestKeyValue{{Key: "cleanup.policy", Value: "compact"}},
			})
		}
		if len(parts) > 5 && parts[5] == "co" {
			var g wire.StreamsGroupHeartbeatRequestCopartitionGroup
			for i := range s.SourceTopics {
				g.SourceTopics = append(g.SourceTopics, int16(i))
			}
			for i := range s.RepartitionSourceTopics {
				g.RepartitionSourceTopics = append(g.RepartitionSourceTopics, int16(i))
			}
			s.CopartitionGroups = append(s.CopartitionGroups, g)
		}
		topology.Subtopologies = append(topology.Subtopologies, s)
	}
	return topology
}

// streamsBeat sends a StreamsGroupHeartbeat. With "join" it is the first, with "own" it says that the client owns what it was
// given last, with "shutdown" it wants the application to stop.
func (s *scenario) streamsBeat(c *command) {
	cl := s.client(c.Operand(0), c.Operand(1))
	rq := &wire.StreamsGroupHeartbeatRequest{GroupID: c.Operand(0), MemberID: cl.name, MemberEpoch: cl.generation, RebalanceTimeoutMs: -1}
	for _, word := range c.Operands[2:] {
		switch word {
		case "join":
			rq.MemberEpoch, rq.RebalanceTimeoutMs = joining, 60_000
			rq.Topology = testTopology(s.t, c.Text("topology", "0/t///"), c.Number("topology-epoch", 0))
			rq.ActiveTasks, rq.StandbyTasks, rq.WarmupTasks = ownedList(nil), ownedList(nil), ownedList(nil)
			process := c.Text("process", cl.name)
			rq.ProcessID, rq.ClientTags = &process, []wire.StreamsGroupHeartbeatRequestKeyValue{}
		case "own":
			rq.ActiveTasks, rq.StandbyTasks, rq.WarmupTasks = ownedList(cl.tasks.Active), ownedList(cl.tasks.Standby), ownedList(nil)
		case "shutdown":
			rq.ShutdownApplication = true
		}
	}
	if c.Has("owned") {
		rq.ActiveTasks, rq.StandbyTasks, rq.WarmupTasks = ownedList(nil), ownedList(nil), ownedList(nil)
		for text := range strings.FieldsFuncSeq(c.Text("owned", ""), func(r rune) bool { return r == '+' }) {
			tp := partition(s.t, text)
			rq.ActiveTasks = append(rq.ActiveTasks, wire.StreamsGroupHeartbeatRequestTaskIds{SubtopologyID: tp.Topic, Partitions: []int32{tp.Partition}})
		}
	}
	if c.Has("endpoint") {
		rq.UserEndpoint = &wire.StreamsGroupHeartbeatRequestEndpoint{Host: c.Text("endpoint", ""), Port: 80}
	}
	rq.InstanceID, rq.MemberEpoch = c.Pointer("static"), int32(c.Number("epoch", int(rq.MemberEpoch)))
	rq.EndpointInformationEpoch = int32(c.Number("seen", 0))
	answer := func(a StreamsAnswer, err error) { s.say("%s beats: %s", cl.name, s.streamsAnswered(cl, a, err)) }
	if err := CheckStreamsHeartbeat(rq); err != nil {
		answer(StreamsAnswer{}, err)
		return
	}
	heartbeat := StreamsHeartbeat{StreamsGroupHeartbeatRequest: rq, Client: causes.Client{ID: cl.name, Host: "/host"}}
	s.do(func(g *Coordinator, now time.Time) statemachine.Output {
		return g.StreamsHeartbeat(now, heartbeat, answer)
	}, s.refused)
}

func ownedList(all tasks) []wire.StreamsGroupHeartbeatRequestTaskIds {
	list := []wire.StreamsGroupHeartbeatRequestTaskIds{}
	for _, id := range sortedKeys(all) {
		list = append(list, wire.StreamsGroupHeartbeatRequestTaskIds{SubtopologyID: id, Partitions: all[id]})
	}
	return list
}

// streamsAnswered has the client remember an answer, and prints it.
func (s *scenario) streamsAnswered(cl *client, a StreamsAnswer, err error) string {
	if err != nil {
		return fmt.Sprintf("%v", err)
	}
	cl.memberID, cl.generation = a.MemberID, a.MemberEpoch
	text := fmt.Sprintf("%s epoch=%d", a.MemberID, a.MemberEpoch)
	if a.ActiveTasks != nil {
		read := func(list []wire.StreamsGroupHeartbeatResponseTaskIds) tasks {
			all := tasks{}
			for _, t := range list {
				all[t.SubtopologyID] = t.Partitions
			}
			return all
		}
		cl.tasks = taskSet{Active: read(a.ActiveTasks), Standby: read(a.StandbyTasks)}
		text += " gets " + printTasks(cl.tasks)
	}
	for _, e := range a.PartitionsByUserEndpoint {
		text += fmt.Sprintf("\n\t  at %s: %v, copies %v", e.UserEndpoint.Host, e.ActivePartitions, e.StandbyPartitions)
	}
	for _, status := range a.Status {
		text += fmt.Sprintf("\n\t  status %d: %s", status.StatusCode, status.StatusDetail)
	}
	for _, topic := range a.Missing {
		text += fmt.Sprintf("\n\t  to create: %s with %d partitions", topic.Name, topic.NumPartitions)
	}
	return text
}

func printTasks(t taskSet) string {
	text := strings.TrimPrefix(strings.ReplaceAll(fmt.Sprint(t.Active), " ", ","), "map")
	if len(t.Standby) > 0 {
		text += " standby " + strings.TrimPrefix(strings.ReplaceAll(fmt.Sprint(t.Standby), " ", ","), "map")
	}
	return text
}

func (s *scenario) describeStreams(id string) {
	s.do(func(g *Coordinator, _ time.Time) statemachine.Output {
		return g.DescribeStreams(id, func(d wire.StreamsGroupDescribeResponseDescribedGroup, err error) {
			if err != nil {
				s.say("%v", err)
				return
			}
			text := fmt.Sprintf("%s epoch=%d assignment=%d topology=%d", d.GroupState, d.GroupEpoch, d.AssignmentEpoch, d.Topology.Epoch)
			for _, sub := range d.Topology.Subtopologies {
				text += fmt.Sprintf("\n\t  %s reads %v, writes %v", sub.SubtopologyID, sub.SourceTopics, sub.RepartitionSinkTopics)
				for _, topic := range sub.RepartitionSourceTopics {
					text += fmt.Sprintf(", repartitioned %s:%d", topic.Name, topic.Partitions)
				}
				for _, topic := range sub.StateChangelogTopics {
					text += fmt.Sprintf(", changelog %s:%d", topic.Name, topic.Partitions)
				}
			}
			for _, m := range d.Members {
				text += fmt.Sprintf("\n\t  %s epoch=%d has %v %v, is to have %v %v", m.MemberID, m.MemberEpoch,
					m.Assignment.ActiveTasks, m.Assignment.StandbyTasks, m.TargetAssignment.ActiveTasks, m.TargetAssignment.StandbyTasks)
			}
			s.say("%s", text)
		})
	}, s.refused)
}

// printStreamsRecord is a record of a streams group in words.
func printStreamsRecord(t testing.TB, kind int16, name string, r statemachine.Record) string {
	text := fmt.Sprintf("%s %q", map[int16]string{
		streamsEpochRecord: "streams group", streamsMemberRecord: "thread of", streamsTargetEpochRecord: "target of", streamsTargetRecord: "thread's target of",
		streamsCurrentRecord: "thread's state of", streamsTopologyRecord: "topology of",
	}[kind], consumerGroupOf(r.Key))
	if name != "" {
		text += " " + name
	}
	if r.Value == nil {
		return text + " deleted"
	}
	value := wire.NewGroupValue(kind)
	if _, err := wire.DecodeRecordValue(r.Value, value); err != nil {
		t.Fatal(err)
	}
	switch v := value.(type) {
	case *wire.StreamsGroupMetadataValue:
		text += fmt.Sprintf(" epoch=%d validated=%d %v", v.Epoch, v.ValidatedTopologyEpoch, v.LastAssignmentConfigs[0].Value)
	case *wire.StreamsGroupMemberMetadataValue:
		text += fmt.Sprintf(" client=%s process=%s topology=%d", v.ClientID, v.ProcessID, v.TopologyEpoch)
	case *wire.StreamsGroupTargetAssignmentMetadataValue:
		text += fmt.Sprintf(" epoch=%d", v.AssignmentEpoch)
	case *wire.StreamsGroupTargetAssignmentMemberValue:
		text += fmt.Sprintf(" = %v %v", v.ActiveTasks, v.StandbyTasks)
	case *wire.StreamsGroupCurrentMemberAssignmentValue:
		text += fmt.Sprintf(" epoch=%d before=%d state=%d has %v", v.MemberEpoch, v.PreviousMemberEpoch, v.State,
			printTasks(taskSet{Active: readTasks(v.ActiveTasks, nil, nil, v.MemberEpoch).active.tasks(), Standby: readTasks(nil, v.StandbyTasks, nil, 0).standby}))
		if lost := readTasks(v.ActiveTasksPendingRevocation, v.StandbyTasksPendingRevocation, nil, v.MemberEpoch); !lost.empty() {
			text += " gives up " + printTasks(taskSet{Active: lost.active.tasks(), Standby: lost.standby})
		}
	case *wire.StreamsGroupTopologyValue:
		text += fmt.Sprintf(" epoch=%d with %d subtopologies", v.Epoch, len(v.Subtopologies))
	}
	return text
}
