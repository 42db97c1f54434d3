package argparse

import (
	"fmt"
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

// usage is one line that says how to call the tool, or a command of it.
func (p *Parser) usage(command *Command) string {
	words := []string{"usage: " + p.Program}
	if command == nil {
		words = append(words, "[-h] [-v]")
		for _, a := range p.Arguments {
			words = append(words, a.usage())
		}
		return strings.Join(append(words, "COMMAND ..."), " ")
	}
	for _, a := range p.Arguments {
		if a.Required {
			words = append(words, a.usage())
		}
	}
	words = append(words, command.Name, "[-h]")
	for _, a := range command.Arguments {
		words = append(words, a.usage())
	}
	return strings.Join(words, " ")
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
