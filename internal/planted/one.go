//go:build planted

package planted

import "os"

var chosen = Bug(os.Getenv("OTTLA_PLANTED"))

// In reports whether this process has a bug.
func In(b Bug) bool { return b == chosen }
