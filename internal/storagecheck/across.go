package storagecheck

import "path/filepath"

// Across compares the reports of a broker's log directories with each other: a partition must not be in two of them, and
// all belong to one node of one cluster.
func Across(reports []*Report) []Finding {
	var f findings
	where := map[string]*Report{}
	for _, r := range reports {
		if first := reports[0]; r.Identity.ClusterID != "" && first.Identity.ClusterID != "" &&
			(r.Identity.ClusterID != first.Identity.ClusterID || r.Identity.NodeID != first.Identity.NodeID) {
			f.add(Damaged, filepath.Join(r.Path, metaFile), "If they are log directories of one broker, it does not start with both.", "it is of node %d in cluster %s; %s is of node %d in cluster %s",
				r.Identity.NodeID, r.Identity.ClusterID, first.Path, first.Identity.NodeID, first.Identity.ClusterID)
			continue
		}
		for _, name := range r.names {
			if other := where[name]; other != nil {
				f.partition = name
				f.add(Damaged, filepath.Join(r.Path, name), "The broker uses one of the two, Kafka's does not start: move the one away that has less.", "partition %s is also in %s", name, other.Path)
			}
			where[name] = r
		}
	}
	return f.list
}
