package schema

import (
	"fmt"
	"strconv"
	"strings"
)

// Parse reads the messages of one text in the notation. Errors name the line.
func Parse(text string) ([]Message, error) {
	p := parser{}
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		if strings.TrimSpace(line) == "" {
			continue
		}
		if err := p.line(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return p.messages, nil
}

type parser struct {
	messages []Message
	// open[d] is where a field at depth d goes; depth 0 is a message's own fields.
	open []*[]Field
}

func (p *parser) line(line string) error {
	words := strings.Fields(line)
	indent := len(line) - len(strings.TrimLeft(line, " "))
	if indent%2 != 0 {
		return fmt.Errorf("indentation of %d spaces, want a multiple of 2", indent)
	}
	if indent == 0 {
		return p.message(words)
	}
	if len(p.messages) == 0 {
		return fmt.Errorf("a field before the first message")
	}
	if indent == 2 && words[0] == "struct" {
		return p.sharedStruct(words)
	}
	depth := indent/2 - 1
	if depth >= len(p.open) {
		return fmt.Errorf("indented deeper than any struct above")
	}
	f, err := parseField(words)
	if err != nil {
		return err
	}
	fields := p.open[depth]
	*fields = append(*fields, f)
	p.open = p.open[:depth+1]
	if last := &(*fields)[len(*fields)-1]; last.IsStruct() {
		p.open = append(p.open, &last.Fields)
	}
	return nil
}

func (p *parser) message(words []string) error {
	m := Message{Kind: Kind(words[0]), Key: NoKey, Versions: None, Flexible: None}
	words = words[1:]
	if len(words) > 0 {
		if key, err := strconv.Atoi(words[0]); err == nil {
			m.Key, words = key, words[1:]
		}
	}
	if len(words) == 0 {
		return fmt.Errorf("a message without a name")
	}
	m.Name, words = words[0], words[1:]
	for len(words) > 0 {
		var err error
		word, value := words[0], ""
		if word != "unstable" {
			if len(words) < 2 {
				return fmt.Errorf("nothing after %q", word)
			}
			value, words = words[1], words[1:]
		}
		words = words[1:]
		switch word {
		case "versions":
			m.Versions, err = ParseVersions(value)
		case "flexible":
			m.Flexible, err = ParseVersions(value)
		case "listeners":
			m.Listeners = strings.Split(value, ",")
		case "unstable":
			m.Unstable = true
		default:
			err = fmt.Errorf("unknown word %q", word)
		}
		if err != nil {
			return err
		}
	}
	p.messages = append(p.messages, m)
	p.open = []*[]Field{&p.messages[len(p.messages)-1].Fields}
	return nil
}

func (p *parser) sharedStruct(words []string) error {
	if len(words) != 3 {
		return fmt.Errorf("want: struct Name versions")
	}
	versions, err := ParseVersions(words[2])
	if err != nil {
		return err
	}
	m := &p.messages[len(p.messages)-1]
	m.Structs = append(m.Structs, Struct{Name: words[1], Versions: versions})
	p.open = []*[]Field{nil, &m.Structs[len(m.Structs)-1].Fields}
	return nil
}

func parseField(words []string) (Field, error) {
	if len(words) < 2 {
		return Field{}, fmt.Errorf("want: Name type and facts")
	}
	f := Field{Name: words[0], Type: words[1], Versions: All, Nullable: None, Tagged: None}
	words = words[2:]
	// versions takes a range if the next word is one, else it leaves v as it is.
	versions := func(v *Versions) {
		if len(words) > 0 {
			if parsed, err := ParseVersions(words[0]); err == nil {
				*v, words = parsed, words[1:]
			}
		}
	}
	versions(&f.Versions)
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		var value string
		switch word {
		case "tag", "default", "entity":
			if len(words) == 0 {
				return f, fmt.Errorf("nothing after %q", word)
			}
			value, words = words[0], words[1:]
		}
		switch word {
		case "null":
			f.Nullable = f.Versions
			versions(&f.Nullable)
		case "tag":
			tag, err := strconv.Atoi(value)
			if err != nil || tag < 0 {
				return f, fmt.Errorf("%q is not a tag", value)
			}
			f.Tag, f.Tagged = tag, f.Versions
			versions(&f.Tagged)
		case "default":
			f.Default = value
		case "key":
			f.Key = true
		case "ignorable":
			f.Ignorable = true
		case "classic":
			f.Classic = true
		case "entity":
			f.Entity = value
		default:
			return f, fmt.Errorf("unknown word %q", word)
		}
	}
	return f, nil
}
