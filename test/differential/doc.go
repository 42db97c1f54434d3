// Package differential sends the same requests to real Kafka 4.3.1 and to Ottla and compares the decoded answers field by
// field, error texts and record batches included.
//
// A scenario is a text in testdata (one file per API, or per flow of several): commands that set a stage and requests that
// are asked of both brokers over raw connections, with this project's own encoding, so that no client library hides
// anything. testdata/README.md explains the language. Both sides run the scenario on their own and leave a transcript:
// one Step per request, one Leaf per field of its answer. What differs from broker to broker by nature (topic ids, member
// ids, ports, the present time) is replaced in the transcript by a name in order of appearance, so that the same id stays
// the same id and another stays another. Then the transcripts are compared leaf by leaf.
//
// Scenarios in testdata/cluster are told to three nodes of each, and stop and start them.
//
// What may differ is in allowed.go, each with its reason; an entry that no comparison needed any more fails the test too.
//
// With OTTLA_DIFFERENTIAL_SELF=1 both sides are real Kafka: what differs then is not determined by the requests and must not
// be asserted.
package differential
