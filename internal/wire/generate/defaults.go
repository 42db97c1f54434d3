package main

import (
	"fmt"
	"strings"
)

// reset prints Reset. Slices keep their capacity, so that a message can be decoded again and again
// without allocating; those whose default is null lose it.
func (p *printer) reset(s *structure) {
	p.line("// Reset sets Kafka's defaults; slices keep their capacity.")
	p.line("func (m *%s) Reset() {", s.name)
	p.line("*m = %s{", s.name)
	for _, f := range s.fields {
		if value := resetValue(f); value != "" {
			p.line("%s: %s,", f.name, value)
		}
	}
	if s.hasTags() {
		p.line("UnknownTags: m.UnknownTags[:0],")
	}
	p.line("}")
	for _, f := range s.fields {
		switch {
		case f.parts == nil || f.IsArray() || defaultsToNull(f):
		case f.null.Empty():
			p.line("m.%s.Reset()", f.name)
		default:
			p.line("m.%s = new(%s)", f.name, f.parts.name)
			p.line("m.%s.Reset()", f.name)
		}
	}
	p.line("}\n")
}

// resetValue is the default as a Go expression, "" for the zero value.
func resetValue(f *field) string {
	switch {
	case f.IsArray() && f.null.Empty():
		return fmt.Sprintf("m.%s[:0]", f.name)
	case f.IsArray() && !defaultsToNull(f):
		return goType(f) + "{}"
	case f.parts != nil || f.Default == "null":
		return ""
	}
	return f.Default
}

// defaultsToNull reports whether a field is nil after Reset. Where the schema gives a nullable field
// no default, Kafka has the empty value; here that holds for tagged fields only, where it decides
// what is sent, and the others are null, the zero value of Go.
func defaultsToNull(f *field) bool {
	return !f.null.Empty() && (f.Default == "null" || !f.tagged())
}

// isSet prints the comparison with the defaults.
func (p *printer) isSet(s *structure) {
	var conditions []string
	for _, f := range s.fields {
		conditions = append(conditions, differs(f))
	}
	if s.hasTags() {
		conditions = append(conditions, "len(m.UnknownTags) > 0")
	}
	p.line("// isSet reports whether a field differs from its default.")
	p.line("func (m *%s) isSet() bool {", s.name)
	p.line("return %s", strings.Join(conditions, " || "))
	p.line("}\n")
}

// differs is a Go condition: the field is not its default.
func differs(f *field) string {
	x := "m." + f.name
	nullable := !f.null.Empty()
	switch {
	case f.IsArray() || f.Type == "bytes" || f.Type == "records":
		switch {
		case f.tagged() && defaultsToNull(f):
			return x + " != nil"
		case f.tagged() && nullable:
			return fmt.Sprintf("%s == nil || len(%s) > 0", x, x)
		}
		return fmt.Sprintf("len(%s) > 0", x)
	case f.parts != nil && defaultsToNull(f):
		return x + " != nil"
	case f.parts != nil && nullable:
		return fmt.Sprintf("%s == nil || %s.isSet()", x, x)
	case f.parts != nil:
		return x + ".isSet()"
	case f.Type == "string" && nullable:
		return x + " != nil"
	case f.Type == "string":
		return fmt.Sprintf("%s != %q", x, f.Default)
	case f.Type == "bool" && f.Default == "true":
		return "!" + x
	case f.Type == "bool":
		return x
	case f.Type == "uuid":
		return "!" + x + ".IsZero()"
	case f.Default == "":
		return x + " != 0"
	}
	return x + " != " + f.Default
}
