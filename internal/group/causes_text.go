package group

import (
	"fmt"
	"strings"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
)

// Settings of clients that causes name.
const (
	settingSessionTimeout = "session.timeout.ms"
	settingPollInterval   = "max.poll.interval.ms"
	settingMaxSize        = "group.max.size"
	settingRetention      = "offsets.retention.minutes"
)

// String tells a cause in plain words, as logs and tools print it. It ends without a full stop.
func (c Cause) String() string {
	return c.happened() + c.When.Again()
}

func (c *Cause) happened() string {
	who, because := c.Member.String(), c.because()
	switch c.Kind {
	case MemberJoined:
		return who + " joined" + because
	case MemberRejoined:
		return who + " joined again" + because
	case SubscriptionChanged:
		return who + " changed its subscription" + because
	case MemberLeft:
		return who + " left" + because
	case MemberRemoved:
		return who + " was removed by an administrator" + because
	case PollExceeded:
		return who + " left because its application did not call poll() within " + c.limit() + because
	case SessionExpired:
		return who + " was not heard of for " + c.limit()
	case RebalanceExpired:
		return who + " did not come back to the rebalance within " + c.limit() + because
	case SyncExpired:
		return who + " joined, but did not ask for its assignment within " + c.limit()
	case JoinAbandoned:
		return who + " asked to join, but did not come back with its member id within " + c.limit()
	case StaticReplaced:
		return who + " restarted, and goes on as member " + c.Reason
	case RequestFenced:
		at := ""
		if c.Given != noEpoch {
			at = fmt.Sprintf(" at generation or epoch %d", c.Given)
		}
		return fmt.Sprintf("a request of %s%s was refused: %s%s", who, at, c.Code, because)
	case JoinRefused:
		return fmt.Sprintf("%s was not let in: %s%s", who, c.Code, because)
	case GroupOversized:
		return fmt.Sprintf("the group has %d members, more than %s", c.Value, c.limit())
	case OffsetsExpired:
		return fmt.Sprintf("%s older than %s, and gone", c.offsets(), c.limit())
	case OffsetsDeleted:
		return fmt.Sprintf("%s deleted by %s%s", c.offsets(), who, because)
	case OffsetsSet:
		return fmt.Sprintf("%s set by %s, which is no member%s", c.offsets(), who, because)
	case GroupDeleted:
		return "the group was deleted by " + who + because
	}
	return c.found()
}

// found tells causes that are about the group as a whole.
func (c *Cause) found() string {
	because := c.because()
	switch c.Kind {
	case AssignmentFailed:
		return "the assignment could not be made or stored" + because
	case TopicsChanged:
		return "topics that the group consumes have changed" + because
	case RegexResolved:
		return "a regular expression of the group matches other topics than before" + because
	case AssignorChanged:
		return "the group's assignor has changed" + because
	case ConfigChanged:
		return "a setting of the group has changed" + because
	case GroupConverted:
		return "the group was converted" + because
	}
	return string(c.Kind) + because
}

func (c *Cause) because() string { return causes.Because(c.Reason) }

func (c *Cause) offsets() string {
	if c.Value == 1 {
		return "1 committed offset was"
	}
	return fmt.Sprintf("%d committed offsets were", c.Value)
}

// limit is the setting that decided with its value.
func (c *Cause) limit() string { return causes.Limit(c.Setting, c.Limit) }

// String is who a member is, and what its client is.
func (w Who) String() string {
	name, about := "", []string{}
	switch {
	case w.InstanceID != "":
		name = "static member " + w.InstanceID
		if w.MemberID != "" {
			about = append(about, "member id "+w.MemberID)
		}
	case w.MemberID != "":
		name = "member " + w.MemberID
	}
	if client := w.Client.String(); client != "" {
		about = append(about, client)
	}
	switch {
	case name == "" && len(about) == 0:
		return "the coordinator"
	case name == "":
		return strings.Join(about, ", ")
	case len(about) == 0:
		return name
	}
	return name + " (" + strings.Join(about, ", ") + ")"
}

// reasons are several causes for a line of the log.
func reasons(causes []Cause) string {
	texts := make([]string, len(causes))
	for i, cause := range causes {
		texts[i] = cause.String()
	}
	return strings.Join(texts, "; ")
}

// fencing reports whether a request was refused because it comes from somebody who is not, or no longer, in the group.
func fencing(err error) bool {
	switch kafka.CodeOf(err) {
	case kafka.UnknownMemberID, kafka.IllegalGeneration, kafka.FencedInstanceID, kafka.FencedMemberEpoch, kafka.StaleMemberEpoch, kafka.UnreleasedInstanceID:
		return true
	}
	return false
}
