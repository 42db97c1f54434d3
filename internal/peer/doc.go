// Package peer holds the connections from one node to the others: a request goes out, its response comes back. It
// speaks Kafka's wire format as a client does, on Kafka's listeners, and knows no API but ApiVersions.
//
// # Nouns
//
// A [Client] is one pipelined connection to one address, made when it is first used and kept from then on. A
// [Registry] has the clients of a node by what they are for: the node and listener that they go to ([To]).
//
// # Promises
//
//   - Send never blocks and never calls done itself. It may write the request itself, if the socket takes that at once.
//     done is called exactly once: with the response, or with why there is none. Requests leave in the order of Send, and are answered in that order.
//   - A connection that breaks carries nothing over: what it had sent fails with NETWORK_EXCEPTION, and may or may not
//     have been done by the peer. Who sent it repeats it as the protocol allows.
//   - What was not sent yet waits for the next connection. If that cannot be made, it fails with BROKER_NOT_AVAILABLE:
//     who asks may know a better place by then.
//   - A request without an answer in time fails with REQUEST_TIMED_OUT, and ends the connection with it: what follows
//     in the pipeline cannot be told apart from an answer that came late.
//   - Every request is sent in the newest version that both sides have. If there is none, it fails with
//     UNSUPPORTED_VERSION, and the connection lives on.
//   - A broken connection is a hint (Options.OnDown): it is made again at once, and if that is refused, nobody listens
//     there any more. That is how the death of a process is known before any time-out.
//   - A peer's bytes cost no more memory than it sends, and never panic. An answer that makes no sense ends the connection.
//
// Lock order: Registry.mu, then Client.mu, then nothing. No lock is held while a callback runs or the network is used.
package peer
