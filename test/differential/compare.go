package differential

import (
	"fmt"
	"strings"
)

// A Difference is a field that the two brokers fill differently. Absent fields say "(absent)".
type Difference struct {
	Scenario     string // file/name
	Line         int
	API          string
	Version      int16
	Until        int16 // the same difference shows in all versions up to this one
	Asked        string
	Path         string
	Kafka, Ottla string
}

const absent = "(absent)"

func (d Difference) String() string {
	versions := fmt.Sprint(d.Version)
	if d.Until > d.Version {
		versions = fmt.Sprintf("%d-%d", d.Version, d.Until)
	}
	return fmt.Sprintf("line %d: %s v%s %s: kafka %s, ottla %s\n      %s", d.Line, d.API, versions, d.Path, d.Kafka, d.Ottla, d.Asked)
}

// fold joins the differences that one line shows in several versions.
func fold(all []Difference) []Difference {
	type what struct {
		line               int
		path, kafka, ottla string
	}
	var out []Difference
	seen := map[what]int{}
	for _, d := range all {
		w := what{d.Line, d.Path, d.Kafka, d.Ottla}
		if i, ok := seen[w]; ok {
			out[i].Until = d.Version
			continue
		}
		seen[w] = len(out)
		out = append(out, d)
	}
	return out
}

// compare walks two transcripts of the same scenario.
func compare(scenario string, kafka, ottla []Step) []Difference {
	var out []Difference
	for i := range min(len(kafka), len(ottla)) {
		out = append(out, compareStep(scenario, kafka[i], ottla[i])...)
	}
	if len(kafka) != len(ottla) {
		out = append(out, Difference{Scenario: scenario, Path: "number of answers", Kafka: fmt.Sprint(len(kafka)), Ottla: fmt.Sprint(len(ottla))})
	}
	return out
}

func compareStep(scenario string, k, o Step) []Difference {
	d := Difference{Scenario: scenario, Line: k.Line, API: k.API, Version: k.Version, Asked: k.Asked}
	if k.API != o.API || k.Line != o.Line || k.Version != o.Version {
		d.Path, d.Kafka, d.Ottla = "the request itself", fmt.Sprint(k.Line, k.API, k.Version), fmt.Sprint(o.Line, o.API, o.Version)
		return []Difference{d}
	}
	if ks, os := outcomeOf(k), outcomeOf(o); ks != os {
		d.Path, d.Kafka, d.Ottla = "the outcome", ks, os
		return []Difference{d}
	}
	ours, theirs := values(o.Leaves), values(k.Leaves)
	var out []Difference
	note := func(path, kafka, ottla string) {
		d.Path, d.Kafka, d.Ottla = path, kafka, ottla
		out = append(out, d)
	}
	var gone string // an element that one side lacks: reported once
	for _, leaf := range k.Leaves {
		value, ok := ours[leaf.Path]
		switch {
		case ok && value != leaf.Value:
			note(leaf.Path, leaf.Value, value)
		case !ok && !inside(leaf.Path, gone):
			gone = missing(leaf.Path, ours)
			note(gone, leaf.Value, absent)
		}
	}
	gone = ""
	for _, leaf := range o.Leaves {
		if _, ok := theirs[leaf.Path]; !ok && !inside(leaf.Path, gone) {
			gone = missing(leaf.Path, theirs)
			note(gone, absent, leaf.Value)
		}
	}
	return out
}

// outcomeOf says in one word what came back: an answer, or what happened instead.
func outcomeOf(s Step) string {
	if len(s.Leaves) > 0 && s.Leaves[0].Path == "" {
		return s.Leaves[0].Value
	}
	return "an answer"
}

func values(all []Leaf) map[string]string {
	out := map[string]string{}
	for _, leaf := range all {
		out[leaf.Path] = leaf.Value
	}
	return out
}

// missing returns the shortest part of a path of which the other side has nothing.
func missing(path string, other map[string]string) string {
	for i, c := range path {
		if c != ']' {
			continue
		}
		part, known := path[:i+1], false
		for p := range other {
			known = known || inside(p, part)
		}
		if !known {
			return part
		}
	}
	return path
}

func inside(path, element string) bool { return element != "" && strings.HasPrefix(path, element) }

// like reports whether text fits a pattern in which * stands for anything. An empty pattern fits everything.
func like(pattern, text string) bool {
	if pattern == "" {
		return true
	}
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return text == pattern
	}
	rest, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}
