package machines

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// batchHead is the part of a record batch in front of what its length counts: base offset and length.
const batchHead = 12

// A batch is bytes on a disk.
type batch struct {
	base  int64
	bytes []byte
}

// Compare reads the replicas of every partition in the log directories of nodes that were stopped, and returns where two of
// them differ, byte for byte, below the smaller high watermark of both. Topics with compaction are the same only if the
// cleaner did not run. It knows nothing of the broker but Kafka's format of segments and of the checkpoint file. partitions
// is how many have several replicas, size the bytes that were compared.
func Compare(dirs []string) (faults []string, partitions int, size int64, err error) {
	held := map[string][]string{} // directories by name of the partition
	marks := map[string]int64{}   // high watermarks by directory
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, 0, 0, err
		}
		checkpoint, err := highWatermarks(filepath.Join(dir, "replication-offset-checkpoint"))
		if err != nil {
			return nil, 0, 0, err
		}
		for _, e := range entries {
			if i := strings.LastIndexByte(e.Name(), '-'); e.IsDir() && i > 0 && e.Name() != "__cluster_metadata-0" && !strings.Contains(e.Name(), ".") {
				path := filepath.Join(dir, e.Name())
				held[e.Name()] = append(held[e.Name()], path)
				marks[path] = checkpoint[e.Name()]
			}
		}
	}
	for name, paths := range held {
		if len(paths) > 1 {
			partitions++
		}
		for i := 1; i < len(paths); i++ {
			fault, n, err := comparePair(paths[0], paths[i], min(marks[paths[0]], marks[paths[i]]))
			if err != nil {
				return nil, 0, 0, err
			}
			size += n
			if fault != "" {
				faults = append(faults, fmt.Sprintf("replicas of %s differ: %s", name, fault))
			}
		}
	}
	return faults, partitions, size, nil
}

// comparePair compares two replicas of a partition where both have something, below a high watermark.
func comparePair(a, b string, mark int64) (fault string, size int64, err error) {
	one, err := batches(a, mark)
	if err != nil {
		return "", 0, err
	}
	other, err := batches(b, mark)
	if err != nil {
		return "", 0, err
	}
	if len(one) == 0 || len(other) == 0 {
		if len(one)+len(other) > 0 {
			return fmt.Sprintf("%d batches in %s, %d in %s, below the high watermark %d of both", len(one), a, len(other), b, mark), 0, nil
		}
		return "", 0, nil
	}
	start := max(one[0].base, other[0].base)
	below := func(x batch) bool { return x.base < start }
	one, other = slices.DeleteFunc(one, below), slices.DeleteFunc(other, below)
	for i := range min(len(one), len(other)) {
		if !bytes.Equal(one[i].bytes, other[i].bytes) {
			return fmt.Sprintf("at offset %d in %s, %d in %s (%d and %d bytes)", one[i].base, a, other[i].base, b, len(one[i].bytes), len(other[i].bytes)), size, nil
		}
		size += int64(len(one[i].bytes))
	}
	if len(one) != len(other) {
		return fmt.Sprintf("%d batches from offset %d on in %s, %d in %s, below the high watermark %d", len(one), start, a, len(other), b, mark), size, nil
	}
	return "", size, nil
}

// batches reads the batches of a log below an offset, in order.
func batches(dir string, below int64) (all []batch, err error) {
	segments, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil {
		return nil, err
	}
	slices.Sort(segments) // names are offsets of 20 digits
	for _, path := range segments {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		for len(text) >= batchHead {
			base, length := int64(binary.BigEndian.Uint64(text)), int(binary.BigEndian.Uint32(text[8:]))
			if length == 0 { // space that was reserved ahead
				break
			}
			if base >= below {
				return all, nil
			}
			if batchHead+length > len(text) {
				return nil, fmt.Errorf("%s: the batch at offset %d has %d bytes, the file %d", path, base, length, len(text))
			}
			all = append(all, batch{base, text[:batchHead+length]})
			text = text[batchHead+length:]
		}
	}
	return all, nil
}

// highWatermarks reads a checkpoint file: version, number of lines, and for each partition its topic, number and offset.
func highWatermarks(path string) (map[string]int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	marks := map[string]int64{}
	lines := strings.Split(string(text), "\n")
	for _, line := range lines[min(2, len(lines)):] {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		offset, err := strconv.ParseInt(f[2], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %q: %w", path, line, err)
		}
		marks[f[0]+"-"+f[1]] = offset
	}
	return marks, nil
}
