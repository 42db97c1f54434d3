//go:build !planted

package planted

// In reports whether this process has a bug.
func In(Bug) bool { return false }
