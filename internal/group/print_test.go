package group

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// printRecord is one record of the log in words. Times are told from start on.
func printRecord(t testing.TB, r statemachine.Record, start time.Time) string {
	kind := must[int16](t)(wire.RecordType(r.Key))
	key := wire.NewGroupKey(kind)
	if err := wire.DecodeRecordKey(r.Key, key); err != nil {
		t.Fatal(err)
	}
	switch key := key.(type) {
	case *wire.OffsetCommitKey:
		name := fmt.Sprintf("offset %q %s-%d", key.Group, key.Topic, key.Partition)
		if r.Value == nil {
			return name + " deleted"
		}
		var v wire.OffsetCommitValue
		version := must[int16](t)(wire.DecodeRecordValue(r.Value, &v))
		text := fmt.Sprintf("%s = %d v%d", name, v.Offset, version)
		if v.LeaderEpoch != -1 {
			text += fmt.Sprintf(" epoch=%d", v.LeaderEpoch)
		}
		if v.Metadata != "" {
			text += fmt.Sprintf(" metadata=%q", v.Metadata)
		}
		if v.ExpireTimestamp != -1 {
			text += " expires=" + since(v.ExpireTimestamp, start)
		}
		return text + " at " + since(v.CommitTimestamp, start)
	case *wire.GroupMetadataKey:
		if r.Value == nil {
			return fmt.Sprintf("group %q deleted", key.Group)
		}
		var v wire.GroupMetadataValue
		version := must[int16](t)(wire.DecodeRecordValue(r.Value, &v))
		text := fmt.Sprintf("group %q v%d generation=%d type=%q protocol=%s leader=%s since %s", key.Group, version,
			v.Generation, v.ProtocolType, nullable(v.Protocol), nullable(v.Leader), since(v.CurrentStateTimestamp, start))
		for _, m := range v.Members {
			text += fmt.Sprintf(" %s%s=%s", m.MemberID, instance(m.GroupInstanceID), quoted(m.Assignment))
		}
		return text
	}
	return printConsumerRecord(t, r)
}

func since(ms int64, start time.Time) string {
	if ms == -1 {
		return "unknown"
	}
	return time.UnixMilli(ms).Sub(start).String()
}

func nullable(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

func instance(id *string) string {
	if id == nil {
		return ""
	}
	return "(" + *id + ")"
}

func printJoin(r *wire.JoinGroupResponse) string {
	if r.ErrorCode != 0 {
		return fmt.Sprintf("%s id=%q", code(r.ErrorCode), r.MemberID)
	}
	text := fmt.Sprintf("id=%q generation=%d type=%s protocol=%s leader=%s", r.MemberID, r.GenerationID,
		nullable(r.ProtocolType), nullable(r.ProtocolName), r.Leader)
	for _, m := range r.Members {
		text += fmt.Sprintf(" %s%s:%s", m.MemberID, instance(m.GroupInstanceID), topicsOf(m.Metadata))
	}
	if r.SkipAssignment {
		text += " skip assignment"
	}
	return text
}

func printSync(r *wire.SyncGroupResponse) string {
	if r.ErrorCode != 0 {
		return code(r.ErrorCode)
	}
	return fmt.Sprintf("%s type=%s protocol=%s", quoted(r.Assignment), nullable(r.ProtocolType), nullable(r.ProtocolName))
}

func printLeave(results []wire.LeaveGroupResponseMemberResponse, err error) string {
	if err != nil {
		return kafka.CodeOf(err).String()
	}
	var texts []string
	for _, r := range results {
		texts = append(texts, fmt.Sprintf("%q%s %s", r.MemberID, instance(r.GroupInstanceID), code(r.ErrorCode)))
	}
	return strings.Join(texts, ", ")
}

func printDescribe(d wire.DescribeGroupsResponseDescribedGroup, err error) string {
	if err != nil {
		return fmt.Sprintf("%s, %v", d.GroupState, err)
	}
	text := fmt.Sprintf("%s type=%q protocol=%q", d.GroupState, d.ProtocolType, d.ProtocolData)
	for _, m := range d.Members {
		text += fmt.Sprintf(" %s%s %s%s:%s=%s", m.MemberID, instance(m.GroupInstanceID), m.ClientID, m.ClientHost,
			topicsOf(m.MemberMetadata), quoted(m.MemberAssignment))
	}
	return text
}

// topicsOf shows a consumer's subscription, or the bytes if it is none.
func topicsOf(metadata []byte) string {
	if len(metadata) < 2 {
		return quoted(metadata)
	}
	var s wire.ConsumerProtocolSubscription
	if err := s.Decode(wire.NewReader(metadata[2:]), 0); err != nil {
		return quoted(metadata)
	}
	return strings.Join(s.Topics, "+")
}

// subscriptionTo is the metadata of a consumer that subscribes to topics.
func subscriptionTo(topics ...string) []byte {
	var w wire.Writer
	(&wire.ConsumerProtocolSubscription{Topics: topics}).Encode(&w, 1)
	return append([]byte{0, 1}, w.Bytes()...)
}

// printReport shows the state, who is awaited until when, and the causes, each with when and what it led to.
func printReport(r *Report, start time.Time) string {
	text := fmt.Sprintf("%s %s epoch=%d", r.Type, r.State, r.Epoch)
	for _, m := range r.Members {
		text += " " + m.MemberID
		if m.Awaited {
			text += "(awaited until " + r.Until.Sub(start).String() + ")"
		}
	}
	for _, c := range r.Causes {
		effect := ""
		if c.Rebalance {
			effect = fmt.Sprintf("%d->%d in %v ", c.Epoch, c.Next, time.Duration(c.Took)*time.Millisecond)
		}
		text += fmt.Sprintf("\n\t%v %s%s: %s", c.Last.Sub(start), effect, c.Kind, c.Text)
	}
	return text
}
