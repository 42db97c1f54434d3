package main

import (
	"fmt"

	"github.com/ottla/ottla/internal/wire/schema"
)

// message prints a message with its structs and methods.
func (p *printer) message(m *message) {
	for i, s := range m.structs {
		p.declare(s, i == 0)
		p.reset(s)
		p.decode(s, i == 0)
		p.encode(s, i == 0)
		if s.compared {
			p.isSet(s)
		}
	}
}

// declare prints the type. Each field has its facts in the notation behind it.
func (p *printer) declare(s *structure, isMessage bool) {
	if isMessage {
		p.line("// %s is %s, versions %s, flexible %s.", s.name, title(s.message.Message), s.present, s.message.Flexible)
	} else {
		p.line("// %s is a part of %s.", s.name, s.message.Name)
	}
	p.line("type %s struct {", s.name)
	for _, f := range s.fields {
		comment := ""
		if facts := f.Facts(); facts != "" {
			comment = " // " + facts
		}
		p.line("%s %s%s", f.name, goType(f), comment)
	}
	if s.hasTags() {
		p.line("UnknownTags []Tag")
	}
	p.line("}\n")
	if isMessage {
		p.line("// Key returns %s.", keyMeaning(s.message.Message))
		p.line("func (*%s) Key() int16 { return %d }\n", s.name, s.message.Key)
	}
}

func title(m *schema.Message) string {
	what := map[schema.Kind]string{
		schema.Request:          "the request of API",
		schema.Response:         "the response of API",
		schema.Header:           "a header",
		schema.Data:             "data",
		schema.Metadata:         "record type",
		schema.CoordinatorKey:   "the key of record type",
		schema.CoordinatorValue: "the value of record type",
	}[m.Kind]
	if m.Key == schema.NoKey {
		return what
	}
	return fmt.Sprintf("%s %d", what, m.Key)
}

func keyMeaning(m *schema.Message) string {
	switch {
	case m.Key == schema.NoKey:
		return "-1: the message has no key"
	case m.Kind == schema.Request || m.Kind == schema.Response:
		return "the API key"
	}
	return "the record type"
}

// hasTags reports whether the struct carries unknown tags in some version.
func (s *structure) hasTags() bool { return !s.present.Intersect(s.message.Flexible).Empty() }

func goType(f *field) string {
	element := f.Element()
	switch element {
	case "bytes", "records":
		element = "[]byte"
	case "uuid":
		element = "kafka.UUID"
	}
	if f.parts != nil {
		element = f.parts.name
	}
	switch {
	case f.IsArray():
		return "[]" + element
	case !f.null.Empty() && (f.Type == "string" || f.parts != nil):
		return "*" + element
	}
	return element
}
