package tools

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"github.com/ottla/ottla/internal/wire/recordjson"
)

// A recordDecoder turns key and value of a record into text; nil is not printed.
type recordDecoder interface {
	decode(r *dumpedRecord) (key, value *string, err error)
}

const decoderPackage = "org.apache.kafka.tools.api."

// A plainDecoder is one of Kafka's classes for --key-decoder-class and --value-decoder-class.
type plainDecoder func([]byte) (string, error)

func newPlainDecoder(class string) (plainDecoder, error) {
	underflow := &exception{class: "java.nio.BufferUnderflowException"}
	switch class {
	case stringDecoder:
		return func(b []byte) (string, error) { return recordjson.Text(b), nil }, nil
	case decoderPackage + "DefaultDecoder": // Java prints the array's address
		return func(b []byte) (string, error) { return printableBytes(b), nil }, nil
	case decoderPackage + "IntegerDecoder":
		return func(b []byte) (string, error) {
			if len(b) < 4 {
				return "", underflow
			}
			return strconv.Itoa(int(int32(binary.BigEndian.Uint32(b)))), nil
		}, nil
	case decoderPackage + "LongDecoder":
		return func(b []byte) (string, error) {
			if len(b) < 8 {
				return "", underflow
			}
			return strconv.FormatInt(int64(binary.BigEndian.Uint64(b)), 10), nil
		}, nil
	}
	return nil, &exception{class: "java.lang.RuntimeException", message: "Failed to load decoder class",
		cause: &exception{class: "java.lang.ClassNotFoundException", message: class}}
}

// A plainRecordDecoder decodes keys and values one by one.
type plainRecordDecoder struct{ key, value plainDecoder }

func (d plainRecordDecoder) decode(r *dumpedRecord) (key, value *string, err error) {
	text := func(d plainDecoder, b []byte) *string {
		if b == nil || err != nil {
			return nil
		}
		var s string
		s, err = d(b)
		return &s
	}
	key, value = text(d.key, r.key), text(d.value, r.value)
	return key, value, err
}

// A coordinatorDecoder prints the records of a coordinator's topic as JSON.
type coordinatorDecoder struct {
	schema    *recordjson.Schema
	protocol  *recordjson.Schema // what consumers put into the records of classic groups
	hasGroups bool
}

func newCoordinatorDecoder(name string) coordinatorDecoder {
	return coordinatorDecoder{recordjson.Load(name), recordjson.Load("consumer_protocol"), name == "group_records"}
}

func (d coordinatorDecoder) decode(r *dumpedRecord) (key, value *string, err error) {
	if r.key == nil {
		return nil, nil, inPlainRuntime(fmt.Sprintf("Failed to decode message at offset %d using the specified decoder (message had a missing key)", r.offset))
	}
	text := func(format string, args ...any) *string {
		s := fmt.Sprintf(format, args...)
		return &s
	}
	c, err := decodeCoordinatorRecord(d.schema, r.key, r.value)
	if unknown, ok := errors.AsType[unknownRecordType](err); ok {
		return text("Unknown record type %d at offset %d, skipping.", unknown.kind, r.offset), nil, nil
	}
	if err != nil {
		return text("Error at offset %d, skipping. %v", r.offset, err), nil, nil
	}
	key = text(`{"type":"%d","data":%s}`, c.kind, c.keyJSON())
	if c.value == nil {
		return key, text("<DELETE>"), nil
	}
	if d.hasGroups {
		d.openMembers(c.value)
	}
	return key, text(`{"version":"%d","data":%s}`, c.version, c.valueJSON()), nil
}

// openMembers replaces the subscriptions and assignments of a classic consumer group by what they say; bytes that cannot be read stay.
func (d coordinatorDecoder) openMembers(group *recordjson.Struct) {
	if group.Get("protocolType") != "consumer" {
		return
	}
	members, _ := group.Get("members").([]any)
	for _, member := range members {
		m := member.(*recordjson.Struct)
		for field, message := range map[string]string{"subscription": "ConsumerProtocolSubscription", "assignment": "ConsumerProtocolAssignment"} {
			bytes, _ := m.Get(field).([]byte)
			b := recordjson.NewBuffer(bytes)
			version := b.Int16()
			if b.Err() != nil {
				continue
			}
			if s, err := d.protocol.Data(message).Decode(b, version); err == nil {
				m.Set(field, s.JSON(version))
			}
		}
	}
}

// A framedRecord is a record of the cluster metadata log or of the remote log metadata.
type framedRecord struct {
	message *recordjson.Message
	version int16
	data    *recordjson.Struct
}

// decodeFramed reads the frame around such a record and the record, as Kafka's AbstractApiMessageSerde does.
func decodeFramed(schema *recordjson.Schema, value []byte) (f framedRecord, err error) {
	b := recordjson.NewBuffer(value)
	short := func(entity string) int16 {
		n := b.Uvarint()
		if err == nil && b.Err() != nil {
			err = metadataParse("Error while reading " + entity)
		} else if err == nil && n > 1<<15-1 {
			err = metadataParse("Value for " + entity + " was too large.")
		}
		return int16(n)
	}
	switch frame := short("frame version"); {
	case err != nil:
		return f, err
	case frame == 0:
		return f, metadataParse("Could not deserialize metadata record with frame version 0. " +
			"Note that upgrades from the preview release of KRaft in 2.8 to newer versions are not supported.")
	case frame != 1:
		return f, metadataParse(fmt.Sprintf("Could not deserialize metadata record due to unknown frame version %d(only frame version 1 is supported)", frame))
	}
	kind := short("type")
	f.version = short("version")
	if err != nil {
		return f, err
	}
	if f.message = schema.Metadata(kind); f.message == nil {
		return f, metadataParse(fmt.Sprintf("org.apache.kafka.common.errors.UnsupportedVersionException: Unknown metadata id %d", kind))
	}
	if f.data, err = f.message.Decode(b, f.version); err != nil {
		return f, metadataParse(fmt.Sprintf("Failed to deserialize record with type %d", kind))
	}
	if b.Len() > 0 {
		return f, metadataParse(fmt.Sprintf("Found %d byte(s) of garbage after %d", b.Len(), kind))
	}
	return f, nil
}

// metadataParse is how Kafka says that it cannot read such a record.
func metadataParse(message string) error {
	return &exception{class: "org.apache.kafka.server.common.serialization.MetadataParseException", message: message}
}

// A metadataDecoder prints the records of the cluster metadata log as JSON.
type metadataDecoder struct{ schema *recordjson.Schema }

func newMetadataDecoder() metadataDecoder {
	return metadataDecoder{recordjson.Load("metadata_records")}
}

func (d metadataDecoder) decode(r *dumpedRecord) (key, value *string, err error) {
	var text string
	if f, err := decodeFramed(d.schema, r.value); err != nil {
		text = fmt.Sprintf("Error at %d, skipping. %v", r.offset, err)
	} else {
		text = fmt.Sprintf(`{"type":"%s","version":%d,"data":%s}`, f.message.TypeName(), f.version, f.data.JSON(f.version))
	}
	return nil, &text, nil
}
