package main

import (
	"cmp"
	"iter"
	"slices"
)

// group is a run of fields that the same versions have, so that they share one if.
type group struct {
	condition string
	fields    []*field
}

// groups cuts fields into runs.
func groups(s *structure, fields []*field) iter.Seq[group] {
	return func(yield func(group) bool) {
		for len(fields) > 0 {
			n := 1
			for n < len(fields) && fields[n].present == fields[0].present {
				n++
			}
			if !yield(group{condition(fields[0].present, s.present), fields[:n]}) {
				return
			}
			fields = fields[n:]
		}
	}
}

// untagged returns the fields of the body, in the order of the wire.
func (s *structure) untagged() []*field {
	return slices.DeleteFunc(slices.Clone(s.fields), (*field).tagged)
}

// tagged returns the fields of the tag section, in the order of their tags.
func (s *structure) tagged() []*field {
	tagged := slices.DeleteFunc(slices.Clone(s.fields), func(f *field) bool { return !f.tagged() })
	slices.SortFunc(tagged, func(a, b *field) int { return cmp.Compare(a.Tag, b.Tag) })
	return tagged
}
