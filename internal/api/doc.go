// Package api answers Kafka's requests: one table of APIs, and one file per API, named by its key
// (00_produce.go, 01_fetch.go, ...).
//
// A request's way: server calls [API.Handle] with a frame; route.go reads the header, finds the row in table.go,
// checks the version, decodes the body and calls the API's function; that function asks the domain packages
// (partition, group, controller, metadata) and answers through its [Call], now or later.
//
// Invariants:
//   - What ApiVersions says is the table: an API, or a version, that is not in it is not served.
//   - Versions stop here. Domain packages have one shape; a function in this package translates.
//   - Every Call is answered exactly once, also when the client is gone.
//   - What is used again for later requests (produce, fetch) is reachable by nobody else when it is put back: partitions
//     and deadlines are counted, and a waiting fetch is known to them only through a fetchWaiter, which is not used again.
//   - A request on the hot path (Produce, Fetch) allocates nothing in the steady state, whatever it carries.
//   - A request that cannot be decoded closes its connection, as Kafka does; it never panics and never costs more
//     memory than its own size justifies.
package api
