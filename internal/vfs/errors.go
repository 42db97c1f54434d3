package vfs

import (
	"errors"
	"slices"
)

// ErrLocked is what [FS.Lock] returns when another process, or another part of this one, holds the lock.
var ErrLocked = errors.New("the lock is held by another process")

// ErrNoSpace is the full disk of [Memory] and [Faulty]. Ask with [IsNoSpace], which knows the platform's too.
var ErrNoSpace = errors.New("no space left on device")

// ErrTooManyFiles is what [Faulty] says when a rule wants a process that has used up its file descriptors. Ask with
// [IsTooManyFiles], which knows the platform's too.
var ErrTooManyFiles = errors.New("too many open files")

// IsNoSpace reports whether err says that the volume is full or the user's quota is used up; of joined errors, all must.
func IsNoSpace(err error) bool {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all := joined.Unwrap()
		return len(all) > 0 && !slices.ContainsFunc(all, func(err error) bool { return !IsNoSpace(err) })
	}
	return errors.Is(err, ErrNoSpace) || isPlatformNoSpace(err)
}

// IsTooManyFiles reports whether err says that the process, or the machine, has no file descriptor left.
func IsTooManyFiles(err error) bool {
	return errors.Is(err, ErrTooManyFiles) || isPlatformTooManyFiles(err)
}
