package main

import "github.com/ottla/ottla/internal/wire/schema"

// fixedSizes are the encoded sizes of the types that have one.
var fixedSizes = map[string]int{
	"bool": 1, "int8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "int64": 8, "float64": 8, "uuid": 16,
}

// minElement returns the least number of bytes that an element of the array takes in classic and in
// flexible versions: what bounds the count that a reader believes.
func minElement(f *field) (classic, flexible int) {
	if f.parts == nil {
		return minSize(f, false), minSize(f, true)
	}
	return minStruct(f.parts, f.present, false), minStruct(f.parts, f.present, true)
}

// minSize is the least size of a field's element.
func minSize(f *field, flexible bool) int {
	element := f.Element()
	switch size := fixedSizes[element]; {
	case size > 0:
		return size
	case flexible && !f.Classic:
		return 1
	case element == "string":
		return 2
	}
	return 4
}

// minStruct is the least size of a struct in the versions given that are flexible or not; 1 if there
// are none, since an element of no size would leave the count unbounded.
func minStruct(s *structure, versions schema.Versions, flexible bool) int {
	least := 0
	for v := versions.Min; v <= versions.Max; v++ {
		if s.message.Flexible.Contains(schema.Versions{Min: v, Max: v}) != flexible {
			continue
		}
		if size := structSize(s, v, flexible); least == 0 || size < least {
			least = size
		}
	}
	return max(least, 1)
}

func structSize(s *structure, v int, flexible bool) int {
	size := 0
	if flexible {
		size = 1 // the count of tags
	}
	at := schema.Versions{Min: v, Max: v}
	for _, f := range s.fields {
		switch {
		case f.tagged() || !f.present.Contains(at):
		case f.IsArray() && flexible:
			size++
		case f.IsArray():
			size += 4
		case f.parts != nil && !f.null.Empty():
			size++
		case f.parts != nil:
			size += structSize(f.parts, v, flexible)
		default:
			size += minSize(f, flexible)
		}
	}
	return size
}
