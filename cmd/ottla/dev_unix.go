//go:build unix

package main

import "syscall"

// ownGroup makes a process that the terminal's signals do not reach.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
