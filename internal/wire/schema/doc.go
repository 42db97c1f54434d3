// Package schema is the model of Kafka's message schemas and the notation in which this repository
// keeps them: the .txt files in this folder, described in README.md. [Parse] reads the notation,
// [Format] writes it. It serves the two programs beside it, internal/wire/schemas (Kafka's message
// JSON to notation) and internal/wire/generate (notation to Go); the broker does not need it. The texts about
// records are in the binary ([Records]), for the tools that print records by their schema.
package schema
