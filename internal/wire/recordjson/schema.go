package recordjson

import (
	"strings"

	"github.com/ottla/ottla/internal/wire/schema"
)

// A Schema is the messages of one text.
type Schema struct{ messages []schema.Message }

// Load returns the messages of a text about records, such as group_records.
func Load(name string) *Schema { return &Schema{schema.Records(name)} }

// Key returns the key of a coordinator's record type, nil for an unknown one.
func (s *Schema) Key(recordType int16) *Message { return s.find(schema.CoordinatorKey, recordType) }

// Value returns the value of a coordinator's record type, nil for an unknown one.
func (s *Schema) Value(recordType int16) *Message { return s.find(schema.CoordinatorValue, recordType) }

// Metadata returns a record type of the cluster metadata log or of the remote log metadata, nil for an unknown one.
func (s *Schema) Metadata(recordType int16) *Message { return s.find(schema.Metadata, recordType) }

func (s *Schema) find(kind schema.Kind, key int16) *Message {
	for i := range s.messages {
		if m := &s.messages[i]; m.Kind == kind && m.Key == int(key) {
			return newMessage(m)
		}
	}
	return nil
}

// Data returns the message without a record type that has this name, nil if there is none.
func (s *Schema) Data(name string) *Message {
	for i := range s.messages {
		if m := &s.messages[i]; m.Name == name {
			return newMessage(m)
		}
	}
	return nil
}

// A Message is one message of a schema.
type Message struct {
	*schema.Message
	structs map[string][]schema.Field // by name, wherever they are declared
}

func newMessage(m *schema.Message) *Message {
	known := &Message{m, make(map[string][]schema.Field)}
	known.declare(m.Fields)
	for _, s := range m.Structs {
		known.structs[s.Name] = s.Fields
		known.declare(s.Fields)
	}
	return known
}

func (m *Message) declare(fields []schema.Field) {
	for i := range fields {
		if f := &fields[i]; len(f.Fields) > 0 {
			m.structs[f.Element()] = f.Fields
			m.declare(f.Fields)
		}
	}
}

// TypeName is the message's name as Kafka's enums of record types have it: FeatureLevelRecord is FEATURE_LEVEL_RECORD.
func (m *Message) TypeName() string {
	var b strings.Builder
	for i, c := range m.Name {
		if i > 0 && 'A' <= c && c <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(c)
	}
	return strings.ToUpper(b.String())
}

// jsonName is a field's name in JSON: with a small first letter.
func jsonName(f *schema.Field) string { return strings.ToLower(f.Name[:1]) + f.Name[1:] }
