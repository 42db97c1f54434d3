package differential

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/ottla/ottla/internal/wire"
)

// A Scenario is one story told to both brokers.
type Scenario struct {
	File, Name string
	Alone      bool // runs before all others that are not, because it looks at everything a broker has, or others change its answers
	Commands   []Command
}

// A Command is one line of a scenario.
type Command struct {
	Line int
	Verb string
	Rest string    // the text behind the verb
	Body []Command // of each
}

// readScenarios parses every *.txt of a folder.
func readScenarios(fsys fs.FS) ([]*Scenario, error) {
	names, err := fs.Glob(fsys, "*.txt")
	if err != nil {
		return nil, err
	}
	var all []*Scenario
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		scenarios, err := parseScript(strings.TrimSuffix(path.Base(name), ".txt"), string(text))
		if err != nil {
			return nil, err
		}
		all = append(all, scenarios...)
	}
	return all, nil
}

func parseScript(file, text string) ([]*Scenario, error) {
	var all []*Scenario
	var into []*[]Command // where commands go: the scenario, then open blocks
	for _, c := range joinLines(text) {
		if c.Verb == "scenario" {
			if len(into) > 1 {
				break
			}
			name, alone := strings.CutSuffix(c.Rest, " alone")
			s := &Scenario{File: file, Name: name, Alone: alone}
			all, into = append(all, s), []*[]Command{&s.Commands}
			continue
		}
		if len(into) == 0 {
			return nil, fmt.Errorf("%s.txt:%d: %s before the first scenario", file, c.Line, c.Verb)
		}
		body := into[len(into)-1]
		switch c.Verb {
		case "end":
			if len(into) == 1 {
				return nil, fmt.Errorf("%s.txt:%d: end without each", file, c.Line)
			}
			into = into[:len(into)-1]
		case "each":
			*body = append(*body, c)
			into = append(into, &(*body)[len(*body)-1].Body)
		default:
			*body = append(*body, c)
		}
	}
	if len(into) > 1 {
		return nil, fmt.Errorf("%s.txt: a block has no end", file)
	}
	return all, nil
}

// joinLines drops comments and empty lines, and joins what belongs together: a line goes on while its brackets are open.
func joinLines(text string) []Command {
	var out []Command
	depth := 0
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if depth > 0 {
			out[len(out)-1].Rest += " " + line
		} else {
			verb, rest, _ := strings.Cut(line, " ")
			out = append(out, Command{Line: i + 1, Verb: verb, Rest: strings.TrimSpace(rest)})
		}
		if out[len(out)-1].Verb == "let" {
			continue // a part of a request may have brackets that the request closes
		}
		depth = max(0, depth+strings.Count(line, "{")+strings.Count(line, "[")-strings.Count(line, "}")-strings.Count(line, "]"))
	}
	return out
}

// apiNamed finds a row of the table of APIs by name.
func apiNamed(name string) (wire.API, error) {
	for _, a := range wire.APIs {
		if a.Name == name {
			return a, nil
		}
	}
	return wire.API{}, fmt.Errorf("no API %q", name)
}

// versionsOf reads a list of versions of an API: all, min, max, 3, 3-7, 3+.
func versionsOf(api wire.API, text string) ([]int16, error) {
	low, high := api.Min, api.Max
	switch text {
	case "all":
	case "min":
		high = low
	case "max":
		low = high
	default:
		if _, err := fmt.Sscanf(strings.TrimSuffix(text, "+"), "%d-%d", &low, &high); err != nil {
			if _, err := fmt.Sscanf(text, "%d", &low); err != nil {
				return nil, fmt.Errorf("versions %q", text)
			}
			if !strings.HasSuffix(text, "+") {
				high = low
			}
		}
	}
	var out []int16
	for v := low; v <= high; v++ {
		out = append(out, v)
	}
	return out, nil
}
