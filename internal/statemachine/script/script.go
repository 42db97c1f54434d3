// Package script plays the text scripts that state machines are tested with, on a clock that the script moves.
//
// In a script, lines at the margin are commands: a verb, operands, and options of the form name=value. The indented ones below each
// are what it brought about: `go test -update` writes them. A line that begins with # says what for.
package script

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write what the scripts print into testdata")

// Run plays each script that matches a pattern as a test of its own. begin makes what a script plays on, and returns what runs one
// command; that writes to out, line by line and indented, what the command brought about.
func Run(t *testing.T, pattern string, begin func(t *testing.T, out *strings.Builder) func(c *Command)) {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			play(string(text), &out, begin(t, &out), t)
			if *update {
				if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if out.String() != string(text) {
				t.Errorf("%s: the run printed\n%s", file, firstDifference(string(text), out.String()))
			}
		})
	}
}

func play(text string, out *strings.Builder, run func(*Command), t testing.TB) {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "\t") {
			continue
		}
		out.WriteString(line + "\n")
		if line != "" && line[0] != '#' {
			run(Parse(t, line))
		}
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d\n got %s\nwant %s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines instead of %d", len(g), len(w))
}

// Command is a line of a script.
type Command struct {
	t        testing.TB
	Line     string
	Verb     string
	Operands []string
	Pairs    [][2]string // the options in order
	options  map[string]string
}

// Parse reads a line.
func Parse(t testing.TB, line string) *Command {
	words := strings.Fields(line)
	c := &Command{t: t, Line: line, Verb: words[0], options: map[string]string{}}
	for _, w := range words[1:] {
		if name, value, ok := strings.Cut(w, "="); ok {
			c.options[name] = value
			c.Pairs = append(c.Pairs, [2]string{name, value})
		} else {
			c.Operands = append(c.Operands, w)
		}
	}
	return c
}

// Operand is the i-th operand; `""` stands for the empty text.
func (c *Command) Operand(i int) string {
	if i >= len(c.Operands) {
		c.t.Fatalf("%s wants more than %d operands", c.Verb, len(c.Operands))
	}
	return unquoted(c.Operands[i])
}

// Is reports whether a word is among the operands.
func (c *Command) Is(word string) bool { return slices.Contains(c.Operands, word) }

// Has reports whether an option is given.
func (c *Command) Has(option string) bool { _, ok := c.options[option]; return ok }

// Text is an option; `""` stands for the empty text.
func (c *Command) Text(option, otherwise string) string {
	if v, ok := c.options[option]; ok {
		return unquoted(v)
	}
	return otherwise
}

func unquoted(text string) string {
	if text == `""` {
		return ""
	}
	return text
}

// Pointer is an option, nil if it is not given.
func (c *Command) Pointer(option string) *string {
	if !c.Has(option) {
		return nil
	}
	v := c.Text(option, "")
	return &v
}

// Duration is an option as time.ParseDuration reads it.
func (c *Command) Duration(option string, otherwise time.Duration) time.Duration {
	v, ok := c.options[option]
	if !ok {
		return otherwise
	}
	d, err := time.ParseDuration(v)
	if err != nil {
		c.t.Fatal(err)
	}
	return d
}

// Number is an option that is a number.
func (c *Command) Number(option string, otherwise int) int {
	if v, ok := c.options[option]; ok {
		var n int
		if _, err := fmt.Sscan(v, &n); err != nil {
			c.t.Fatal(err)
		}
		return n
	}
	return otherwise
}
