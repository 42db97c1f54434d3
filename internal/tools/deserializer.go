package tools

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/wire/recordjson"
)

// A deserializer turns bytes into the text that Java prints for the value they stand for.
type deserializer func([]byte) (string, error)

const serializationPackage = "org.apache.kafka.common.serialization."

// deserializers are Kafka's own, by class.
func deserializers() map[string]deserializer {
	raw := func(b []byte) (string, error) { return string(b), nil }
	return map[string]deserializer{
		serializationPackage + "StringDeserializer":     raw,
		serializationPackage + "ByteArrayDeserializer":  raw, // Java prints the array's address
		serializationPackage + "ByteBufferDeserializer": raw,
		serializationPackage + "BytesDeserializer":      func(b []byte) (string, error) { return printableBytes(b), nil },
		serializationPackage + "ShortDeserializer": sized("Short", 2, func(b []byte) string {
			return strconv.Itoa(int(int16(binary.BigEndian.Uint16(b))))
		}),
		serializationPackage + "IntegerDeserializer": sized("Integer", 4, func(b []byte) string {
			return strconv.Itoa(int(int32(binary.BigEndian.Uint32(b))))
		}),
		serializationPackage + "LongDeserializer": sized("Long", 8, func(b []byte) string {
			return strconv.FormatInt(int64(binary.BigEndian.Uint64(b)), 10)
		}),
		serializationPackage + "FloatDeserializer": sized("Float", 4, func(b []byte) string {
			return recordjson.FormatFloat(float64(math.Float32frombits(binary.BigEndian.Uint32(b))), 32)
		}),
		serializationPackage + "DoubleDeserializer": sized("Double", 8, func(b []byte) string {
			return recordjson.FormatFloat(math.Float64frombits(binary.BigEndian.Uint64(b)), 64)
		}),
		serializationPackage + "BooleanDeserializer": deserializeBoolean,
		serializationPackage + "UUIDDeserializer":    raw,
		serializationPackage + "VoidDeserializer": func([]byte) (string, error) {
			return "", illegalArgument("Data should be null for a VoidDeserializer.")
		},
	}
}

func deserializerNames() []string { return slices.Sorted(maps.Keys(deserializers())) }

func sized(name string, size int, text func([]byte) string) deserializer {
	return func(b []byte) (string, error) {
		if len(b) != size {
			return "", &exception{class: "org.apache.kafka.common.errors.SerializationException",
				message: fmt.Sprintf("Size of data received by %sDeserializer is not %d", name, size)}
		}
		return text(b), nil
	}
}

func deserializeBoolean(b []byte) (string, error) {
	switch {
	case len(b) == 1 && b[0] == 1:
		return "true", nil
	case len(b) == 1 && b[0] == 0:
		return "false", nil
	}
	return "", &exception{class: "org.apache.kafka.common.errors.SerializationException",
		message: "Unexpected bytes received by BooleanDeserializer: want one byte, 0 or 1"}
}

// printableBytes is org.apache.kafka.common.utils.Bytes.toString: what is not printable ASCII, and the backslash, as \xNN.
func printableBytes(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		if c >= ' ' && c <= '~' && c != '\\' {
			s.WriteByte(c)
		} else {
			fmt.Fprintf(&s, `\x%02X`, c)
		}
	}
	return s.String()
}
