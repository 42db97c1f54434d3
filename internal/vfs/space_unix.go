//go:build linux || darwin

package vfs

import "golang.org/x/sys/unix"

func space(path string) (free, total int64, err error) {
	var s unix.Statfs_t
	if err := retryInterrupted(func() error { return unix.Statfs(path, &s) }); err != nil {
		return 0, 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), int64(s.Blocks) * int64(s.Bsize), nil
}
