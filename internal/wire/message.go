package wire

// Message is a request, response, header or record in the form of a struct.
type Message interface {
	// Key is the API key of a request or response and the record type of a record. It is -1 for
	// messages that have neither.
	Key() int16
	// Decode reads the message in the given version, overwriting every field. It fails for a version
	// that Kafka 4.3 does not know, and leaves trailing bytes to the caller (see Reader.Done).
	Decode(r *Reader, version int16) error
	// Encode appends the message in the given version; errors are kept in w.Err.
	Encode(w *Writer, version int16)
	// Reset sets Kafka's defaults and keeps the capacity of slices.
	Reset()
}

// neverFlexible stands for the first flexible version of a message that has none.
const neverFlexible = 1<<15 - 1

// Tag is a tagged field that the schema does not know. Data aliases the input it was read from.
type Tag struct {
	Tag  uint32
	Data []byte
}
