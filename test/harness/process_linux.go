package harness

import "syscall"

// dieWithParent makes the kernel kill the broker when the test process dies without its clean-up (a timeout's panic, kill -9).
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
