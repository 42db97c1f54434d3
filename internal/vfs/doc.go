// Package vfs is the seam between Ottla and the file system.
//
// Nouns: an [FS] holds directories and files by path; a [File] is an open file that is read and written at
// positions (there is no cursor). [Disk] is the machine's file system. [Memory] is a disk in memory that knows,
// for every file and directory, what was made durable; [Memory.Crash] returns what a machine would find
// after the power failed. [Faulty] wraps any FS and fails, shortens or corrupts the operations that its rules name.
//
// What every FS promises, and all that its users may rely on after a crash:
//   - Bytes written and sizes set are durable once Sync or SyncData of that file has returned nil.
//   - A created, renamed or removed name is durable once SyncDir of the directory that holds it has returned nil.
//   - Without these calls anything may survive or be lost, write by write, in any order, torn at sectors.
//   - A rename replaces the target at once: after a crash the old or the new file is there, never none.
//   - After a failed Sync nothing is known about the bytes written since the last good one.
//
// All types are safe for concurrent use. Paths are those of package path/filepath.
package vfs
