package history

import (
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// batch is what two replicas must agree on.
type batch struct {
	base, last int64
	epoch      int32
	crc        uint32
}

// CompareReplicas compares the logs of all partitions on the disks of a cluster that has stopped: where two have a batch at an
// offset, it is the same. Compacted topics, whose copies are cleaned at their own times, are left out by name. Of topics that are whole, each
// replica has everything up to the same end.
func CompareReplicas(disks map[string]vfs.FS, dir string, compacted, whole func(topic string) bool) []string {
	var all faults
	logs := map[string]map[string][]batch{} // by partition, by node
	for _, node := range slices.Sorted(maps.Keys(disks)) {
		entries, err := disks[node].ReadDir(dir)
		if err != nil {
			all.add("%s: %v", node, err)
			continue
		}
		for _, e := range entries {
			i := strings.LastIndexByte(e.Name(), '-')
			if !e.IsDir() || i < 0 || compacted(e.Name()[:i]) || strings.Contains(e.Name(), "-delete") || strings.Contains(e.Name(), "-stray") || strings.Contains(e.Name(), "-future") {
				continue
			}
			batches, err := readLog(disks[node], path.Join(dir, e.Name()))
			if err != nil {
				all.add("%s: %s: %v", node, e.Name(), err)
				continue
			}
			if logs[e.Name()] == nil {
				logs[e.Name()] = map[string][]batch{}
			}
			logs[e.Name()][node] = batches
		}
	}
	for _, name := range slices.Sorted(maps.Keys(logs)) {
		nodes := slices.Sorted(maps.Keys(logs[name]))
		for _, other := range nodes[1:] {
			left, right := logs[name][nodes[0]], logs[name][other]
			compare(&all, name, nodes[0], other, left, right)
			if whole(name[:strings.LastIndexByte(name, '-')]) && lastOf(left) != lastOf(right) {
				all.add("%s: the last offset of %s is %d, that of %s is %d", name, nodes[0], lastOf(left), other, lastOf(right))
			}
		}
	}
	return all
}

func compare(all *faults, name, a, b string, left, right []batch) {
	at := map[int64]batch{}
	for _, l := range left {
		at[l.base] = l
	}
	for _, r := range right {
		if l, both := at[r.base]; both && l != r {
			all.add("%s: %s has %+v, %s has %+v", name, a, l, b, r)
			return
		}
	}
}

func readLog(fsys vfs.FS, dir string) (all []batch, err error) {
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".log") {
			continue
		}
		content, err := readFile(fsys, path.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		for b, err := range record.Batches(content) {
			if err != nil {
				return nil, fmt.Errorf("%s after offset %d: %w", e.Name(), lastOf(all), err)
			}
			all = append(all, batch{b.BaseOffset(), b.LastOffset(), b.LeaderEpoch(), b.CRC()})
		}
	}
	return all, nil
}

func lastOf(all []batch) int64 {
	if len(all) == 0 {
		return -1
	}
	return all[len(all)-1].last
}

func readFile(fsys vfs.FS, name string) ([]byte, error) {
	f, err := fsys.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	content := make([]byte, size)
	if size == 0 {
		return content, nil
	}
	_, err = f.ReadAt(content, 0)
	return content, err
}
