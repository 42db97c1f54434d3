//go:build race

package record

// raced is whether the race detector is on: it drops some of what is put into pools.
const raced = true
