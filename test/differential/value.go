package differential

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
)

// fill reads a value in the notation of scenarios ({Field: value, ...}, [value, ...], words, "quoted words", null) into dst.
// Structs begin with Kafka's defaults, so a request names only what it sets. @name stands for the bytes of a batch.
func fill(dst any, text string, batches map[string][]byte) error {
	p := &valueParser{text: text, batches: batches}
	if err := p.value(reflect.ValueOf(dst).Elem()); err != nil {
		return fmt.Errorf("%w at %q", err, p.text[min(p.pos, len(p.text)):])
	}
	if p.space(); p.pos < len(p.text) {
		return fmt.Errorf("more text after the value: %q", p.text[p.pos:])
	}
	return nil
}

type valueParser struct {
	text    string
	pos     int
	batches map[string][]byte
}

type resetter interface{ Reset() }

var uuidType = reflect.TypeFor[kafka.UUID]()

func (p *valueParser) value(v reflect.Value) error {
	p.space()
	switch {
	case v.Type() == uuidType:
		return p.uuid(v)
	case v.Kind() == reflect.Pointer:
		if p.word("null") {
			v.SetZero()
			return nil
		}
		v.Set(reflect.New(v.Type().Elem()))
		return p.value(v.Elem())
	case v.Kind() == reflect.Struct:
		return p.structure(v)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		return p.slice(v)
	}
	if p.word("null") {
		if v.Kind() != reflect.Slice {
			return fmt.Errorf("a %s cannot be null", v.Type())
		}
		v.SetZero()
		return nil
	}
	atom, err := p.atom()
	if err != nil {
		return err
	}
	return p.set(v, atom)
}

func (p *valueParser) set(v reflect.Value, atom string) error {
	switch v.Kind() {
	case reflect.String:
		v.SetString(atom)
	case reflect.Bool:
		b, err := strconv.ParseBool(atom)
		if err != nil {
			return err
		}
		v.SetBool(b)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(atom, 0, v.Type().Bits())
		if err != nil {
			return err
		}
		v.SetInt(n)
	case reflect.Uint16, reflect.Uint32:
		n, err := strconv.ParseUint(atom, 0, v.Type().Bits())
		if err != nil {
			return err
		}
		v.SetUint(n)
	case reflect.Slice:
		bytes, err := p.bytes(atom)
		if err != nil {
			return err
		}
		v.SetBytes(bytes)
	default:
		return fmt.Errorf("no notation for %s", v.Type())
	}
	return nil
}

func (p *valueParser) bytes(atom string) ([]byte, error) {
	if !strings.HasPrefix(atom, "@") {
		return []byte(atom), nil
	}
	out := []byte{}
	for name := range strings.SplitSeq(atom, "+") {
		batch, ok := p.batches[strings.TrimPrefix(name, "@")]
		if !ok {
			return nil, fmt.Errorf("no batch %s", name)
		}
		out = append(out, batch...)
	}
	return out, nil
}

func (p *valueParser) uuid(v reflect.Value) error {
	atom, err := p.atom()
	if err != nil {
		return err
	}
	id, err := kafka.ParseUUID(atom)
	if err != nil {
		return err
	}
	v.Set(reflect.ValueOf(id))
	return nil
}

func (p *valueParser) structure(v reflect.Value) error {
	v.Addr().Interface().(resetter).Reset()
	if err := p.expect('{'); err != nil {
		return err
	}
	for !p.take('}') {
		name, err := p.atom()
		if err != nil {
			return err
		}
		field := v.FieldByNameFunc(func(n string) bool { return strings.EqualFold(n, name) })
		if !field.IsValid() {
			return fmt.Errorf("%s has no field %s", v.Type(), name)
		}
		if err := p.expect(':'); err != nil {
			return err
		}
		if err := p.value(field); err != nil {
			return err
		}
		p.take(',')
	}
	return nil
}

func (p *valueParser) slice(v reflect.Value) error {
	if p.word("null") {
		v.SetZero()
		return nil
	}
	if err := p.expect('['); err != nil {
		return err
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, 4))
	for !p.take(']') {
		element := reflect.New(v.Type().Elem()).Elem()
		if err := p.value(element); err != nil {
			return err
		}
		v.Set(reflect.Append(v, element))
		p.take(',')
	}
	return nil
}

const delimiters = "{}[],: \t\n\""

// atom reads a word or a quoted string.
func (p *valueParser) atom() (string, error) {
	p.space()
	if p.pos < len(p.text) && p.text[p.pos] == '"' {
		quoted, err := strconv.QuotedPrefix(p.text[p.pos:])
		if err != nil {
			return "", err
		}
		p.pos += len(quoted)
		return strconv.Unquote(quoted)
	}
	rest := p.text[p.pos:]
	n := strings.IndexAny(rest, delimiters)
	if n < 0 {
		n = len(rest)
	}
	if n == 0 {
		return "", fmt.Errorf("a value is missing")
	}
	p.pos += n
	return rest[:n], nil
}

// word skips w if it comes next as a whole word.
func (p *valueParser) word(w string) bool {
	p.space()
	rest := p.text[p.pos:]
	if !strings.HasPrefix(rest, w) || (len(rest) > len(w) && !strings.ContainsRune(delimiters, rune(rest[len(w)]))) {
		return false
	}
	p.pos += len(w)
	return true
}

func (p *valueParser) space() {
	for p.pos < len(p.text) && strings.IndexByte(" \t\n", p.text[p.pos]) >= 0 {
		p.pos++
	}
}

func (p *valueParser) take(c byte) bool {
	p.space()
	if p.pos < len(p.text) && p.text[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

func (p *valueParser) expect(c byte) error {
	if !p.take(c) {
		return fmt.Errorf("%q is missing", c)
	}
	return nil
}
