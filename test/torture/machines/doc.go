// Package machines is a cluster of real processes with what goes wrong around them: processes are killed and stopped, cables
// between two of them are cut in one direction or slow, disks are full or replaced, the power fails for all.
//
// # Nouns
//
// [Machines] are the nodes, each a process of package harness. [Cables] are proxies in front of every listener: a byte from
// one node to another, or between a node and the clients, goes through the cable of that pair and direction, whoever has
// made the connection. Nodes are told apart by the client id in the first request of a connection, which is their number. A
// [Fault] is one thing that happens, and ends.
//
// # What holds
//
//   - When a process ends, its listeners refuse connections, as they do without proxies: others may take that as a hint.
//   - A cut cable loses nothing and closes nothing: bytes wait until it is whole again, as with a network that comes back
//     before connections are given up. What waits is bounded, so that senders are held back.
//   - A fault ends before [Fault.Strike] returns: the processes run and the cables are whole. Whether the cluster has got over it
//     is for the test to see.
//   - Whatever is drawn comes from the seed; what the processes make of it depends on the machine.
package machines
