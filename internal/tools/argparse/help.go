package argparse

import (
	"fmt"
	"slices"
	"strings"
)

func (a *Argument) metavar() string {
	if a.Metavar != "" {
		return a.Metavar
	}
	return strings.ToUpper(strings.ReplaceAll(strings.TrimLeft(a.Name, "-"), "-", "_"))
}

// signature is the name with what follows it.
func (a *Argument) signature() string {
	if a.Kind == Flag {
		return a.Name
	}
	return a.Name + " " + a.metavar()
}

func (a *Argument) usage() string {
	text := a.signature()
	if !a.Required {
		return "[" + text + "]"
	}
	return text
}

// usages are the usages of arguments; those that exclude one another are one: (--all | --group GROUP) if one of them is required.
func usages(arguments []Argument) (words []string) {
	for i, a := range arguments {
		alike := func(b Argument) bool { return b.Choice == a.Choice }
		if a.Choice == "" {
			words = append(words, a.usage())
		} else if !slices.ContainsFunc(arguments[:i], alike) {
			var choices []string
			for _, b := range arguments[i:] {
				if alike(b) {
					choices = append(choices, b.signature())
				}
			}
			ends := "[]"
			if a.Required {
				ends = "()"
			}
			words = append(words, ends[:1]+strings.Join(choices, " | ")+ends[1:])
		}
	}
	return words
}

// usage is one line that says how to call the tool, or a command of it.
func (p *Parser) usage(command *Command) string {
	words := []string{"usage: " + p.Program}
	if command == nil {
		words = append(words, "[-h] [-v]")
		words = append(words, usages(p.Arguments)...)
		return strings.Join(append(words, "COMMAND ..."), " ")
	}
	words = append(words, usages(slices.DeleteFunc(slices.Clone(p.Arguments), func(a Argument) bool { return !a.Required }))...)
	words = append(words, command.Name, "[-h]")
	return strings.Join(append(words, usages(command.Arguments)...), " ")
}

// help is the text of --help.
func (p *Parser) help(command *Command) string {
	var b strings.Builder
	row := func(name, help string) { fmt.Fprintf(&b, "  %-34s %s\n", name, help) }
	b.WriteString(p.usage(command) + "\n\n")
	if command == nil {
		b.WriteString(p.Description + "\n\n")
	} else {
		b.WriteString(command.Help + "\n\n")
	}
	b.WriteString("optional arguments:\n")
	row("-h, --help", "show this help message and exit")
	if command == nil {
		row("-v, --version", "show the version and exit")
	}
	for _, a := range p.arguments(command) {
		name := a.signature()
		if a.Short != "" {
			name = a.Short + ", " + name
		}
		row(name, a.Help)
	}
	if command == nil {
		b.WriteString("\ncommands:\n")
		for _, c := range p.Commands {
			row(c.Name, c.Help)
		}
	}
	return b.String()
}
