//go:build race

package api

// raceEnabled says that sync.Pool forgets things at random, as it does under the race detector.
const raceEnabled = true
