//go:build !unix

package commitlog

import "time"

// processCPU is not known here.
func processCPU() time.Duration { return 0 }
