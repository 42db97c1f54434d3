//go:build !linux

package machines

import (
	"errors"
	"testing"
)

const smallDisk = 0

// A Disk is a file system of its own.
type Disk struct{ inside, outside string }

func newDisk(testing.TB, int) (*Disk, error) {
	return nil, errors.New("no small disk on this system")
}

func (d *Disk) within() []string { return nil }
func (d *Disk) Fill(int64) error { return nil }
func (d *Disk) Clear() error     { return nil }
