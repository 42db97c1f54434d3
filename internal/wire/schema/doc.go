// Package schema is the model of Kafka's message schemas and the notation in which this repository
// keeps them: the .txt files in this folder, described in README.md. [Parse] reads the notation,
// [Format] writes it. It serves the two programs beside it, internal/wire/schemas (Kafka's message
// JSON to notation) and internal/wire/generate (notation to Go), and is not part of the broker.
package schema
