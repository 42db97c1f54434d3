// Package recordjson prints the records of Kafka's internal topics, of the cluster metadata log and of control batches as JSON, as the
// JSON converters do that Kafka generates beside its messages (JsonConverterGenerator).
//
// It reads bytes by the schema alone ([github.com/ottla/ottla/internal/wire/schema]) and shares nothing with the structs and decoders
// of package wire: what it prints is a second opinion on what those wrote.
//
// A [Schema] is the messages of one text; a [Message] decodes bytes of a version into a [Struct], the tree of its fields; a struct
// prints itself in a version. Fields come in the order of the schema, tagged ones only if they differ from their default.
//
// Decoding never panics and allocates in proportion to the bytes it is given. Its errors are those of Kafka's generated readers,
// under the names of their Java classes ([Error]), because kafka-dump-log prints them.
package recordjson
