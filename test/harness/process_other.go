//go:build !linux

package harness

import "syscall"

// DieWithParent does nothing on this system: a process outlives a test process that dies without its clean-up.
func DieWithParent() *syscall.SysProcAttr { return nil }
