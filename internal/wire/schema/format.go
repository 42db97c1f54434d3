package schema

import (
	"fmt"
	"strconv"
	"strings"
)

// Format writes messages in the notation, one blank line between them. Parse reads it back.
func Format(messages []Message) string {
	var b strings.Builder
	for i, m := range messages {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(messageLine(&m))
		formatFields(&b, "  ", m.Fields)
		for _, s := range m.Structs {
			fmt.Fprintf(&b, "  struct %s %s\n", s.Name, s.Versions)
			formatFields(&b, "    ", s.Fields)
		}
	}
	return b.String()
}

func messageLine(m *Message) string {
	words := []string{string(m.Kind)}
	if m.Key != NoKey {
		words = append(words, strconv.Itoa(m.Key))
	}
	words = append(words, m.Name, "versions", m.Versions.String())
	if !m.Versions.Empty() {
		words = append(words, "flexible", m.Flexible.String())
	}
	if len(m.Listeners) > 0 {
		words = append(words, "listeners", strings.Join(m.Listeners, ","))
	}
	if m.Unstable {
		words = append(words, "unstable")
	}
	return strings.Join(words, " ") + "\n"
}

// formatFields writes names and types in columns, so that a struct reads like a table.
func formatFields(b *strings.Builder, indent string, fields []Field) {
	var name, typ int
	for _, f := range fields {
		name, typ = max(name, len(f.Name)), max(typ, len(f.Type))
	}
	for _, f := range fields {
		line := fmt.Sprintf("%s%-*s %-*s %s", indent, name, f.Name, typ, f.Type, f.Facts())
		b.WriteString(strings.TrimRight(line, " ") + "\n")
		formatFields(b, indent+"  ", f.Fields)
	}
}

// Facts is what follows name and type in the notation. It leaves out what the notation implies:
// versions 0+, and ranges equal to the field's own.
func (f *Field) Facts() string {
	var words []string
	if f.Versions != All {
		words = append(words, f.Versions.String())
	}
	ranged := func(v Versions, word ...string) {
		words = append(words, word...)
		if v != f.Versions {
			words = append(words, v.String())
		}
	}
	if !f.Nullable.Empty() {
		ranged(f.Nullable, "null")
	}
	if !f.Tagged.Empty() {
		ranged(f.Tagged, "tag", strconv.Itoa(f.Tag))
	}
	if f.Default != "" {
		words = append(words, "default", f.Default)
	}
	if f.Key {
		words = append(words, "key")
	}
	if f.Ignorable {
		words = append(words, "ignorable")
	}
	if f.Classic {
		words = append(words, "classic")
	}
	if f.Entity != "" {
		words = append(words, "entity", f.Entity)
	}
	return strings.Join(words, " ")
}
