// Package bubble makes the bubbles of testing/synctest fit for a simulation of whole programs, by building the test with a
// patched copy of a few lines of Go's runtime (go build -overlay; nothing of the installation is changed):
//
//   - A goroutine that waits for a mutex is idle. In Go it is not, and simulated time stands still while one waits: a disk that
//     takes time to sync under a mutex, or a client that asks the network under one, would stand still for ever.
//   - What Go draws at random for a goroutine of a bubble (which of a select's ready cases, where a map's iteration begins,
//     math/rand's global functions) comes from a generator of the bubble, and hashes of map keys are the same in every process.
//   - A mutex tells who has starved for it by the bubble's time, not by the real one.
//   - Times have a monotonic reading, which is the bubble's: without one, a simulated clock that is set would change durations.
//   - No goroutine is preempted because it has run for 10 ms of real time.
//
// With one processor, no garbage collection but at chosen moments, and a fixed crypto/rand, a run is then the same each time, as
// far as the program itself asks nothing of the real world.
package bubble
