//go:build unix && !linux

package vfs

import "os"

// syncData: only a full Sync (F_FULLFSYNC on darwin, as package os does it) is known to reach the medium here.
func syncData(f *os.File) error { return f.Sync() }

func preallocate(*os.File, int64, int64) error { return nil }

// lockRecord: flock is all there is that goes with the file, not with the process.
func lockRecord(*os.File) error { return nil }
