package vfs

import "errors"

// ErrLocked is what [FS.Lock] returns when another process, or another part of this one, holds the lock.
var ErrLocked = errors.New("the lock is held by another process")

// ErrNoSpace is the full disk of [Memory] and [Faulty]. Ask with [IsNoSpace], which knows the platform's too.
var ErrNoSpace = errors.New("no space left on device")

// IsNoSpace reports whether err says that the volume is full or the user's quota is used up.
func IsNoSpace(err error) bool {
	return errors.Is(err, ErrNoSpace) || isPlatformNoSpace(err)
}
