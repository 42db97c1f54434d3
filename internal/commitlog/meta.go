package commitlog

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

const (
	metaVersion  = "1"
	metaChecksum = "#crc32c=" // begins a comment of meta.properties
	maxMetaBytes = 1 << 20
)

// ReadMeta returns the identity of a log directory without opening it, e.g. to learn its cluster id before
// the start. found is false if the directory was never used.
func ReadMeta(fsys vfs.FS, path string) (meta Meta, found bool, err error) {
	name := filepath.Join(path, MetaFile)
	content, err := ReadFile(fsys, name, maxMetaBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return Meta{}, false, nil
	}
	if err != nil {
		return Meta{}, false, err
	}
	if err := checkLine(metaChecksum, string(content)); err != nil {
		return Meta{}, false, fmt.Errorf("%s: %w; restore it, or if you edited it remove the line that begins with %s", name, err, metaChecksum)
	}
	meta, err = parseMeta(string(content))
	if err != nil {
		return Meta{}, false, fmt.Errorf("%s: %w", name, err)
	}
	return meta, true, nil
}

func parseMeta(text string) (Meta, error) {
	values := make(map[string]string)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == '!' {
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		values[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	if v := values["version"]; v != metaVersion {
		return Meta{}, fmt.Errorf("version is %q, want %s: this directory was not written by Kafka in KRaft mode, nor by Ottla", v, metaVersion)
	}
	meta := Meta{ClusterID: values["cluster.id"]}
	if meta.ClusterID == "" {
		return Meta{}, errors.New("cluster.id is missing")
	}
	node, err := strconv.ParseInt(values["node.id"], 10, 32)
	if err != nil {
		return Meta{}, fmt.Errorf("node.id: %w", err)
	}
	meta.NodeID = int32(node)
	// Kafka before 3.7 wrote no directory id; such a directory gets one when it is opened.
	if id := values["directory.id"]; id != "" {
		if meta.DirectoryID, err = kafka.ParseUUID(id); err != nil {
			return Meta{}, fmt.Errorf("directory.id: %w", err)
		}
	}
	return meta, nil
}

// openMeta reads the identity, checks it against the options, and writes what is missing.
func openMeta(fsys vfs.FS, path string, o Options) (Meta, error) {
	meta, found, err := ReadMeta(fsys, path)
	if err != nil {
		return Meta{}, err
	}
	if found {
		if o.ClusterID != "" && meta.ClusterID != o.ClusterID {
			return Meta{}, kafka.Errorf(kafka.InconsistentClusterID, "The Cluster ID %s doesn't match stored clusterId %s in %s", o.ClusterID, meta.ClusterID, filepath.Join(path, MetaFile))
		}
		if meta.NodeID != o.NodeID {
			return Meta{}, fmt.Errorf("stored node id %d doesn't match previous node id %d in %s: if you moved your data, make sure your configured node.id matches; if you intend to create a new node, remove all data in log.dirs", o.NodeID, meta.NodeID, filepath.Join(path, MetaFile))
		}
		if !meta.DirectoryID.IsZero() {
			return meta, nil
		}
	} else {
		meta = Meta{ClusterID: o.ClusterID, NodeID: o.NodeID}
		if meta.ClusterID == "" {
			meta.ClusterID = kafka.NewUUID().String()
		}
	}
	meta.DirectoryID = kafka.NewUUID()
	return meta, WriteMeta(fsys, path, meta, "")
}

// WriteMeta gives a log directory its identity, durably. The comment is for people; it has one line.
func WriteMeta(fsys vfs.FS, path string, meta Meta, comment string) error {
	text := fmt.Sprintf("#%s\ncluster.id=%s\ndirectory.id=%s\nnode.id=%d\nversion=%s\n", comment, meta.ClusterID, meta.DirectoryID, meta.NodeID, metaVersion)
	return ReplaceFile(fsys, filepath.Join(path, MetaFile), []byte(checksumLine(metaChecksum, text)+text))
}
