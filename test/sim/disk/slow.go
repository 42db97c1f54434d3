package disk

import (
	"path/filepath"
	"strings"
)

// slow reports whether syncing a file takes time: group commits, of segments and of the journal, do.
func slow(name string) bool {
	base := filepath.Base(name)
	return strings.HasSuffix(base, ".log") || strings.HasPrefix(base, "redo-journal")
}
