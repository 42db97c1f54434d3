package main

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/ottla/ottla/internal/wire/schema"
)

// message is a schema with its structs resolved and named for Go.
type message struct {
	*schema.Message
	file    string
	structs []*structure // the message itself, then its structs in order of appearance
}

// structure is a Go struct: a message or a part of one.
type structure struct {
	message *message
	name    string          // in Go
	present schema.Versions // versions of the message in which it can occur
	fields  []*field
	// compared: a field of this type is written, or missed, only if it is set; so it needs isSet.
	compared bool
}

// field is a field that at least one valid version has.
type field struct {
	schema.Field
	name    string          // in Go
	present schema.Versions // within those of its struct
	null    schema.Versions // within present
	parts   *structure      // of a struct or an array of structs
}

func (f *field) tagged() bool { return !f.Tagged.Empty() }

// resolve returns nil for a message without versions.
func resolve(m *schema.Message, file string) (*message, error) {
	if m.Versions.Empty() {
		return nil, nil
	}
	r := resolver{message: &message{Message: m, file: file}, known: map[string]*structure{}}
	root := &structure{message: r.message, name: m.Name, present: m.Versions}
	r.message.structs = append(r.message.structs, root)
	return r.message, r.fields(root, m.Fields)
}

type resolver struct {
	message *message
	known   map[string]*structure // by Kafka's name
}

func (r *resolver) fields(s *structure, in []schema.Field) error {
	for _, sf := range in {
		f := &field{Field: sf, name: cmp.Or(renamed[s.name+"."+sf.Name], goName(sf.Name)), present: s.present.Intersect(sf.Versions)}
		if f.present.Empty() {
			continue
		}
		f.null = f.present.Intersect(f.Nullable)
		if err := r.check(s, f); err != nil {
			return fmt.Errorf("%s.%s: %w", s.name, sf.Name, err)
		}
		if f.IsStruct() {
			if err := r.parts(s, f); err != nil {
				return fmt.Errorf("%s.%s: %w", s.name, sf.Name, err)
			}
		}
		s.fields = append(s.fields, f)
	}
	for i, f := range s.tagged() {
		if f.Tag != i {
			return fmt.Errorf("%s.%s: tag %d, but the runtime wants tags without gaps", s.name, f.Name, f.Tag)
		}
	}
	return nil
}

// parts finds or makes the struct behind a field.
func (r *resolver) parts(s *structure, f *field) error {
	kafkaName := f.Element()
	if known := r.known[kafkaName]; known != nil {
		if len(f.Fields) > 0 {
			return fmt.Errorf("struct %s is declared twice", kafkaName)
		}
		f.parts = known
	} else {
		f.parts = &structure{message: r.message, name: structName(r.message.Name, kafkaName), present: f.present}
		fields := f.Fields
		for _, shared := range r.message.Structs {
			if shared.Name == kafkaName {
				f.parts.present = r.message.Versions.Intersect(shared.Versions)
				fields = shared.Fields
			}
		}
		if len(fields) == 0 {
			return fmt.Errorf("struct %s has no fields", kafkaName)
		}
		r.known[kafkaName] = f.parts
		r.message.structs = append(r.message.structs, f.parts)
		if err := r.fields(f.parts, fields); err != nil {
			return err
		}
	}
	if f.tagged() || f.present != s.present && !f.Ignorable {
		f.parts.compare()
	}
	return nil
}

// compare marks a struct, and those inside of it, as being compared with the default.
func (s *structure) compare() {
	s.compared = true
	for _, f := range s.fields {
		if f.parts != nil && !f.IsArray() {
			f.parts.compare()
		}
	}
}

// check refuses what the notation can say but no schema of Kafka's uses, and the generator does not
// implement.
func (r *resolver) check(s *structure, f *field) error {
	partlyNull := !f.null.Empty() && f.null != f.present
	switch {
	case f.tagged() && f.present.Intersect(f.Tagged) != f.present:
		return fmt.Errorf("tagged in some versions only")
	case f.tagged() && !r.message.Flexible.Contains(f.present):
		return fmt.Errorf("tagged in a version that is not flexible")
	case f.tagged() && (f.Type == "records" || f.Type == "bytes"):
		return fmt.Errorf("%s cannot be tagged", f.Type)
	case partlyNull && (f.tagged() || !f.IsArray() && f.Type != "string"):
		return fmt.Errorf("null in some versions only")
	case f.Classic && (f.Type != "string" || f.null != f.present):
		return fmt.Errorf("classic is for nullable strings")
	}
	return nil
}

// checkNames makes sure that no two structs of the package have one name.
func checkNames(all []*message) error {
	seen := map[string]bool{}
	for _, m := range all {
		for _, s := range m.structs {
			if seen[s.name] {
				return fmt.Errorf("two structs are named %s", s.name)
			}
			seen[s.name] = true
		}
	}
	return nil
}

// renamed are the fields that cannot keep Kafka's name: Key is a method of every message.
var renamed = map[string]string{
	"FindCoordinatorRequest.Key": "CoordinatorKey",
	"ClientQuotaRecord.Key":      "QuotaKey",
}

var idWord = regexp.MustCompile(`Id(s?)([A-Z]|$)`)

// goName is Kafka's name of a field with a capital first letter and ID in capitals.
func goName(kafkaName string) string {
	name := strings.ToUpper(kafkaName[:1]) + kafkaName[1:]
	return idWord.ReplaceAllString(name, "ID$1$2")
}

// structName puts the message's name before the struct's, unless it is there already.
func structName(message, kafkaName string) string {
	if strings.HasPrefix(kafkaName, message) {
		return kafkaName
	}
	return message + kafkaName
}
