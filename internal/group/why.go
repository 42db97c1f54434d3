package group

import (
	"time"

	"github.com/ottla/ottla/internal/statemachine"
)

// Report is how a group is, and why: what GET /api/v1/groups/NAME/why answers.
type Report struct {
	Group string `json:"group"`
	// Type is classic, consumer or streams; "" if the group is gone and only its causes are left.
	Type  string `json:"type,omitempty"`
	State string `json:"state,omitempty"`
	// Epoch is the generation of a classic group, the group epoch of others.
	Epoch int32 `json:"epoch"`
	// Protocol is the assignor that the members agreed on, or that the coordinator uses.
	Protocol string `json:"protocol,omitempty"`
	// Since is when a classic group came into its state.
	Since   time.Time        `json:"since,omitzero"`
	Members []ReportedMember `json:"members"`
	// Until is when a rebalance that is under way goes on without those it waits for.
	Until time.Time `json:"until,omitzero"`
	// Loaded is when this coordinator took over: it remembers nothing from before.
	Loaded time.Time `json:"loaded"`
	// Causes are what has happened, the least recent first; Dropped is how many more there were since Loaded.
	Causes  []ReportedCause `json:"causes"`
	Dropped int             `json:"dropped"`
}

// ReportedMember is a member as Report tells it.
type ReportedMember struct {
	Who
	SessionTimeout   int64 `json:"sessionTimeoutMs"`
	RebalanceTimeout int64 `json:"rebalanceTimeoutMs"`
	// Awaited is set while a rebalance waits for the member.
	Awaited bool `json:"awaited,omitempty"`
}

// ReportedCause is a cause with its text.
type ReportedCause struct {
	Cause
	Error string `json:"error,omitempty"` // what the request was refused with
	Text  string `json:"text"`
}

// Why tells how a group is and what is remembered of why. A group that does not exist, and of which nothing is
// remembered, is GROUP_ID_NOT_FOUND.
func (c *Coordinator) Why(now time.Time, groupID string, answer func(*Report, error)) statemachine.Output {
	var out outcome
	c.begin(&out, now)
	report, err := c.report(groupID), error(nil)
	if report.Type == "" && len(report.Causes) == 0 {
		report, err = nil, errNoGroup(groupID)
	}
	out.then(func(failed error) {
		if failed != nil {
			report, err = nil, failed
		}
		answer(report, err)
	})
	return out.Output
}

func (c *Coordinator) report(groupID string) *Report {
	r := &Report{Group: groupID, Loaded: c.loaded, Members: []ReportedMember{}, Causes: []ReportedCause{}}
	kept, dropped := c.causes.Of(groupID)
	r.Dropped = dropped
	for _, cause := range kept {
		reported := ReportedCause{Cause: cause, Text: cause.String()}
		if cause.Code != 0 {
			reported.Error = cause.Code.String()
		}
		r.Causes = append(r.Causes, reported)
	}
	if g := c.groups[groupID]; g != nil {
		kind, _, state := g.kind.list()
		r.Type, r.State = kind, string(state)
		if k, ok := g.kind.(reporter); ok {
			k.report(c, r)
		}
	}
	return r
}

// reporter is what a kind of group implements to tell more than its state: epoch, protocol, members.
type reporter interface {
	report(c *Coordinator, r *Report)
}
