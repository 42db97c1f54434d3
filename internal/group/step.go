package group

import (
	"github.com/ottla/ottla/internal/statemachine"
)

const (
	// maxStepRecords and maxStepBytes bound what housekeeping (expiry, deleted topics) writes in one step: a batch
	// over max.message.bytes would be refused for ever, and requests wait while a step runs.
	maxStepRecords = 1000
	maxStepBytes   = 256 << 10
)

// outcome is the Output of a step while it is made.
type outcome struct {
	statemachine.Output
	bytes int // of Records
}

func (o *outcome) write(r statemachine.Record) {
	o.Records = append(o.Records, r)
	o.bytes += len(r.Key) + len(r.Value)
}

// then has f called once everything that the step wrote and saw is committed, or has failed.
func (o *outcome) then(f func(err error)) { o.Then = append(o.Then, f) }

// full reports whether housekeeping should leave the rest to a further step.
func (o *outcome) full() bool { return len(o.Records) >= maxStepRecords || o.bytes >= maxStepBytes }

// reply answers with ok once the step is committed, or with what failed makes of the error.
func reply[R any](out *outcome, to func(R), ok R, failed func(error) R) {
	out.then(func(err error) {
		if err != nil {
			ok = failed(err)
		}
		to(ok)
	})
}
