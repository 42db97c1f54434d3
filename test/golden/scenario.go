package golden

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// The kinds of steps.
const (
	run         = "$"  // run a command with bash
	runAnyOrder = "$~" // the same; the lines of its stdout come in any order
	start       = "&"  // NAME command: start it in the background, its stdin stays open
	end         = "-"  // NAME [SIGNAL|wait]: end it, by SIGTERM if nothing else is said; its output follows
	poll        = "?"  // /REGEXP/ command: run until the output matches
	write       = "@"  // FILE: write a file
	killNode    = "x"  // NODE: kill the process of a node, by SIGKILL
)

// A step is one action of a scenario, with what has to come out of it.
type step struct {
	line   int
	kind   string
	text   string
	stdin  []string
	body   []string // of a file
	stdout []string
	stderr []string
	code   string
}

// A scenario is one recorded session.
type scenario struct {
	nodes      int      // how many brokers it needs; 0: one
	properties []string // of the brokers
	steps      []step
}

var stepStart = regexp.MustCompile(`^(\$~|[$&?@x-]) (.*)`)

// readScenario reads a file. Lines that begin with '<', '|', '>' or '~', '!' and '=' belong to the step before them: stdin, lines of a
// file, stdout, stderr, exit code. "#: broker KEY=VALUE" is a property of the broker,
// "#: cluster 3" asks for three of them; other lines with '#' are comments.
func readScenario(path string) (scenario, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return scenario{}, err
	}
	var s scenario
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		if property, ok := strings.CutPrefix(line, "#: broker "); ok {
			s.properties = append(s.properties, property)
			continue
		}
		if line == "#: cluster 3" {
			s.nodes = 3
			continue
		}
		if m := stepStart.FindStringSubmatch(line); m != nil {
			s.steps = append(s.steps, step{line: i + 1, kind: m[1], text: m[2]})
			continue
		}
		if line == "" || line[0] == '#' {
			continue
		}
		if len(s.steps) == 0 || !s.steps[len(s.steps)-1].take(line) {
			return s, fmt.Errorf("%s:%d: what is this? %s", path, i+1, line)
		}
	}
	return s, nil
}

// needsBroker reports whether a step asks one.
func (s scenario) needsBroker() bool {
	return slices.ContainsFunc(s.steps, func(s step) bool { return strings.Contains(s.text, "BOOTSTRAP") })
}

// needsControllers reports whether a step asks controllers themselves.
func (s scenario) needsControllers() bool {
	return slices.ContainsFunc(s.steps, func(s step) bool { return strings.Contains(s.text, "$CONTROLLERS") })
}

// take adds a line to what the step expects.
func (s *step) take(line string) bool {
	rest := ""
	if len(line) > 2 {
		rest = line[2:]
	}
	switch line[0] {
	case '<':
		s.stdin = append(s.stdin, rest)
	case '|':
		s.body = append(s.body, rest)
	case '>', '~':
		s.stdout = append(s.stdout, rest)
	case '!':
		s.stderr = append(s.stderr, rest)
	case '=':
		s.code = strings.TrimSpace(rest)
	default:
		return false
	}
	return true
}
