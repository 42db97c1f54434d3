package group

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// run runs one command:
//
//	set delay=0s max-size=2 ...          change settings
//	join GROUP CLIENT [id= static= session= rebalance= type= protocols=range:t1+t2,other:t v= raw= reason=]
//	sync GROUP CLIENT [CLIENT=ASSIGNMENT ...] [id: gen: static: type: protocol:] as operands
//	beat GROUP CLIENT [id= gen= static=]
//	leave GROUP CLIENT... [static:INSTANCE] [reason=]   by member id, or by instance id
//	commit GROUP CLIENT|- PARTITION=OFFSET... [id= gen= static= metadata= epoch= retention=]
//	txn-commit GROUP CLIENT|- PRODUCER PARTITION=OFFSET... [id= gen= static= metadata=], end PRODUCER commit|abort
//	fetch GROUP [PARTITION...] [stable=yes]
//	why GROUP [last=]                          the causes that are kept, the last ones
//	hb GROUP CLIENT [join|own] [id= epoch= static= rack= topics=t+u regex= assignor= owned=t-0+t-1 rebalance= v=]
//	sb GROUP CLIENT [join|own|shutdown] [topology= topology-epoch= process= epoch= endpoint= seen= static= owned=0-1+0-2]
//	topic NAME PARTITIONS, delete-topic NAME, broker ID RACK
//	describe GROUP, describe-consumer GROUP, list [STATE...], delete GROUP, delete-offsets GROUP PARTITION..., forget TOPIC...
//	advance DURATION
//	fail-append [CODE], hold, release, fail-commit CODE, stop
//	restart [clock=DURATION]                   the next coordinator's clock is so far ahead of the last one's
//
// A client remembers the member id and generation that it was given last.
func (s *scenario) run(c *command) {
	switch c.Verb {
	case "set":
		s.set(c)
	case "join":
		s.join(c)
	case "sync":
		s.sync(c)
	case "beat":
		s.beat(c)
	case "leave":
		s.leave(c)
	case "commit":
		s.commit(c)
	case "txn-commit":
		s.txnCommit(c)
	case "end":
		s.end(c)
	case "fetch":
		s.fetch(c)
	case "describe":
		id := c.Operand(0)
		s.do(func(g *Coordinator, _ time.Time) statemachine.Output {
			return g.Describe(id, func(d wire.DescribeGroupsResponseDescribedGroup, err error) { s.say("%s", printDescribe(d, err)) })
		}, s.refused)
	case "why":
		s.why(c)
	case "list":
		s.list(c)
	case "delete":
		id := c.Operand(0)
		s.do(func(g *Coordinator, _ time.Time) statemachine.Output {
			return g.Delete(causes.Client{ID: "admin"}, id, func(err error) { s.say("delete %s", kafka.CodeOf(err)) })
		}, s.refused)
	case "delete-offsets":
		s.deleteOffsets(c)
	case "forget":
		topics := map[string]bool{}
		for i := range c.Operands {
			topics[c.Operand(i)] = true
		}
		s.do(func(g *Coordinator, _ time.Time) statemachine.Output { return g.ForgetTopics(topics) }, s.refused)
	case "hb":
		s.heartbeat(c)
	case "sb":
		s.streamsBeat(c)
	case "describe-streams":
		s.describeStreams(c.Operand(0))
	case "describe-consumer":
		id := c.Operand(0)
		s.do(func(g *Coordinator, _ time.Time) statemachine.Output {
			return g.DescribeConsumer(id, func(d wire.ConsumerGroupDescribeResponseDescribedGroup, err error) {
				s.say("%s", s.printConsumer(d, err))
			})
		}, s.refused)
	case "topic":
		s.createTopic(c.Operand(0), must[int](s.t)(strconv.Atoi(c.Operand(1))))
	case "broker":
		rack := c.Operand(1)
		s.change(&wire.RegisterBrokerRecord{BrokerID: int32(must[int](s.t)(strconv.Atoi(c.Operand(0)))), BrokerEpoch: 1, Rack: &rack})
	case "delete-topic":
		s.deleteTopic(c.Operand(0))
	case "advance":
		s.bench.advance(must[time.Duration](s.t)(time.ParseDuration(c.Operand(0))))
	case "fail-append":
		var err error
		if len(c.Operands) > 0 {
			err = kafka.Errorf(codes[c.Operand(0)], "a test has it so")
		}
		s.log.FailAppends(err)
	case "hold":
		s.log.Hold()
	case "release":
		s.log.Release()
	case "fail-commit":
		s.log.FailCommits(kafka.Errorf(codes[c.Operand(0)], "a test has it so"))
	case "stop":
		s.engine.Stop(kafka.Errorf(kafka.NotCoordinator, "a test has it so"))
	case "restart":
		s.clock.Step(c.Duration("clock", 0))
		s.restart()
	default:
		s.t.Fatalf("no command %q", c.Verb)
	}
}

func (s *scenario) refused(err error) { s.say("not run: %s", kafka.CodeOf(err)) }

func (s *scenario) set(c *command) {
	s.settings.InitialRebalanceDelay = c.Duration("delay", s.settings.InitialRebalanceDelay)
	s.settings.MaxSize = c.Number("max-size", s.settings.MaxSize)
	s.settings.MaxMetadataBytes = c.Number("max-metadata", s.settings.MaxMetadataBytes)
	s.settings.OffsetsRetention = c.Duration("retention", s.settings.OffsetsRetention)
	s.settings.ConsumerMaxSize = c.Number("consumer-max-size", s.settings.ConsumerMaxSize)
	s.streams.InitialDelay = c.Duration("streams-delay", s.streams.InitialDelay)
	s.streams.StandbyReplicas = c.Number("standbys", s.streams.StandbyReplicas)
	s.settings.StreamsMaxSize = c.Number("streams-max-size", s.settings.StreamsMaxSize)
	s.consumer.AssignmentInterval = c.Duration("interval", s.consumer.AssignmentInterval)
	s.consumer.SessionTimeout = c.Duration("session", s.consumer.SessionTimeout)
	s.streams.SessionTimeout = c.Duration("streams-session", s.streams.SessionTimeout)
	if policy := c.Text("migration", ""); policy != "" {
		s.settings.Upgrade = policy == "upgrade" || policy == "bidirectional"
		s.settings.Downgrade = policy == "downgrade" || policy == "bidirectional"
	}
}

func (s *scenario) join(c *command) {
	group, cl := c.Operand(0), s.client(c.Operand(0), c.Operand(1))
	rq := Join{
		GroupID: group, MemberID: c.Text("id", cl.memberID), InstanceID: c.Pointer("static"), Client: causes.Client{ID: cl.name, Host: "/host", Software: "lib", SoftwareVersion: "1"},
		SessionTimeout: c.Duration("session", 10*time.Second), Rebalance: c.Duration("rebalance", time.Minute),
		ProtocolType: c.Text("type", consumerProtocol), Reason: c.Text("reason", "a test"),
		RequireMemberID: c.Number("v", 9) >= 4, SkipAssignment: c.Number("v", 9) >= 9,
		Reply: func(r *wire.JoinGroupResponse) {
			if r.ErrorCode == 0 || kafka.ErrorCode(r.ErrorCode) == kafka.MemberIDRequired {
				cl.memberID, cl.generation = r.MemberID, r.GenerationID
			}
			s.say("%s joins: %s", cl.name, printJoin(r))
		},
	}
	if protocols := c.Text("protocols", "range:t"); protocols != "" {
		for p := range strings.SplitSeq(protocols, ",") {
			name, topics, _ := strings.Cut(p, ":")
			metadata := subscriptionTo(strings.Split(topics, "+")...)
			if topics == "?" {
				metadata = []byte("?")
			}
			rq.Protocols = append(rq.Protocols, wire.JoinGroupRequestProtocol{Name: name, Metadata: metadata})
		}
	}
	s.do(func(g *Coordinator, now time.Time) statemachine.Output {
		out := g.Join(now, rq)
		for _, p := range rq.Protocols {
			clear(p.Metadata) // the frame is used again
		}
		return out
	}, s.refused)
}

func (s *scenario) sync(c *command) {
	group, cl := c.Operand(0), s.client(c.Operand(0), c.Operand(1))
	rq := &wire.SyncGroupRequest{GroupID: group, MemberID: cl.memberID, GenerationID: cl.generation}
	for _, o := range c.Operands[2:] {
		switch name, value, _ := strings.Cut(o, ":"); name {
		case "id":
			rq.MemberID = value
		case "gen":
			rq.GenerationID = int32(must[int](s.t)(strconv.Atoi(value)))
		case "static":
			rq.GroupInstanceID = &value
		case "type":
			rq.ProtocolType = &value
		case "protocol":
			rq.ProtocolName = &value
		}
	}
	for _, p := range c.Pairs {
		rq.Assignments = append(rq.Assignments, wire.SyncGroupRequestAssignment{
			MemberID: s.client(group, p[0]).memberID, Assignment: []byte(p[1]),
		})
	}
	s.do(func(g *Coordinator, now time.Time) statemachine.Output {
		out := g.Sync(now, causes.Client{ID: "some"}, rq, func(r *wire.SyncGroupResponse) { s.say("%s syncs: %s", cl.name, printSync(r)) })
		for _, a := range rq.Assignments {
			clear(a.Assignment) // the frame is used again
		}
		return out
	}, s.refused)
}

func (s *scenario) beat(c *command) {
	cl := s.client(c.Operand(0), c.Operand(1))
	rq := &wire.HeartbeatRequest{
		GroupID: c.Operand(0), MemberID: c.Text("id", cl.memberID), GenerationID: int32(c.Number("gen", int(cl.generation))),
		GroupInstanceID: c.Pointer("static"),
	}
	s.do(func(g *Coordinator, now time.Time) statemachine.Output {
		return g.Heartbeat(now, causes.Client{ID: "some"}, rq, func(err error) { s.say("%s beats: %s", cl.name, kafka.CodeOf(err)) })
	}, s.refused)
}

func (s *scenario) leave(c *command) {
	group := c.Operand(0)
	var members []wire.LeaveGroupRequestMemberIdentity
	reason := c.Pointer("reason")
	if reason != nil {
		*reason = strings.ReplaceAll(*reason, "_", " ")
	}
	for _, name := range c.Operands[1:] {
		if instance, ok := strings.CutPrefix(name, "static:"); ok {
			members = append(members, wire.LeaveGroupRequestMemberIdentity{MemberID: c.Text("id", ""), GroupInstanceID: &instance, Reason: reason})
		} else {
			members = append(members, wire.LeaveGroupRequestMemberIdentity{MemberID: c.Text("id", s.client(group, name).memberID), Reason: reason})
		}
	}
	s.do(func(g *Coordinator, now time.Time) statemachine.Output {
		return g.Leave(now, causes.Client{ID: "some"}, group, members, func(results []wire.LeaveGroupResponseMemberResponse, err error) {
			s.say("leave: %s", printLeave(results, err))
		})
	}, s.refused)
}

func (s *scenario) commit(c *command) {
	rq := &wire.OffsetCommitRequest{GroupID: c.Operand(0), GenerationIDOrMemberEpoch: -1, RetentionTimeMs: noRetention}
	if name := c.Operand(1); name != "-" {
		cl := s.client(c.Operand(0), name)
		rq.MemberID, rq.GenerationIDOrMemberEpoch = cl.memberID, cl.generation
	}
	rq.MemberID = c.Text("id", rq.MemberID)
	rq.GenerationIDOrMemberEpoch = int32(c.Number("gen", int(rq.GenerationIDOrMemberEpoch)))
	rq.GroupInstanceID = c.Pointer("static")
	if c.Has("retention") {
		rq.RetentionTimeMs = c.Duration("retention", 0).Milliseconds()
	}
	for _, p := range c.Pairs {
		if slices.Contains([]string{"id", "gen", "static", "retention", "metadata", "epoch", "v"}, p[0]) {
			continue
		}
		tp := partition(s.t, p[0])
		rq.Topics = append(rq.Topics, wire.OffsetCommitRequestTopic{Name: tp.Topic, TopicID: s.commitID(tp.Topic), Partitions: []wire.OffsetCommitRequestPartition{{
			PartitionIndex: tp.Partition, CommittedOffset: int64(must[int](s.t)(strconv.Atoi(p[1]))),
			CommittedLeaderEpoch: int32(c.Number("epoch", -1)), CommittedMetadata: c.Pointer("metadata"),
		}}})
	}
	s.do(func(g *Coordinator, now time.Time) statemachine.Output {
		return g.CommitOffsets(now, causes.Client{ID: "some"}, int16(c.Number("v", 9)), rq, func(r *wire.OffsetCommitResponse, err error) {
			texts := []string{"commit: " + kafka.CodeOf(err).String()}
			for _, topic := range r.Topics {
				for _, p := range topic.Partitions {
					texts = append(texts, fmt.Sprintf("%s-%d %s", topic.Name, p.PartitionIndex, code(p.ErrorCode)))
				}
			}
			s.say("%s", strings.Join(texts, " "))
		})
	}, s.refused)
}

func (s *scenario) fetch(c *command) {
	rq := &wire.OffsetFetchRequestGroup{GroupID: c.Operand(0)}
	rq.MemberID, rq.MemberEpoch = c.Pointer("id"), int32(c.Number("epoch", -1))
	for _, text := range c.Operands[1:] {
		tp := partition(s.t, text)
		rq.Topics = append(rq.Topics, wire.OffsetFetchRequestTopics{Name: tp.Topic, PartitionIndexes: []int32{tp.Partition}})
	}
	s.do(func(g *Coordinator, _ time.Time) statemachine.Output {
		return g.FetchOffsets(rq, c.Has("stable"), func(r *wire.OffsetFetchResponseGroup, err error) {
			texts := []string{"fetched:"}
			if err != nil {
				texts = append(texts, kafka.CodeOf(err).String())
			}
			for _, topic := range r.Topics {
				for _, p := range topic.Partitions {
					texts = append(texts, fmt.Sprintf("%s-%d=%d/%d%s", topic.Name, p.PartitionIndex, p.CommittedOffset, p.CommittedLeaderEpoch, *p.Metadata))
					if p.ErrorCode != 0 {
						texts = append(texts, code(p.ErrorCode))
					}
				}
			}
			s.say("%s", strings.Join(texts, " "))
		})
	}, s.refused)
}

func (s *scenario) why(c *command) {
	s.do(func(g *Coordinator, now time.Time) statemachine.Output {
		return g.Why(now, c.Operand(0), func(r *Report, err error) {
			if err != nil {
				s.say("%v", err)
				return
			}
			r.Causes = r.Causes[max(0, len(r.Causes)-c.Number("last", len(r.Causes))):]
			s.say("%s", printReport(r, s.start))
		})
	}, s.refused)
}

func (s *scenario) list(c *command) {
	var types []string
	if c.Has("type") {
		types = []string{c.Text("type", "")}
	}
	s.do(func(g *Coordinator, _ time.Time) statemachine.Output {
		return g.List(c.Operands, types, func(listed []wire.ListGroupsResponseListedGroup, err error) {
			texts := []string{"listed:"}
			for _, l := range listed {
				texts = append(texts, fmt.Sprintf("%q %s %s %q", l.GroupID, l.GroupType, l.GroupState, l.ProtocolType))
			}
			s.say("%s", strings.Join(texts, " "))
		})
	}, s.refused)
}

func (s *scenario) deleteOffsets(c *command) {
	rq := &wire.OffsetDeleteRequest{GroupID: c.Operand(0)}
	for _, text := range c.Operands[1:] {
		tp := partition(s.t, text)
		rq.Topics = append(rq.Topics, wire.OffsetDeleteRequestTopic{
			Name: tp.Topic, Partitions: []wire.OffsetDeleteRequestPartition{{PartitionIndex: tp.Partition}},
		})
	}
	s.do(func(g *Coordinator, _ time.Time) statemachine.Output {
		return g.DeleteOffsets(causes.Client{ID: "admin"}, rq, func(r *wire.OffsetDeleteResponse, err error) {
			texts := []string{"deleted: " + kafka.CodeOf(err).String()}
			for _, topic := range r.Topics {
				for _, p := range topic.Partitions {
					texts = append(texts, fmt.Sprintf("%s-%d %s", topic.Name, p.PartitionIndex, code(p.ErrorCode)))
				}
			}
			s.say("%s", strings.Join(texts, " "))
		})
	}, s.refused)
}
