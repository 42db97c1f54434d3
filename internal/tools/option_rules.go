package tools

import (
	"fmt"
	"strings"

	"github.com/ottla/ottla/internal/tools/options"
)

// rules checks a command line; the first breach stays in err.
type rules struct {
	parser *options.Parser
	set    *options.Set
	err    error
}

func (r *rules) fail(format string, args ...any) {
	if r.err == nil {
		r.err = &usageError{r.parser, fmt.Sprintf(format, args...)}
	}
}

// failIf is fail under a condition.
func (r *rules) failIf(broken bool, format string, args ...any) {
	if broken {
		r.fail(format, args...)
	}
}

// require wants each option.
func (r *rules) require(opts ...*options.Option) {
	for _, o := range opts {
		r.failIf(!r.set.Has(o), `Missing required argument "%s"`, o)
	}
}

// forbid refuses others beside used.
func (r *rules) forbid(used *options.Option, others ...*options.Option) {
	if !r.set.Has(used) {
		return
	}
	for _, o := range others {
		r.failIf(o != used && r.set.Has(o), `Option "%s" can't be used with option "%s"`, used, o)
	}
}

// oneOf wants exactly one of opts.
func (r *rules) oneOf(opts ...*options.Option) {
	r.failIf(r.count(opts...) != 1, "Exactly one of the following arguments is required: %s", join(opts))
}

// together refuses two names of one thing.
func (r *rules) together(a, b *options.Option) {
	r.failIf(r.set.Has(a) && r.set.Has(b), "Options --%s and --%s cannot be specified together.", a.Name(), b.Name())
}

func (r *rules) count(opts ...*options.Option) int {
	n := 0
	for _, o := range opts {
		if r.set.Has(o) {
			n++
		}
	}
	return n
}

// join lists options as Kafka's messages do.
func join(opts []*options.Option) string {
	var names []string
	for _, o := range opts {
		names = append(names, o.String())
	}
	return strings.Join(names, ", ")
}

// joinValues lists values as Java prints a list, without its brackets.
func joinValues(values []string) string { return strings.Join(values, ", ") }
