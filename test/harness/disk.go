package harness

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Wipe deletes everything in the data directory of a broker that does not run: its disk was replaced.
func (b *Broker) Wipe() {
	b.t.Helper()
	if b.PID != 0 {
		b.t.Fatal("the broker runs")
	}
	entries, err := os.ReadDir(b.Dir)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(b.Dir, e.Name())))
	}
	if err != nil {
		b.t.Fatal(fmt.Errorf("wipe: %w", err))
	}
}
