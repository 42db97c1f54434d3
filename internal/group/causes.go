package group

import (
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
)

// CauseKind says what happened to a group or to one of its members. The texts are those of the HTTP API.
type CauseKind string

const (
	MemberJoined        CauseKind = "member-joined"
	MemberRejoined      CauseKind = "member-rejoined" // without another subscription: Reason tells why
	SubscriptionChanged CauseKind = "subscription-changed"
	MemberLeft          CauseKind = "member-left"
	MemberRemoved       CauseKind = "member-removed"         // by an administrator
	PollExceeded        CauseKind = "poll-interval-exceeded" // its client says so, and leaves
	SessionExpired      CauseKind = "session-expired"
	RebalanceExpired    CauseKind = "rebalance-timeout" // it did not come back, or did not give up partitions, in time
	SyncExpired         CauseKind = "sync-timeout"      // it joined, and did not fetch its assignment in time
	JoinAbandoned       CauseKind = "join-abandoned"    // it was given a member id, and did not come back with it
	StaticReplaced      CauseKind = "static-replaced"   // Reason is the member id from now on
	RequestFenced       CauseKind = "request-fenced"    // Code and Given tell of the request
	JoinRefused         CauseKind = "join-refused"
	AssignmentFailed    CauseKind = "assignment-failed" // it could not be made or stored
	TopicsChanged       CauseKind = "topics-changed"    // subscribed topics came, went or changed: Reason says which
	RegexResolved       CauseKind = "regex-resolved"    // a regular expression matches other topics than before
	AssignorChanged     CauseKind = "assignor-changed"
	ConfigChanged       CauseKind = "config-changed"
	GroupConverted      CauseKind = "group-converted" // between the classic and the consumer protocol
	GroupOversized      CauseKind = "group-oversized" // more members than Limit, which was lowered
	GroupDeleted        CauseKind = "group-deleted"
	OffsetsDeleted      CauseKind = "offsets-deleted" // Value of them; Reason says by whom
	OffsetsExpired      CauseKind = "offsets-expired" // Value of them
	OffsetsSet          CauseKind = "offsets-set"     // Value of them, by somebody who is no member: a reset
)

// Who is the member that a cause is about, and its client, as far as they are known. Software is not known of members that were
// loaded from the log and have not sent a request since.
type Who struct {
	MemberID   string `json:"memberId,omitempty"`
	InstanceID string `json:"instanceId,omitempty"`
	causes.Client
}

// whoIs is a client when it speaks for a member; "" and nil are not known.
func whoIs(client causes.Client, memberID string, instanceID *string) Who {
	return Who{MemberID: memberID, InstanceID: textOf(instanceID), Client: client}
}

// Cause is why a group rebalanced, or why a request was fenced. Whoever notes one fills in what is known; When, Next and Took
// are filled in for him.
type Cause struct {
	Kind   CauseKind `json:"kind"`
	Member Who       `json:"member,omitzero"`
	// Reason is what the client said, or what was found out.
	Reason string `json:"reason,omitempty"`
	// Rebalance is set if this began a rebalance, or took part in one that was under way.
	Rebalance bool `json:"rebalance"`
	// Epoch is the generation (classic) or group epoch before, Next the one that the rebalance led to; 0: none yet.
	Epoch int32 `json:"epoch,omitempty"`
	Next  int32 `json:"next,omitempty"`
	// Took is how long it was from Last to Next, in milliseconds.
	Took int64 `json:"tookMs,omitempty"`
	// Setting is the setting that decided, Limit its value, Value what was held against it, if not simply more: in
	// milliseconds if its name ends in ".ms".
	Setting string `json:"setting,omitempty"`
	Limit   int64  `json:"limit,omitempty"`
	Value   int64  `json:"value,omitempty"`
	// Code is what a request was refused with, Given the generation or member epoch that it came with.
	Code  kafka.ErrorCode `json:"-"`
	Given int32           `json:"given"`
	causes.When
	pending bool // the rebalance has not led to a generation yet
}

// note keeps why a group rebalances, or why a request was fenced.
func (c *Coordinator) note(now time.Time, groupID string, cause Cause) {
	cause.pending = cause.Rebalance && cause.Next == 0
	c.causes.Note(now, groupID, cause)
}

// noEpoch is the Given of requests that name no generation or epoch.
const noEpoch = -1

// noteFenced keeps that a request was refused because it comes from somebody who is not, or no longer, in the group. Other
// errors are not kept. It reports whether it was so.
func (c *Coordinator) noteFenced(now time.Time, groupID string, who Who, given int32, err error) bool {
	if groupID == "" || !fencing(err) {
		return false
	}
	c.note(now, groupID, Cause{Kind: RequestFenced, Member: who, Code: kafka.CodeOf(err), Given: given, Reason: textOf(kafka.MessageOf(err))})
	return true
}

// noteRefused keeps that a heartbeat of the newer protocols was refused: a fencing, or somebody who may not join. The setting is
// what bounds the size of such groups.
func (c *Coordinator) noteRefused(now time.Time, groupID string, who Who, given int32, err error, maxSize string, limit int) {
	if c.noteFenced(now, groupID, who, given, err) || c.groups[groupID] == nil {
		return
	}
	cause := Cause{Kind: JoinRefused, Member: who, Code: kafka.CodeOf(err), Reason: textOf(kafka.MessageOf(err))}
	if cause.Code == kafka.GroupMaxSizeReached {
		cause.Setting, cause.Limit = maxSize, int64(limit)
	}
	c.note(now, groupID, cause)
}

// tell keeps a cause and logs it.
func (c *Coordinator) tell(now time.Time, groupID string, epoch int32, cause Cause) {
	c.note(now, groupID, cause)
	c.options.Logger.Info(cause.String(), "group", groupID, "epoch", max(cause.Next, epoch))
}

// noteCommitted keeps a cause once the step is committed: what was removed, or set, and would be there still otherwise.
func (c *Coordinator) noteCommitted(out *outcome, groupID string, cause Cause) {
	out.then(func(err error) {
		if err != nil {
			return
		}
		c.options.Again(func(c *Coordinator, now time.Time) statemachine.Output {
			c.note(now, groupID, cause)
			return statemachine.Output{}
		})
	})
}

// settled notes that the rebalance, which everything noted since the last one took part in, has led to a generation or
// epoch. Where a step decides both, Cause.Next says so instead.
func (c *Coordinator) settled(now time.Time, groupID string, next int32) {
	c.causes.Change(groupID, func(cause *Cause) {
		if cause.pending {
			cause.Next, cause.Took, cause.pending = next, now.Sub(cause.Last).Milliseconds(), false
		}
	})
}

// Again implements causes.Kept: two causes are the same if they differ only in when they happened. What was fenced gives the
// generations as reason.
func (c *Cause) Again(later *Cause) bool {
	if c.Kind != later.Kind || c.Member != later.Member || c.Reason != later.Reason && c.Kind != RequestFenced || c.Rebalance != later.Rebalance ||
		c.Code != later.Code || c.Setting != later.Setting || c.Limit != later.Limit {
		return false
	}
	c.Next, c.Given, c.Reason, c.pending = max(c.Next, later.Next), later.Given, later.Reason, later.pending
	c.Value = later.Value + c.summed()
	return true
}

// summed is Value if it counts what is gone each time.
func (c *Cause) summed() int64 {
	switch c.Kind {
	case OffsetsDeleted, OffsetsExpired, OffsetsSet:
		return c.Value
	}
	return 0
}

// Texts implements causes.Kept.
func (c *Cause) Texts() []*string {
	return append(c.Member.Client.Texts(), &c.Member.MemberID, &c.Member.InstanceID, &c.Reason, &c.Setting)
}
