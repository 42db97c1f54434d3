package group

import (
	"container/list"
	"strings"
	"time"
	"unicode/utf8"

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

// Who is the client that a cause is about, as far as it is known. Software is not known of members that were loaded from
// the log and have not sent a request since.
type Who struct {
	MemberID        string `json:"memberId,omitempty"`
	InstanceID      string `json:"instanceId,omitempty"`
	ClientID        string `json:"clientId,omitempty"`
	Host            string `json:"host,omitempty"`
	Software        string `json:"software,omitempty"`
	SoftwareVersion string `json:"softwareVersion,omitempty"`
}

// Cause is why a group rebalanced, or why a request was fenced. Whoever notes one fills in what is known; At, Last, Times,
// Next and Took are filled in for him.
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
	// At is when it happened first, Last when last, Times how often: the same again and again is kept once.
	At    time.Time `json:"at"`
	Last  time.Time `json:"last"`
	Times int       `json:"times"`
}

const (
	// maxCauses is how many causes are kept of a group.
	maxCauses = 64
	// maxCauseBytes bounds what a coordinator keeps for all its groups: one for each partition of __consumer_offsets.
	maxCauseBytes = 1 << 20
	// maxCauseText bounds each text of a cause, in bytes.
	maxCauseText = 256
	// causeSize is what a cause takes besides its texts.
	causeSize = 512
	// foldWithin is how many causes back the same one is looked for.
	foldWithin = 8
)

// causes are what a coordinator remembers of why its groups rebalanced, in memory only. A restart, and a new coordinator,
// begin without. They outlive the group itself, so that its deletion can be explained.
type causes struct {
	groups map[string]*history
	all    list.List // of *kept, the least recent first, over all groups
	bytes  int
}

// history is what is kept of one group, the least recent first.
type history struct {
	kept    []*kept
	dropped int // how many were dropped to keep within bounds
}

// kept is a cause with its places.
type kept struct {
	Cause
	group   string
	pending bool // the rebalance has not led to a generation yet
	place   *list.Element
	size    int
}

// note keeps why a group rebalances, or why a request was fenced.
func (c *Coordinator) note(now time.Time, groupID string, cause Cause) {
	c.causes.note(now, groupID, cause)
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
	c.causes.settle(now, groupID, next)
}

// note keeps a cause of a group.
func (c *causes) note(now time.Time, groupID string, cause Cause) {
	cause.shorten()
	if c.fold(now, groupID, &cause) {
		return
	}
	if c.groups == nil {
		c.groups = map[string]*history{}
	}
	h := c.groups[groupID]
	if h == nil {
		h = new(history)
		c.groups[groupID] = h
	}
	cause.At, cause.Last, cause.Times = now, now, 1
	k := &kept{Cause: cause, group: groupID, pending: cause.Rebalance && cause.Next == 0, size: causeSize + len(groupID) + cause.textBytes()}
	k.place = c.all.PushBack(k)
	h.kept = append(h.kept, k)
	c.bytes += k.size
	if len(h.kept) > maxCauses {
		c.drop(h.kept[0])
	}
	for c.bytes > maxCauseBytes {
		c.drop(c.all.Front().Value.(*kept))
	}
}

// fold counts a cause that has been noted shortly before.
func (c *causes) fold(now time.Time, groupID string, cause *Cause) bool {
	h := c.groups[groupID]
	if h == nil {
		return false
	}
	for i := len(h.kept) - 1; i >= max(0, len(h.kept)-foldWithin); i-- {
		k := h.kept[i]
		if !k.same(cause) {
			continue
		}
		k.Last, k.Next, k.Given, k.Reason = now, max(k.Next, cause.Next), cause.Given, cause.Reason
		k.Times++
		k.Value = cause.Value + k.summed()
		k.pending = cause.Rebalance && cause.Next == 0
		copy(h.kept[i:], h.kept[i+1:])
		h.kept[len(h.kept)-1] = k
		c.all.MoveToBack(k.place)
		return true
	}
	return false
}

// summed is Value if it counts what is gone each time.
func (c *Cause) summed() int64 {
	switch c.Kind {
	case OffsetsDeleted, OffsetsExpired, OffsetsSet:
		return c.Value
	}
	return 0
}

// same reports whether two causes differ only in when they happened. What was fenced gives the generations as reason.
func (c *Cause) same(other *Cause) bool {
	return c.Kind == other.Kind && c.Member == other.Member && (c.Reason == other.Reason || c.Kind == RequestFenced) && c.Rebalance == other.Rebalance &&
		c.Code == other.Code && c.Setting == other.Setting && c.Limit == other.Limit
}

// settle notes that the group's rebalance has led to an epoch.
func (c *causes) settle(now time.Time, groupID string, next int32) {
	h := c.groups[groupID]
	if h == nil {
		return
	}
	for i := len(h.kept) - 1; i >= 0; i-- {
		if k := h.kept[i]; k.pending {
			k.Next, k.Took, k.pending = next, now.Sub(k.Last).Milliseconds(), false
		}
	}
}

// drop forgets a cause, which is the least recent of its group.
func (c *causes) drop(k *kept) {
	h := c.groups[k.group]
	h.kept[0] = nil
	h.kept = h.kept[1:]
	h.dropped++
	c.bytes -= k.size
	c.all.Remove(k.place)
	if len(h.kept) == 0 {
		delete(c.groups, k.group)
	}
}

// of copies what is kept of a group, the least recent first, and tells how many more there were.
func (c *causes) of(groupID string) (all []Cause, dropped int) {
	all = []Cause{}
	h := c.groups[groupID]
	if h == nil {
		return all, 0
	}
	for _, k := range h.kept {
		all = append(all, k.Cause)
	}
	return all, h.dropped
}

// texts are all texts of the cause.
func (c *Cause) texts() [8]*string {
	m := &c.Member
	return [8]*string{&m.MemberID, &m.InstanceID, &m.ClientID, &m.Host, &m.Software, &m.SoftwareVersion, &c.Reason, &c.Setting}
}

// shorten bounds the texts, most of which clients choose.
func (c *Cause) shorten() {
	for _, t := range c.texts() {
		*t = shortened(*t)
	}
}

func shortened(text string) string {
	if len(text) <= maxCauseText {
		return text
	}
	end := maxCauseText
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.Clone(text[:end]) + "..."
}

func (c *Cause) textBytes() (n int) {
	for _, t := range c.texts() {
		n += len(*t)
	}
	return n
}
