package argparse

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Kind is the Java type that an argument's value has.
type Kind int

// The kinds of values.
const (
	Text Kind = iota
	Short
	Integer
	Long
	// Flag has no value: it is there or not.
	Flag
)

// Argument is an option, with a value unless it is a Flag.
type Argument struct {
	Name     string // --topic
	Short    string // -t, if it has such a name too
	Metavar  string // what stands for the value in usages; the name in capitals if empty
	Help     string
	Kind     Kind
	Required bool
	// Repeated: it may be given several times, and has all the values.
	Repeated bool
	// Choice is a name that arguments share which exclude one another. If they are required, one of them is.
	Choice string
}

// Command is one command of a tool.
type Command struct {
	Name, Help string
	Arguments  []Argument
}

// Parser knows the command line of a tool.
type Parser struct {
	Program, Description string // kafka-transactions.sh
	Arguments            []Argument
	Commands             []Command
}

// Parsed is a command line that makes sense.
type Parsed struct {
	Command string
	values  map[string][]string
}

// Has reports whether an argument was given.
func (p *Parsed) Has(name string) bool { _, ok := p.values[name]; return ok }

// Text is an argument's value, "" without it.
func (p *Parsed) Text(name string) string {
	if all := p.values[name]; len(all) > 0 {
		return all[len(all)-1]
	}
	return ""
}

// Texts are the values of a repeated argument, in their order.
func (p *Parsed) Texts(name string) []string { return p.values[name] }

// Number is an argument's value, otherwise if it was not given. It must be of a kind that is a number.
func (p *Parsed) Number(name string, otherwise int64) int64 {
	if !p.Has(name) {
		return otherwise
	}
	n, _ := strconv.ParseInt(p.Text(name), 10, 64) // Parse has looked
	return n
}

// Usage is an error that ends a tool with its usage and a message on stderr, and exit code 1.
type Usage struct{ Usage, Message string }

func (e *Usage) Error() string { return e.Message }

// Help ends a tool with a text on stdout.
type Help struct{ Text string }

func (e *Help) Error() string { return "help was asked for" }

// ErrVersion is the outcome of --version.
var ErrVersion = errors.New("the version was asked for")

// Parse reads a command line. Its errors are *Usage, *Help and ErrVersion.
func (p *Parser) Parse(args []string) (*Parsed, error) {
	parsed := &Parsed{values: map[string][]string{}}
	rest, err := p.options(parsed, nil, args)
	if err != nil {
		return nil, err
	}
	if len(rest) == 0 {
		return nil, p.refuse(nil, "too few arguments")
	}
	command, err := p.command(rest[0])
	if err != nil {
		return nil, err
	}
	parsed.Command = command.Name
	if rest, err = p.options(parsed, command, rest[1:]); err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		return nil, p.refuse(command, "unrecognized arguments: '%s'", rest[0])
	}
	for _, level := range []*Command{command, nil} {
		if err := p.required(parsed, level); err != nil {
			return nil, err
		}
	}
	return parsed, nil
}

// required refuses a command line that leaves something out.
func (p *Parser) required(parsed *Parsed, level *Command) error {
	for _, a := range p.arguments(level) {
		if !a.Required || parsed.Has(a.Name) {
			continue
		}
		if a.Choice == "" {
			return p.refuse(level, "argument %s is required", a.names())
		}
		var names []string
		given := false
		for _, other := range p.arguments(level) {
			if other.Choice == a.Choice {
				names = append(names, other.names())
				given = given || parsed.Has(other.Name)
			}
		}
		if !given {
			return p.refuse(level, "one of the arguments %s is required", strings.Join(names, " "))
		}
	}
	return nil
}

// alternative returns the argument of the same choice that was given before.
func (p *Parser) alternative(parsed *Parsed, level *Command, a *Argument) *Argument {
	if a.Choice == "" {
		return nil
	}
	for i, other := range p.arguments(level) {
		if other.Choice == a.Choice && other.Name != a.Name && parsed.Has(other.Name) {
			return &p.arguments(level)[i]
		}
	}
	return nil
}

// arguments are those of a command, or of the tool.
func (p *Parser) arguments(command *Command) []Argument {
	if command == nil {
		return p.Arguments
	}
	return command.Arguments
}

// options reads options up to the first word that is none, and returns the words from there on.
func (p *Parser) options(parsed *Parsed, command *Command, args []string) (rest []string, err error) {
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		name, value, inOne := strings.Cut(args[0], "=")
		args = args[1:]
		switch {
		case name == "-h" || name == "--help":
			return nil, &Help{p.help(command)}
		case (name == "-v" || name == "--version") && command == nil:
			return nil, ErrVersion
		}
		argument := find(p.arguments(command), name)
		if argument == nil {
			return nil, p.refuse(command, "unrecognized arguments: '%s'", name)
		}
		names := argument.names()
		if other := p.alternative(parsed, command, argument); other != nil {
			return nil, p.refuse(command, "argument %s: not allowed with argument %s", names, other.names())
		}
		if argument.Kind == Flag {
			if inOne {
				return nil, p.refuse(command, "argument %s: ignored explicit argument '%s'", names, value)
			}
			parsed.values[argument.Name] = []string{""}
			continue
		}
		if !inOne {
			// A negative number is a value.
			if len(args) == 0 || strings.HasPrefix(args[0], "-") && !isNumber(args[0]) {
				return nil, p.refuse(command, "argument %s: expected one argument", names)
			}
			value, args = args[0], args[1:]
		}
		if err := argument.check(value); err != nil {
			return nil, p.refuse(command, "argument %s: %s", names, err)
		}
		if !argument.Repeated {
			parsed.values[argument.Name] = nil
		}
		parsed.values[argument.Name] = append(parsed.values[argument.Name], value)
	}
	return args, nil
}

func isNumber(text string) bool {
	_, err := strconv.ParseFloat(text, 64)
	return err == nil
}

func find(arguments []Argument, name string) *Argument {
	for i := range arguments {
		if arguments[i].Name == name || arguments[i].Short == name {
			return &arguments[i]
		}
	}
	return nil
}

// names are both names, as messages have them.
func (a *Argument) names() string {
	if a.Short == "" {
		return a.Name
	}
	return a.Name + "/" + a.Short
}

func (a *Argument) check(value string) error {
	name, least, most := "", int64(math.MinInt64), int64(math.MaxInt64)
	switch a.Kind {
	case Text:
		return nil
	case Short:
		name, least, most = "Short", math.MinInt16, math.MaxInt16
	case Integer:
		name, least, most = "Integer", math.MinInt32, math.MaxInt32
	case Long:
		name = "Long"
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < least || n > most {
		return fmt.Errorf("could not convert '%s' to %s (For input string: \"%s\")", value, name, value)
	}
	return nil
}

func (p *Parser) command(name string) (*Command, error) {
	var names []string
	for i := range p.Commands {
		if p.Commands[i].Name == name {
			return &p.Commands[i], nil
		}
		names = append(names, "'"+p.Commands[i].Name+"'")
	}
	return nil, p.refuse(nil, "invalid choice: '%s' (choose from %s)", name, strings.Join(names, ", "))
}

func (p *Parser) refuse(command *Command, format string, args ...any) error {
	return &Usage{p.usage(command), p.Program + ": error: " + fmt.Sprintf(format, args...)}
}
