package group

import (
	"slices"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// StreamsHeartbeat is a StreamsGroupHeartbeat request.
type StreamsHeartbeat struct {
	*wire.StreamsGroupHeartbeatRequest
	Client causes.Client
}

// StreamsAnswer is the answer to a heartbeat, and the internal topics that the group misses.
type StreamsAnswer struct {
	*wire.StreamsGroupHeartbeatResponse
	Missing []wire.CreateTopicsRequestCreatableTopic
}

// StreamsHeartbeat of a member of a streams group: it joins with epoch 0, and tells the application's topology; leaves with
// -1; and otherwise tells which tasks it owns. The answer tells its epoch, its tasks if they have changed, and what is wrong
// with the group, if something is (GroupMetadataManager.streamsGroupHeartbeat). Nothing of rq is used after it has returned.
func (c *Coordinator) StreamsHeartbeat(now time.Time, rq StreamsHeartbeat, answer func(StreamsAnswer, error)) statemachine.Output {
	var out outcome
	c.begin(&out, now)
	answered, err := c.streamsHeartbeat(&out, now, rq)
	if err != nil {
		out.Records, out.bytes = nil, 0
		c.noteRefused(now, rq.GroupID, whoIs(rq.Client, rq.MemberID, nil), rq.MemberEpoch, err, settingStreamsMaxSize, c.options.Settings().StreamsMaxSize)
	}
	out.then(func(failed error) {
		if failed != nil {
			answered, err = StreamsAnswer{}, failed
		}
		answer(answered, err)
	})
	return out.Output
}

func (c *Coordinator) streamsHeartbeat(out *outcome, now time.Time, rq StreamsHeartbeat) (StreamsAnswer, error) {
	if rq.MemberEpoch == leaving || rq.MemberEpoch == leavingForAWhile {
		response, err := c.streamsLeave(out, now, rq)
		return StreamsAnswer{StreamsGroupHeartbeatResponse: response}, err
	}
	s, err := c.newStreamsStep(out, now, rq)
	if err != nil {
		return StreamsAnswer{}, err
	}
	if err := s.settle(); err != nil {
		return StreamsAnswer{}, err
	}
	c.clock(s.g.id, s.member.id).client = rq.Client
	c.awaitThread(now, s.g.id, s.member.id)
	if rq.ShutdownApplication && s.g.shutdown == "" {
		s.g.shutdown = s.member.id
	}
	s.explain()
	return StreamsAnswer{StreamsGroupHeartbeatResponse: s.response(), Missing: s.configured.missing}, nil
}

// response tells the member its tasks if it joins or they have changed, and the endpoints of the others if they have.
func (s *streamsStep) response() *wire.StreamsGroupHeartbeatResponse {
	response := &wire.StreamsGroupHeartbeatResponse{
		MemberID: s.member.id, MemberEpoch: s.member.epoch,
		HeartbeatIntervalMs: int32(s.c.options.Streams(s.g.id).HeartbeatInterval.Milliseconds()),
	}
	if s.joins || !s.before.assigned.equal(s.member.assigned) {
		response.ActiveTasks = answeredTasks(s.member.assigned.active.tasks())
		response.StandbyTasks = answeredTasks(s.member.assigned.standby)
		response.WarmupTasks = answeredTasks(s.member.assigned.warmup)
		if s.member.endpoint != nil {
			s.g.endpoints++
		}
	}
	if s.g.endpoints != s.rq.EndpointInformationEpoch {
		response.PartitionsByUserEndpoint = s.endpoints()
	}
	if s.c.streams(s.g.id) != nil {
		response.EndpointInformationEpoch = s.g.endpoints
	}
	if p := s.configured.problem; p != nil {
		s.tell(p.status, p.detail)
	}
	if s.g.shutdown != "" {
		s.tell(statusShutdownApplication, "Streams group member "+s.g.shutdown+" encountered a fatal error and requested a shutdown for the entire application.")
	}
	response.Status = s.status
	return response
}

func answeredTasks(all tasks) []wire.StreamsGroupHeartbeatResponseTaskIds {
	list := make([]wire.StreamsGroupHeartbeatResponseTaskIds, 0, len(all))
	for _, id := range sortedKeys(all) {
		list = append(list, wire.StreamsGroupHeartbeatResponseTaskIds{SubtopologyID: id, Partitions: all[id]})
	}
	return list
}

// CheckStreamsHeartbeat says what is wrong with a request, whatever the group is like; the texts are Kafka's, and so is what
// is not supported yet. What it refuses never comes to StreamsHeartbeat.
func CheckStreamsHeartbeat(rq *wire.StreamsGroupHeartbeatRequest) error {
	for _, check := range []func(*wire.StreamsGroupHeartbeatRequest) error{checkStreamsFeatures, checkStreamsNames, checkStreamsJoin, checkStreamsTasks} {
		if err := check(rq); err != nil {
			return err
		}
	}
	return nil
}

func invalidRequest(text string) error { return kafka.Errorf(kafka.InvalidRequest, "%s", text) }

func checkStreamsFeatures(rq *wire.StreamsGroupHeartbeatRequest) error {
	switch {
	case rq.InstanceID != nil:
		return invalidRequest("Static membership is not yet supported.")
	case rq.TaskOffsets != nil:
		return invalidRequest("TaskOffsets are not supported yet.")
	case rq.TaskEndOffsets != nil:
		return invalidRequest("TaskEndOffsets are not supported yet.")
	case len(rq.WarmupTasks) > 0:
		return invalidRequest("WarmupTasks are not supported yet.")
	}
	if rq.Topology != nil && slices.ContainsFunc(rq.Topology.Subtopologies, func(s wire.StreamsGroupHeartbeatRequestSubtopology) bool { return len(s.SourceTopicRegex) > 0 }) {
		return invalidRequest("Regular expressions for source topics are not supported yet.")
	}
	return nil
}

func checkStreamsNames(rq *wire.StreamsGroupHeartbeatRequest) error {
	switch {
	case strings.TrimSpace(rq.MemberID) == "":
		return invalidRequest("MemberId can't be empty.")
	case strings.TrimSpace(rq.GroupID) == "":
		return invalidRequest("GroupId can't be empty.")
	case rq.RackID != nil && strings.TrimSpace(*rq.RackID) == "":
		return invalidRequest("RackId can't be empty.")
	}
	return nil
}

func checkStreamsJoin(rq *wire.StreamsGroupHeartbeatRequest) error {
	switch {
	case rq.MemberEpoch == leavingForAWhile:
		return invalidRequest("InstanceId can't be null.")
	case rq.MemberEpoch < leavingForAWhile:
		return kafka.Errorf(kafka.InvalidRequest, "MemberEpoch is %d, but must be greater than or equal to -2.", rq.MemberEpoch)
	case rq.MemberEpoch != joining:
		return nil
	case rq.RebalanceTimeoutMs == -1:
		return invalidRequest("RebalanceTimeoutMs must be provided in first request.")
	case rq.ActiveTasks == nil || len(rq.ActiveTasks) > 0:
		return invalidRequest("ActiveTasks must be empty when (re-)joining.")
	case rq.StandbyTasks == nil || len(rq.StandbyTasks) > 0:
		return invalidRequest("StandbyTasks must be empty when (re-)joining.")
	case rq.WarmupTasks == nil || len(rq.WarmupTasks) > 0:
		return invalidRequest("WarmupTasks must be empty when (re-)joining.")
	case rq.Topology == nil:
		return invalidRequest("Topology must be non-null when (re-)joining.")
	}
	for i := range rq.Topology.Subtopologies {
		changelogs := rq.Topology.Subtopologies[i].StateChangelogTopics
		for j := range changelogs {
			if changelogs[j].Partitions != 0 {
				return errTopology("Changelog topic %s must have an undefined partition count, but it is set to %d.", changelogs[j].Name, changelogs[j].Partitions)
			}
		}
	}
	return nil
}

func checkStreamsTasks(rq *wire.StreamsGroupHeartbeatRequest) error {
	given := 0
	for _, told := range []bool{rq.ActiveTasks != nil, rq.StandbyTasks != nil, rq.WarmupTasks != nil} {
		if told {
			given++
		}
	}
	switch {
	case given != 0 && given != 3:
		return invalidRequest("If one task-type is non-null, all must be non-null.")
	case rq.MemberEpoch != joining && rq.Topology != nil:
		return invalidRequest("Topology can only be provided when (re-)joining.")
	}
	return nil
}
