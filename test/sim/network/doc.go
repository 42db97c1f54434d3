// Package network is a network in memory for a cluster in one process: hosts with addresses, links with delays, and what goes
// wrong with them. It is made for bubbles of testing/synctest: everything that waits, waits for simulated time or for another
// goroutine of the bubble; there is no goroutine of the network's own.
//
// Nouns: a [Network] joins [Host]s. A Host listens and dials as package net does. A link is what goes from one host to another,
// in one direction.
//
// What it promises, as TCP does:
//   - Bytes of a connection arrive in order, once, after the link's delay, or never.
//   - What is sent over a link that is cut arrives when the link is healed: TCP sends again. A connection of which a direction
//     was cut for longer than [Retransmission] and carried something is reset at both ends.
//   - Dialing a host that runs, but does not listen, is refused at once; dialing over a cut link waits until the context ends.
//   - When a process ends ([Host.Kill]) the other ends of its connections learn of it; when power fails ([Host.PowerOff]) they
//     do not, before the host has power again.
//   - A host that is paused sends and receives nothing; all that was on its way arrives when it goes on.
//
// A write never blocks: there is no window. Delays come from a generator per connection, seeded by the network's seed and the
// names of both hosts, so that they do not depend on what other connections do.
package network
