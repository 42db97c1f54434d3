// Package disk is the disk of one node of a simulated cluster: a vfs.Memory that outlives the node's processes, seen through
// a [Mount] that belongs to one of them.
//
// A sync takes simulated time, so that a failure can come in the middle of one. [Disk.Cut] ends a mount as the end of a process
// does, or as a power failure, which loses what was not synced: whatever the old process still tries fails, and the next mount
// sees what the failure left. Syncs of a paused mount wait until it goes on.
package disk
