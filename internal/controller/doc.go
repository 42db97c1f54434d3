// Package controller decides the changes of the cluster's metadata: topics and partitions, leaders and in-sync
// replicas, brokers that come, go and fall silent, configurations, features and producer ids. It is Kafka's
// QuorumController with its ...ControlManagers, as a plain object.
//
// Nouns. A Controller is a statemachine.Machine over the metadata log. Its durable state is a metadata.Image,
// changed by Replay alone. Its soft state is what it knows of the brokers' sessions: when it heard of each and
// how far each had read. A decision is one method of the Controller, in a file named after it; it takes the
// time, a request and a function that answers, and returns records and the answer. Requests and responses are
// the wire structs of the newest version; older versions are mapped in package api.
//
// Invariants:
//   - A decision reads the image and returns records; it never changes the image.
//   - One decision's records are one batch: a topic exists with all its partitions or not at all.
//   - What a decision changes in the soft state is safe if its records cannot be appended.
//   - A partition's leader is in its ISR; a broker that is fenced or shutting down is in no ISR and leads nothing;
//     ISR and ELR do not overlap.
//   - No clock, goroutine, file or global random source: time, ids and random numbers are passed in.
//   - Texts of errors are Kafka 4.3's: tools and clients show them.
package controller
