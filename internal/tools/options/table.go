package options

import (
	"fmt"
	"io"
	"strings"
)

const (
	leftWidth  = 40 // columns of the names
	rightWidth = 39
)

// PrintTable writes the options, sorted by name, with their values, defaults and meaning: what a tool
// prints below a usage error.
func (p *Parser) PrintTable(w io.Writer) {
	rows := [][2]string{{"Option", "Description"}, {"------", "-----------"}}
	for _, o := range p.Options() {
		rows = append(rows, [2]string{o.signature(), o.description()})
	}
	for _, row := range rows {
		left, right := wrap(row[0], leftWidth), wrap(row[1], rightWidth)
		for i := range max(len(left), len(right)) {
			line := fmt.Sprintf("%-*s %s", leftWidth, at(left, i), at(right, i))
			fmt.Fprintln(w, strings.TrimRight(line, " "))
		}
	}
}

func (o *Option) signature() string {
	value := o.typeName
	if o.argument != "" {
		value += ": " + o.argument
	}
	switch o.kind {
	case requiredValue:
		return "--" + o.name + " <" + value + ">"
	case optionalValue:
		return "--" + o.name + " [" + value + "]"
	}
	return "--" + o.name
}

func (o *Option) description() string {
	if o.fallback == nil {
		return o.help
	}
	return o.help + " (default: " + *o.fallback + ")"
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

// wrap folds text into lines of at most width columns where it has spaces; the lines after a fold are
// indented by two. Line breaks in the text stay.
func wrap(text string, width int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		line := ""
		for word := range strings.SplitSeq(paragraph, " ") {
			switch {
			case line == "":
				line = word
			case len(line)+1+len(word) <= width:
				line += " " + word
			default:
				lines = append(lines, line)
				line = "  " + word
			}
		}
		lines = append(lines, line)
	}
	return lines
}
