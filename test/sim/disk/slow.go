package disk

import (
	"path/filepath"
	"strings"
)

// slow reports whether syncing a file takes time: group commits, of segments and of the journal, do. What is synced while a
// mutex is held must not: simulated time stands still while somebody waits for a mutex, and the sync would never end.
func slow(name string) bool {
	base := filepath.Base(name)
	return strings.HasSuffix(base, ".log") || strings.HasPrefix(base, "redo-journal")
}
