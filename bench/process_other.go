//go:build !linux

package main

import (
	"errors"
	"syscall"
	"time"
)

var errLinuxOnly = errors.New("the benchmark reads /proc and works on Linux only")

func dieWithParent() *syscall.SysProcAttr      { return nil }
func cpuTime(pid int) (time.Duration, error)   { return 0, errLinuxOnly }
func residentBytes(pid int) (int64, error)     { return 0, errLinuxOnly }
func proportionalBytes(pid int) (int64, error) { return 0, errLinuxOnly }
func loadAverage() float64                     { return 0 }
func threads(pid int) (int64, error)           { return 0, errLinuxOnly }
func openDescriptors(pid int) (int64, error)   { return 0, errLinuxOnly }
func ownCPUTime() time.Duration                { return 0 }
func pause(pid int) error                      { return errLinuxOnly }
func resume(pid int) error                     { return errLinuxOnly }
func syncDisks()                               {}
func sleep(d time.Duration)                    { time.Sleep(d) }
