package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// A commitShape is how many groups commit over how many connections. Every connection goes round its own groups.
type commitShape struct{ groups, connections, inFlight int }

const (
	commitVersion    = 10
	commitErrorPlace = 31 // in the answer to a commit of one partition
	groupDigits      = 6  // of a group's name, at its end
)

// commitWork is a row in which groups without members commit one offset a request: as consumers that assign their
// partitions by themselves do, and nearly as members do.
func commitWork(name string, shape commitShape) *Work {
	setup := func(ctx context.Context, addr string, load *Load) error {
		frame, place, err := commitFrame(load.topic.id, load.topic.name)
		if err != nil {
			return err
		}
		if err := firstCommits(ctx, addr, load.topic, shape.groups); err != nil {
			return err
		}
		each := shape.groups / shape.connections
		for i := range shape.connections {
			c, err := load.connect(ctx, addr)
			if err != nil {
				return err
			}
			load.lanes = append(load.lanes, func(l *lane) error {
				w := newWindow(frame, shape.inFlight)
				w.check = checkCommit
				w.stamp = func(frame []byte, number int32) { setGroup(frame, place, i*each+int(number)%each) }
				return produceUntilStopped(l, c, w, 0)
			})
		}
		return nil
	}
	return &Work{name: name, unit: "request", onlyPlain: true, partitions: 1, setup: setup}
}

func groupName(topic string, number int) string {
	return fmt.Sprintf("%s-%0*d", topic, groupDigits, number)
}

func commitRequest(id kafka.UUID, group string) *wire.OffsetCommitRequest {
	var p wire.OffsetCommitRequestPartition
	p.Reset()
	none := ""
	p.CommittedOffset, p.CommittedMetadata = 1234567, &none
	return &wire.OffsetCommitRequest{GroupID: group, GenerationIDOrMemberEpoch: -1, Topics: []wire.OffsetCommitRequestTopic{{
		TopicID: id, Partitions: []wire.OffsetCommitRequestPartition{p},
	}}}
}

// commitFrame returns a whole request, and the place of the digits of its group.
func commitFrame(id kafka.UUID, topic string) (frame []byte, place int, err error) {
	name := groupName(topic, 0)
	if frame, err = encode(commitRequest(id, name), commitVersion, 0); err != nil {
		return nil, 0, err
	}
	return frame, bytes.Index(frame, []byte(name)) + len(name) - groupDigits, nil
}

func setGroup(frame []byte, place, number int) {
	for i := groupDigits - 1; i >= 0; i-- {
		frame[place+i] = byte('0' + number%10)
		number /= 10
	}
}

// firstCommits has every group commit once, when its coordinator is ready.
func firstCommits(ctx context.Context, addr string, t *topic, groups int) error {
	c, err := dial(ctx, addr)
	if err != nil {
		return err
	}
	defer c.Close()
	find := wire.FindCoordinatorRequest{CoordinatorKeys: []string{groupName(t.name, 0)}}
	if err := c.ask(6, &find, new(wire.FindCoordinatorResponse)); err != nil {
		return err
	}
	deadline := time.Now().Add(topicLimit)
	for group := 0; group < groups; {
		var rs wire.OffsetCommitResponse
		if err := c.ask(commitVersion, commitRequest(t.id, groupName(t.name, group)), &rs); err != nil {
			return err
		}
		code := kafka.ErrorCode(rs.Topics[0].Partitions[0].ErrorCode)
		switch {
		case code == kafka.None:
			group++
		case time.Now().After(deadline):
			return fmt.Errorf("group %d cannot commit: %s", group, code)
		default:
			if err := pass(ctx, 5*time.Millisecond); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkCommit looks at an answer without decoding it.
func checkCommit(answer []byte, correlation int32) error {
	if len(answer) < commitErrorPlace+2 {
		return fmt.Errorf("an OffsetCommit answer of %d bytes", len(answer))
	}
	if got := int32(binary.BigEndian.Uint32(answer)); got != correlation {
		return fmt.Errorf("an OffsetCommit answer has correlation id %d, want %d", got, correlation)
	}
	if code := int16(binary.BigEndian.Uint16(answer[commitErrorPlace:])); code != 0 {
		return fmt.Errorf("the broker answered OffsetCommit with error code %d", code)
	}
	return nil
}
