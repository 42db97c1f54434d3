package tools

import (
	"slices"
	"time"

	"github.com/ottla/ottla/internal/tools/options"
)

// resetOptions are the options of --reset-offsets that the tools of all kinds of groups share.
type resetOptions struct {
	*options.Set
	parser *options.Parser

	group, reset                               *options.Option
	dryRun, execute, export                    *options.Option
	toOffset, fromFile, toDatetime, byDuration *options.Option
	toEarliest, toLatest, toCurrent, shiftBy   *options.Option
}

// addTargets adds all but group and reset.
func (o *resetOptions) addTargets() {
	p := o.parser
	o.dryRun = p.Flag("dry-run", "With --reset-offsets: only show the offsets.")
	o.execute = p.Flag("execute", "With --reset-offsets: set the offsets.")
	o.export = p.Flag("export", "With --reset-offsets: print the offsets as CSV.")
	o.toOffset = p.Value("to-offset", "offset", "Reset to this offset.").Long()
	o.fromFile = p.Value("from-file", "CSV file", "Reset to the offsets of a file that --export wrote.")
	o.toDatetime = p.Value("to-datetime", "YYYY-MM-DDThh:mm:ss.sss", "Reset to the first record from this time on.")
	o.byDuration = p.Value("by-duration", "PnDTnHnMnS", "Reset to the first record of the last so and so long.")
	o.toEarliest = p.Flag("to-earliest", "Reset to the first record.")
	o.toLatest = p.Flag("to-latest", "Reset to the end.")
	o.toCurrent = p.Flag("to-current", "Reset to the offsets that the group has.")
	o.shiftBy = p.Value("shift-by", "number", "Reset by so many records from where the group is, forwards or (negative) backwards.").Long()
}

// scenarios are the options that say where to reset to.
func (o *resetOptions) scenarios() []*options.Option {
	return []*options.Option{o.toOffset, o.shiftBy, o.toDatetime, o.byDuration, o.toEarliest, o.toLatest, o.toCurrent, o.fromFile}
}

// forbidTwoTargets checks that there is one scenario at most.
func (o *resetOptions) forbidTwoTargets(r *rules) {
	order := []*options.Option{o.toOffset, o.toDatetime, o.byDuration, o.toEarliest, o.toLatest, o.toCurrent, o.shiftBy, o.fromFile}
	for _, scenario := range order {
		r.forbid(scenario, slices.Clone(o.scenarios())...)
	}
}

// plan reads the values of the scenarios.
func (o *resetOptions) plan(r *options.Reader) resetPlan {
	return resetPlan{file: r.String(o.fromFile), datetime: r.String(o.toDatetime), duration: r.String(o.byDuration),
		offset: r.Long(o.toOffset), shift: r.Long(o.shiftBy)}
}

// A resetter finds the offsets that a group is reset to.
type resetter struct {
	*invocation
	to    *resetOptions
	admin *admin
	limit time.Duration // of one call
	plan  resetPlan
}
