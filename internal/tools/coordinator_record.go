package tools

import (
	"fmt"

	"github.com/ottla/ottla/internal/wire/recordjson"
)

// A coordinatorRecord is a decoded record of a coordinator: of __consumer_offsets, __transaction_state or __share_group_state.
type coordinatorRecord struct {
	kind    int16
	key     *recordjson.Struct
	version int16
	value   *recordjson.Struct // nil for a tombstone
}

// keyJSON and valueJSON are the parts as Kafka's converters print them.
func (c coordinatorRecord) keyJSON() recordjson.JSON   { return c.key.JSON(0) }
func (c coordinatorRecord) valueJSON() recordjson.JSON { return c.value.JSON(c.version) }

// An unknownRecordType is a record of a kind that its coordinator does not have.
type unknownRecordType struct{ kind int16 }

func (e unknownRecordType) Error() string {
	return fmt.Sprintf("Found an unknown record type %d", e.kind)
}

// decodeCoordinatorRecord reads key and value as Kafka's CoordinatorRecordSerde does; a nil value is a tombstone.
func decodeCoordinatorRecord(schema *recordjson.Schema, key, value []byte) (c coordinatorRecord, err error) {
	b := recordjson.NewBuffer(key)
	c.kind = b.Int16()
	if b.Err() != nil {
		return c, inPlainRuntime("Could not read version from key's buffer.")
	}
	keyMessage, valueMessage := schema.Key(c.kind), schema.Value(c.kind)
	if keyMessage == nil || valueMessage == nil {
		return c, unknownRecordType{c.kind}
	}
	if c.key, err = decodeRecordPart(keyMessage, b, "key", c.kind, 0); err != nil || value == nil {
		return c, err
	}
	b = recordjson.NewBuffer(value)
	c.version = b.Int16()
	switch versions := valueMessage.Versions; {
	case b.Err() != nil:
		return c, inPlainRuntime("Could not read version from value's buffer.")
	case int(c.version) < versions.Min || int(c.version) > versions.Max:
		return c, inPlainRuntime(fmt.Sprintf("Found an unknown record version %d for %d type", c.version, c.kind))
	}
	c.value, err = decodeRecordPart(valueMessage, b, "value", c.version, c.version)
	return c, err
}

// decodeRecordPart reads key or value; shown is the version that Kafka names in its error, which for a key is the record's type.
func decodeRecordPart(m *recordjson.Message, b *recordjson.Buffer, part string, shown, version int16) (*recordjson.Struct, error) {
	s, err := m.Decode(b, version)
	if err != nil {
		return nil, inPlainRuntime(fmt.Sprintf("Could not read record with version %d from %s's buffer due to: %v.", shown, part, err))
	}
	return s, nil
}

func inPlainRuntime(message string) error {
	return &exception{class: "java.lang.RuntimeException", message: message}
}
