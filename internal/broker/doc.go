// Package broker builds a broker out of its parts and starts and stops them in the order of the floors. It decides
// nothing: what a part does is written in that part's package.
//
// Start, in order: the log directories are opened and recovered (directories.go); the metadata quorum is joined and the
// image of the cluster follows its log (publisher.go); this node becomes the controller when it leads the quorum
// (controller.go); the broker registers (lifecycle.go); partitions, coordinators and settings follow the image, which has
// caught up with the registration (follow.go); the broker is unfenced; the listeners accept clients (listeners.go). Stop is
// the same backwards.
//
// Invariants:
//   - Nothing acts on an image that is older than this start: the past would delete logs that are in use.
//   - Nothing is served before the broker has seen its own registration unfenced in the image.
//   - Who asks the controller for a change hears of its success only after this broker's image has it.
package broker
