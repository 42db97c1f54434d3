package tools

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/tools/options"
)

// An invocation is one run of a tool.
type invocation struct {
	name           string
	args           []string
	stdin          io.Reader
	stdout, stderr io.Writer
}

func (inv *invocation) println(line string)               { fmt.Fprintln(inv.stdout, line) }
func (inv *invocation) printf(format string, args ...any) { fmt.Fprintf(inv.stdout, format, args...) }
func (inv *invocation) complain(line string)              { fmt.Fprintln(inv.stderr, line) }

// trace prints a failure where Kafka's tools print its stack trace: its first line, and causes that it does not quote itself.
func (inv *invocation) trace(prefix string, err error) {
	shown := javaString(err)
	inv.complain(prefix + shown)
	for cause := errors.Unwrap(err); cause != nil; cause = errors.Unwrap(cause) {
		if _, isCode := cause.(*kerr.Error); isCode {
			return // the exception above it says the same
		}
		if text := javaString(cause); !strings.Contains(shown, text) && !strings.Contains(shown, cause.Error()) {
			inv.complain("Caused by: " + text)
			shown += text
		}
	}
}

// A usageError ends a tool with a message, the table of its options and exit code 1.
type usageError struct {
	parser  *options.Parser
	message string
}

func (e *usageError) Error() string { return e.message }

// A plainError ends a tool with a message alone on stderr and exit code 1.
type plainError struct{ message string }

func (e *plainError) Error() string { return e.message }

// errVersion ends a tool after --version.
var errVersion = errors.New("version printed")

// finish ends the run for the failures that all tools share. ok is false for others.
func (inv *invocation) finish(err error) (exit int, ok bool) {
	if err == nil || errors.Is(err, errVersion) {
		return 0, true
	}
	if e, is := errors.AsType[*usageError](err); is {
		inv.complain(e.message)
		e.parser.PrintTable(inv.stderr)
		return 1, true
	}
	if e, is := errors.AsType[*plainError](err); is {
		inv.complain(e.message)
		return 1, true
	}
	return 1, false
}

// helpOrVersion answers --help, an empty command line, and --version.
func (inv *invocation) helpOrVersion(p *options.Parser, set *options.Set, purpose string) error {
	if len(inv.args) == 0 || set.Has(p.Help) {
		return &usageError{p, purpose}
	}
	if set.Has(p.Version) {
		inv.println(Version)
		return errVersion
	}
	return nil
}
