package recordjson

import (
	"math"
	"strconv"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire/schema"
)

// A Struct is a decoded message or a part of one.
type Struct struct {
	fields []schema.Field
	// values are those of the fields: nil for null, else bool, int64 (all integers), float64, string, []byte, kafka.UUID, []any, *Struct, or
	// JSON that somebody put there.
	values  []any
	message *Message
}

// JSON is a value that is printed as it is.
type JSON string

// Decode reads the message in a version. Bytes that are left stay in b. A version that does not exist is read as the nearest one
// that does, as Kafka's readers do, which only ask whether a version is below or above those at which a field came or went.
func (m *Message) Decode(b *Buffer, version int16) (*Struct, error) {
	v := m.nearest(version)
	d := decoder{Buffer: b, message: m, version: v, flexible: m.Flexible.Contains(v)}
	s := d.fields(m.Fields)
	return s, b.err
}

// nearest is a version as a range of the one version of the message that it is taken for.
func (m *Message) nearest(version int16) schema.Versions {
	v := min(max(int(version), m.Versions.Min), m.Versions.Max)
	return schema.Versions{Min: v, Max: v}
}

// decoder reads one message in one version.
type decoder struct {
	*Buffer
	message  *Message
	version  schema.Versions
	flexible bool
}

func (d *decoder) fields(fields []schema.Field) *Struct {
	s := &Struct{fields: fields, values: make([]any, len(fields)), message: d.message}
	for i := range fields {
		f := &fields[i]
		if d.err == nil && f.Versions.Contains(d.version) && !f.Tagged.Contains(d.version) {
			s.values[i] = d.value(f, false)
		} else {
			s.values[i] = d.message.initial(f)
		}
	}
	if d.flexible && d.err == nil {
		d.tags(s)
	}
	return s
}

func (d *decoder) tags(s *Struct) {
	for n := d.Uvarint(); n > 0 && d.err == nil; n-- {
		tag, size := d.Uvarint(), d.Uvarint()
		known := false
		for i := range s.fields {
			f := &s.fields[i]
			if f.Tagged.Empty() || f.Tag != int(tag) {
				continue
			}
			if known = true; !f.Versions.Contains(d.version) {
				d.fail(failure("Tag %d is not valid for version %d", tag, d.version.Min))
				return
			}
			s.values[i] = d.value(f, true)
		}
		if !known {
			d.take(int(size))
		}
	}
}

func (d *decoder) value(f *schema.Field, tagged bool) any {
	nullable := f.Nullable.Contains(d.version)
	if f.IsStruct() && !f.IsArray() {
		if nullable && (tagged && d.Uvarint() <= 0 || !tagged && int8(d.number(1)) < 0) {
			return nil
		}
		return d.fields(d.message.structs[f.Type])
	}
	if !f.IsArray() {
		return d.element(f.Type, jsonName(f), nullable)
	}
	n := d.length(4)
	switch {
	case d.err != nil || n < 0 && nullable:
		return nil
	case n < 0:
		d.fail(failure("non-nullable field %s was serialized as null", jsonName(f)))
		return nil
	case n > d.Len():
		d.fail(failure("Tried to allocate a collection of size %d, but there are only %d bytes remaining.", n, d.Len()))
		return nil
	}
	values := make([]any, 0, n)
	for range n {
		if d.err != nil {
			break
		}
		if f.IsStruct() {
			values = append(values, d.fields(d.message.structs[f.Element()]))
		} else {
			values = append(values, d.element(f.Element(), jsonName(f)+" element", false))
		}
	}
	return values
}

// length takes a length: of size bytes, or a varint that is one more in flexible versions.
func (d *decoder) length(size int) int {
	switch {
	case d.flexible:
		return int(d.Uvarint() - 1)
	case size == 2:
		return int(int16(d.number(2)))
	}
	return int(int32(d.number(4)))
}

// element takes a value that is neither a struct nor an array.
func (d *decoder) element(typ, name string, nullable bool) any {
	switch typ {
	case "bool":
		return d.number(1) != 0
	case "int8":
		return int64(int8(d.number(1)))
	case "int16":
		return int64(int16(d.number(2)))
	case "uint16":
		return int64(d.number(2))
	case "int32":
		return int64(int32(d.number(4)))
	case "uint32":
		return int64(d.number(4))
	case "int64":
		return int64(d.number(8))
	case "float64":
		return math.Float64frombits(d.number(8))
	case "uuid":
		var id kafka.UUID
		if b := [2]uint64{d.number(8), d.number(8)}; d.err == nil {
			for i := range id {
				id[i] = byte(b[i/8] >> (56 - 8*(i%8)))
			}
		}
		return id
	case "string":
		b := d.sized(2, name, nullable)
		if b == nil {
			return nil
		}
		return Text(b)
	}
	if b := d.sized(4, name, nullable); b != nil {
		return b
	}
	return nil
}

// sized takes bytes with their length; nil for null.
func (d *decoder) sized(size int, name string, nullable bool) []byte {
	n := d.length(size)
	switch {
	case d.err != nil || n < 0 && nullable:
		return nil
	case n < 0:
		d.fail(failure("non-nullable field %s was serialized as null", name))
		return nil
	case size == 2 && n > math.MaxInt16:
		d.fail(failure("string field %s had invalid length %d", name, n))
		return nil
	case n == 0:
		return []byte{}
	}
	return d.take(n)
}

// initial is the value of a field that a version lacks, or that was not in the tag section.
func (m *Message) initial(f *schema.Field) any {
	switch {
	case f.Default == "null":
		return nil
	case f.IsArray():
		return []any{}
	case f.IsStruct():
		fields := m.structs[f.Type]
		s := &Struct{fields: fields, values: make([]any, len(fields)), message: m}
		for i := range fields {
			s.values[i] = m.initial(&fields[i])
		}
		return s
	}
	switch f.Type {
	case "bool":
		return f.Default == "true"
	case "float64":
		n, _ := strconv.ParseFloat(f.Default, 64)
		return n
	case "uuid":
		return kafka.UUID{}
	case "string":
		return f.Default
	case "bytes", "records":
		return []byte{}
	}
	n, _ := strconv.ParseInt(f.Default, 0, 64)
	return n
}
