package commitlog

import (
	"errors"
	"sync"
	"sync/atomic"
)

// concurrently does something for each log, several at once as most of it is waiting for the disk, and joins the errors.
func concurrently(logs []*Log, do func(*Log) error) error {
	var next atomic.Int64
	var workers sync.WaitGroup
	var errs [maxParallelSyncs]error
	for w := range min(len(logs), len(errs)) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(logs)); i = next.Add(1) - 1 {
				errs[w] = errors.Join(errs[w], do(logs[i]))
			}
		})
	}
	workers.Wait()
	return errors.Join(errs[:]...)
}
