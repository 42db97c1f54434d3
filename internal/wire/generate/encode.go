package main

import (
	"fmt"
	"strings"
)

// encode prints Encode of a message or encode of a part.
func (p *printer) encode(s *structure, isMessage bool) {
	if isMessage {
		p.line("// Encode appends the message in the given version.")
		p.line("func (m *%s) Encode(w *Writer, version int16) {", s.name)
		p.line("if !w.begin(%s) {\nreturn\n}", beginArguments(s.message))
	} else {
		p.line("func (m *%s) encode(w *Writer, version int16) {", s.name)
	}
	for group := range groups(s, s.untagged()) {
		p.conditional(group.condition, func() {
			for _, f := range group.fields {
				p.write(f)
			}
			if group.condition != "" {
				p.omitted(group.fields)
			}
		})
	}
	p.writeTags(s)
	p.line("}\n")
}

// omitted prints the else branch in which a version lacks fields that must not get lost.
func (p *printer) omitted(fields []*field) {
	first := true
	for _, f := range fields {
		if f.Ignorable {
			continue
		}
		if first {
			p.line("} else {")
			first = false
		}
		p.line("w.omitted(%s, %q)", differs(f), f.Name)
	}
}

// write prints the statement that writes a field.
func (p *printer) write(f *field) {
	nullable := writeStatement(f, true)
	plain := writeStatement(f, false)
	switch {
	case f.parts != nil && !f.IsArray() && f.null.Empty():
		p.line("m.%s.encode(w, version)", f.name)
	case f.null == f.present:
		p.line("%s", nullable)
	case f.null.Empty():
		p.line("%s", plain)
	default:
		p.line("if %s {\n%s\n} else {\n%s\n}", condition(f.null, f.present), nullable, plain)
	}
}

func writeStatement(f *field, nullable bool) string {
	prefix := "write"
	if nullable {
		prefix = "writeNullable"
	}
	switch {
	case f.IsArray() && f.parts != nil:
		return fmt.Sprintf("%sStructs(w, m.%s, version)", prefix, f.name)
	case f.IsArray():
		return fmt.Sprintf("%sArray(w, m.%s, (*Writer).%s)", prefix, f.name, f.Element())
	case f.parts != nil && f.tagged():
		return fmt.Sprintf("%sTaggedStruct(w, m.%s, version)", prefix, f.name)
	case f.parts != nil:
		return fmt.Sprintf("%sStruct(w, m.%s, version)", prefix, f.name)
	}
	if name := method(f, nullable); name == "requiredString" {
		return fmt.Sprintf("w.requiredString(m.%s, %q)", f.name, f.Name)
	}
	return fmt.Sprintf("w.%s(m.%s)", method(f, nullable), f.name)
}

// writeTags prints the writing of the tag section: fields that differ from their default, and the
// unknown tags between them.
func (p *printer) writeTags(s *structure) {
	tagged := s.tagged()
	switch {
	case !s.hasTags():
		return
	case len(tagged) == 0:
		p.line("w.unknownTags(m.UnknownTags)")
		return
	}
	p.line("t := w.tags(m.UnknownTags)")
	for _, f := range tagged {
		in := condition(f.present, s.present)
		if in != "" && f.Ignorable {
			p.tagged(f, in+" && "+operand(differs(f)))
			continue
		}
		p.conditional(in, func() {
			p.tagged(f, differs(f))
			if in != "" {
				p.omitted([]*field{f})
			}
		})
	}
	p.line("t.end()")
}

func (p *printer) tagged(f *field, condition string) {
	p.line("if %s {", condition)
	p.line("t.field(%d)", f.Tag)
	p.write(f)
	p.line("}")
}

// operand puts a condition in parentheses if && would tear it apart.
func operand(condition string) string {
	if strings.Contains(condition, "||") {
		return "(" + condition + ")"
	}
	return condition
}
