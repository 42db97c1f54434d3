package txn

import (
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
)

// Report is how a transactional id is, and why: what GET /api/v1/transactions/ID/why answers.
type Report struct {
	TransactionalID string `json:"transactionalId"`
	// State is that of DescribeTransactions; "" if the id is not known any more and only its causes are left.
	State    string    `json:"state,omitempty"`
	Producer *Identity `json:"producer,omitempty"`
	// Client is who was initialized last, if that was since Loaded.
	Client  causes.Client `json:"client,omitzero"`
	Timeout int64         `json:"timeoutMs,omitempty"`
	// Started is when the open, or last, transaction began, Updated when its state changed; AbortedAfter is when an open one
	// has taken too long.
	Started      time.Time `json:"started,omitzero"`
	Updated      time.Time `json:"updated,omitzero"`
	AbortedAfter time.Time `json:"abortedAfter,omitzero"`
	// Partitions are those of the open transaction; once its end is decided, those that lack it.
	Partitions []string `json:"partitions"`
	// Waiting is how many requests wait for the end of the transaction.
	Waiting int `json:"waiting,omitempty"`
	// Loaded is when this coordinator took over: it remembers nothing from before.
	Loaded time.Time `json:"loaded"`
	// Causes are what has happened, the least recent first; Dropped is how many more there were since Loaded.
	Causes  []ReportedCause `json:"causes"`
	Dropped int             `json:"dropped"`
}

// ReportedCause is a cause with its text.
type ReportedCause struct {
	Cause
	Error string `json:"error,omitempty"` // what the request was refused with
	Text  string `json:"text"`
}

// Why tells how a transactional id is and what is remembered of why. One that is not known, and of which nothing is remembered,
// is TRANSACTIONAL_ID_NOT_FOUND.
func (c *Coordinator) Why(now time.Time, id string, answer func(*Report, error)) statemachine.Output {
	var out outcome
	c.begin(&out, now)
	report, err := c.report(id), error(nil)
	if report.State == "" && len(report.Causes) == 0 {
		report, err = nil, kafka.Errorf(kafka.TransactionalIDNotFound, "transactional id %s is not known", id)
	}
	out.then(func(log error) {
		if log != nil {
			report, err = nil, log
		}
		answer(report, err)
	})
	return out.Output
}

func (c *Coordinator) report(id string) *Report {
	r := &Report{TransactionalID: id, Partitions: []string{}, Loaded: c.loaded, Causes: []ReportedCause{}, Waiting: len(c.parked[id])}
	kept, dropped := c.causes.Of(id)
	r.Dropped = dropped
	for _, cause := range kept {
		reported := ReportedCause{Cause: cause, Text: cause.String()}
		if cause.Code != kafka.None {
			reported.Error = cause.Code.String()
		}
		r.Causes = append(r.Causes, reported)
	}
	if t := c.transactions[id]; t != nil {
		t.report(r)
	}
	return r
}

func (t *transaction) report(r *Report) {
	r.State, r.Producer, r.Timeout = t.state.String(), identified(t.producer()), int64(t.timeout)
	r.Updated = time.UnixMilli(t.updated)
	if t.owner != nil {
		r.Client = *t.owner
	}
	if t.started != noTimestamp {
		r.Started = time.UnixMilli(t.started)
	}
	partitions := t.partitions
	if t.state.deciding() {
		partitions = t.unmarked
	}
	for _, tp := range partitions {
		r.Partitions = append(r.Partitions, tp.String())
	}
	if t.state == Ongoing && t.timeout != noTimeout {
		r.AbortedAfter = r.Started.Add(time.Duration(t.timeout) * time.Millisecond)
	}
}
