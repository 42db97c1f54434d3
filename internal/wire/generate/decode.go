package main

import (
	"fmt"

	"github.com/ottla/ottla/internal/wire/schema"
)

// decode prints Decode of a message or decode of a part.
func (p *printer) decode(s *structure, isMessage bool) {
	if isMessage {
		p.line("// Decode reads the message in the given version.")
		p.line("func (m *%s) Decode(r *Reader, version int16) error {", s.name)
		p.line("m.Reset()")
		p.line("if !r.begin(%s) {\nreturn r.err\n}", beginArguments(s.message))
	} else {
		p.line("func (m *%s) decode(r *Reader, version int16) {", s.name)
		p.line("m.Reset()")
	}
	for group := range groups(s, s.untagged()) {
		p.conditional(group.condition, func() {
			for _, f := range group.fields {
				p.read(f)
			}
		})
	}
	p.readTags(s)
	if isMessage {
		p.line("return r.err")
	}
	p.line("}\n")
}

// beginArguments are the facts that Reader.begin and Writer.begin check a version against.
func beginArguments(m *message) string {
	flexible := "neverFlexible"
	if !m.Flexible.Empty() {
		flexible = fmt.Sprint(m.Flexible.Min)
	}
	return fmt.Sprintf("%q, version, %d, %d, %s", m.Name, m.Versions.Min, m.Versions.Max, flexible)
}

// conditional prints body under an if, or bare where the condition always holds.
func (p *printer) conditional(condition string, body func()) {
	if condition != "" {
		p.line("if %s {", condition)
	}
	body()
	if condition != "" {
		p.line("}")
	}
}

// read prints the statement that reads a field.
func (p *printer) read(f *field) {
	nullable := readExpression(f, true)
	plain := readExpression(f, false)
	switch {
	case f.parts != nil && !f.IsArray() && f.null.Empty():
		p.line("m.%s.decode(r, version)", f.name)
	case f.null == f.present:
		p.line("m.%s = %s", f.name, nullable)
	case f.null.Empty():
		p.line("m.%s = %s", f.name, plain)
	default:
		p.line("if %s {", condition(f.null, f.present))
		p.line("m.%s = %s", f.name, nullable)
		p.line("} else {")
		p.line("m.%s = %s", f.name, plain)
		p.line("}")
	}
}

func readExpression(f *field, nullable bool) string {
	prefix := "read"
	if nullable {
		prefix = "readNullable"
	}
	switch {
	case f.IsArray() && f.parts != nil:
		classic, flexible := minElement(f)
		return fmt.Sprintf("%sStructs(r, m.%s, version, %d, %d, %q)", prefix, f.name, classic, flexible, f.Name)
	case f.IsArray():
		classic, flexible := minElement(f)
		return fmt.Sprintf("%sArray(r, m.%s, (*Reader).%s, %d, %d, %q)", prefix, f.name, f.Element(), classic, flexible, f.Name)
	case f.parts != nil && f.tagged():
		return fmt.Sprintf("%sTaggedStruct[%s](r, version, %q)", prefix, f.parts.name, f.Name)
	case f.parts != nil:
		return fmt.Sprintf("%sStruct[%s](r, version, %q)", prefix, f.parts.name, f.Name)
	}
	return fmt.Sprintf("r.%s(%q)", method(f, nullable), f.Name)
}

// method is the name of the reader's and the writer's method for a field that is no struct.
func method(f *field, nullable bool) string {
	switch {
	case f.Classic:
		return "classicNullableString"
	case nullable:
		return "nullable" + goName(f.Type)
	case f.Type == "string" && !f.null.Empty():
		return "requiredString"
	}
	return f.Type
}

// readTags prints the reading of the tag section.
func (p *printer) readTags(s *structure) {
	tagged := s.tagged()
	switch {
	case !s.hasTags():
		return
	case len(tagged) == 0:
		p.line("m.UnknownTags = r.unknownTags(m.UnknownTags)")
		return
	}
	p.line("for t := r.tags(); t.next(); {")
	p.line("switch t.tag {")
	for _, f := range tagged {
		p.line("case %d:", f.Tag)
		// Other versions of the message know the tag: as in Kafka it must not occur in this one.
		if c := condition(f.present, s.present.Intersect(s.message.Flexible)); c != "" {
			p.line("if t.allowed(%s) {", c)
			p.read(f)
			p.line("}")
		} else {
			p.read(f)
		}
	}
	p.line("default:")
	p.line("m.UnknownTags = t.unknown(m.UnknownTags)")
	p.line("}\n}")
}

// condition is a Go condition on version that holds in the versions present, given that it is within
// possible; "" if it always holds.
func condition(present, possible schema.Versions) string {
	low, high := present.Min > possible.Min, present.Max < possible.Max
	switch {
	case low && high && present.Min == present.Max:
		return fmt.Sprintf("version == %d", present.Min)
	case low && high:
		return fmt.Sprintf("version >= %d && version <= %d", present.Min, present.Max)
	case low:
		return fmt.Sprintf("version >= %d", present.Min)
	case high:
		return fmt.Sprintf("version <= %d", present.Max)
	}
	return ""
}
