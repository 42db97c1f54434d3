package options

import (
	"slices"
	"strings"
)

// A Parser knows the options of one tool. Every tool has --help and --version.
type Parser struct {
	options       []*Option
	byName        map[string]*Option
	Help, Version *Option
}

// NewParser returns a parser that knows --help and --version.
func NewParser() *Parser {
	p := &Parser{byName: make(map[string]*Option)}
	p.Help = p.Flag("help", "Print this text.")
	p.Version = p.Flag("version", "Print the version of Kafka whose tools these are.")
	p.Help.forHelp, p.Version.forHelp = true, true
	return p
}

// Flag adds an option without a value.
func (p *Parser) Flag(name, help string) *Option { return p.add(&Option{name: name, help: help}) }

// Value adds an option that needs a value; argument says what the value is.
func (p *Parser) Value(name, argument, help string) *Option {
	return p.add(&Option{name: name, help: help, argument: argument, kind: requiredValue, typeName: "String"})
}

// OptionalValue adds an option whose value may be left out.
func (p *Parser) OptionalValue(name, argument, help string) *Option {
	return p.add(&Option{name: name, help: help, argument: argument, kind: optionalValue, typeName: "String"})
}

func (p *Parser) add(o *Option) *Option {
	p.options = append(p.options, o)
	p.byName[o.name] = o
	return o
}

// Options returns all options, sorted by name.
func (p *Parser) Options() []*Option {
	return slices.SortedFunc(slices.Values(p.options), func(a, b *Option) int { return strings.Compare(a.name, b.name) })
}

// Parse reads a command line. Its errors are *Error.
func (p *Parser) Parse(args []string) (*Set, error) {
	s := &Set{values: make(map[*Option][]string), count: make(map[*Option]int)}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		name, isOption := optionName(arg)
		if arg == "--" {
			s.Extra = append(s.Extra, args...)
			break
		}
		if !isOption {
			s.Extra = append(s.Extra, arg)
			continue
		}
		name, value, _ := strings.Cut(name, "=")
		o := p.byName[name]
		if o == nil {
			return nil, unrecognized(arg, name)
		}
		rest, err := p.take(s, o, value, args)
		if err != nil {
			return nil, err
		}
		args = rest
	}
	return s, p.check(s)
}

// optionName strips the dashes of arg; ok is false for what is no option ("-" is a value).
func optionName(arg string) (name string, ok bool) {
	if name, ok = strings.CutPrefix(arg, "--"); ok {
		return name, true
	}
	name, ok = strings.CutPrefix(arg, "-")
	return name, ok && name != ""
}

// take records o; args are what follows it. A value after '=' that is empty counts as none, as in joptsimple.
func (p *Parser) take(s *Set, o *Option, value string, args []string) (rest []string, err error) {
	s.note(o)
	switch {
	case o.kind == flag:
	case value != "":
		s.add(o, value)
	case o.kind == requiredValue:
		if len(args) == 0 {
			return nil, &Error{Kind: MissingArgument, Message: "Option " + o.name + " requires an argument"}
		}
		s.add(o, args[0])
		args = args[1:]
	case len(args) > 0:
		if _, isOption := optionName(args[0]); !isOption {
			s.add(o, args[0])
			args = args[1:]
		}
	}
	return args, nil
}

func (p *Parser) check(s *Set) error {
	if s.Has(p.Help) || s.Has(p.Version) {
		return nil
	}
	var missing, unavailable []string
	for _, o := range p.options {
		if o.required && !s.Has(o) {
			missing = append(missing, o.name)
		}
		if s.Has(o) && len(o.availableIf) > 0 && !slices.ContainsFunc(o.availableIf, s.Has) {
			unavailable = append(unavailable, o.name)
		}
	}
	switch {
	case missing != nil:
		return &Error{Kind: MissingRequired, Message: "Missing required option(s) [" + strings.Join(missing, ", ") + "]"}
	case unavailable != nil:
		return &Error{Kind: Unavailable, Message: "Option(s) [" + strings.Join(unavailable, ", ") +
			"] are unavailable given other options on the command line"}
	}
	return nil
}
