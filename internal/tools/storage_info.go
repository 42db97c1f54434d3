package tools

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/vfs"
)

// storageInfo is kafka-storage info. It returns 1 if there are problems.
func (inv *invocation) storageInfo(c *config.Broker) (exit int) {
	var there, problems []string
	var first *commitlog.Meta
	for _, dir := range logDirectories(c) {
		info, err := os.Stat(dir)
		switch {
		case err != nil:
			problems = append(problems, dir+" does not exist")
			continue
		case !info.IsDir():
			problems = append(problems, dir+" is not a directory")
			continue
		}
		there = append(there, dir)
		meta, found, err := commitlog.ReadMeta(vfs.Disk(), dir)
		switch {
		case err != nil:
			problems = append(problems, fmt.Sprintf("Error loading %s: %v", filepath.Join(dir, commitlog.MetaFile), err))
		case !found:
			problems = append(problems, dir+" is not formatted.")
		case first == nil:
			first = &meta
		case first.ClusterID != meta.ClusterID:
			problems = append(problems, "Mismatched cluster IDs between storage directories.")
		case first.NodeID != meta.NodeID:
			problems = append(problems, "Mismatched node IDs between storage directories.")
		}
	}
	inv.printList("Found log directory:", "Found log directories:", there)
	if first != nil {
		directory := ""
		if !first.DirectoryID.IsZero() {
			directory = "directory.id=" + first.DirectoryID.String() + ", "
		}
		inv.printf("Found metadata: {cluster.id=%s, %snode.id=%d, version=1}\n\n", first.ClusterID, directory, first.NodeID)
	}
	inv.printList("Found problem:", "Found problems:", problems)
	return min(len(problems), 1)
}

// printList prints lines under a title for one or for several of them, and nothing if there are none.
func (inv *invocation) printList(one, several string, lines []string) {
	switch len(lines) {
	case 0:
		return
	case 1:
		inv.println(one)
	default:
		inv.println(several)
	}
	for _, line := range lines {
		inv.println("  " + line)
	}
	inv.println("")
}
