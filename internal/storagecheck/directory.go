package storagecheck

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// directory is the check of a log directory's own files.
type directory struct {
	findings
	fsys          vfs.FS
	path          string
	clean         bool
	meta          Identity
	checkpoints   [len(checkpointFiles)]offsets
	badCheckpoint [len(checkpointFiles)]bool
	folders       []kafka.TopicPartition
	topics        *topics
	journalNames  []string
	journal       *journal // that the next start redoes; nil if there is none
	journalLost   bool     // and it cannot be read
}

// Identity is what meta.properties says.
type Identity struct {
	ClusterID   string
	NodeID      int32
	DirectoryID kafka.UUID
}

// read looks at everything but the partitions.
func (d *directory) read() error {
	entries, err := d.fsys.ReadDir(d.path)
	if err != nil {
		return err
	}
	d.readMeta()
	d.readCleanShutdown()
	d.readCheckpoints()
	for _, e := range entries {
		if e.IsDir() {
			d.folder(e.Name())
		} else {
			d.file(e)
		}
	}
	d.readJournal()
	hosted := make(map[kafka.TopicPartition]bool, len(d.folders))
	for _, tp := range d.folders {
		hosted[tp] = true
	}
	for i, o := range d.checkpoints {
		gone := 0
		for tp := range o {
			if !hosted[tp] {
				gone++
			}
		}
		if gone > 0 {
			d.add(Leftover, checkpointFiles[i].name, "The entries go when the file is written anew.", "%d entries are of partitions that are not here", gone)
		}
	}
	return nil
}

func (d *directory) readMeta() {
	content, err := readWhole(d.fsys, filepath.Join(d.path, metaFile), maxTextBytes)
	if errors.Is(err, fs.ErrNotExist) {
		d.add(Damaged, metaFile, "The next start takes the directory for a new one and gives it an id; if the cluster's metadata lies elsewhere, its replicas are assigned to the old id. Restore the file.", "it is missing")
		return
	}
	if err == nil {
		d.meta, err = parseIdentity(string(content))
	}
	if err != nil {
		d.add(Damaged, metaFile, "The broker does not start with it. Restore it from a copy; cluster.id and node.id are the same in the other log directories.", "%v", err)
	}
}

func parseIdentity(text string) (id Identity, err error) {
	if err := checkSumLine(text, "#crc32c="); err != nil {
		return id, err
	}
	values := map[string]string{}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		values[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	if v := values["version"]; v != "1" {
		return id, fmt.Errorf("version is %q, want 1", v)
	}
	if id.ClusterID = values["cluster.id"]; id.ClusterID == "" {
		return id, errors.New("cluster.id is missing")
	}
	node, err := strconv.ParseInt(values["node.id"], 10, 32)
	if err != nil {
		return id, fmt.Errorf("node.id: %w", err)
	}
	id.NodeID = int32(node)
	if text := values["directory.id"]; text != "" {
		if id.DirectoryID, err = kafka.ParseUUID(text); err != nil {
			return id, fmt.Errorf("directory.id: %w", err)
		}
	}
	return id, nil
}

// readCleanShutdown finds out how the last run ended.
func (d *directory) readCleanShutdown() {
	content, err := readWhole(d.fsys, filepath.Join(d.path, cleanShutdownFile), maxTextBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	d.clean = true
	var file struct {
		Version     *int   `json:"version"`
		BrokerEpoch *int64 `json:"brokerEpoch"`
	}
	if err == nil {
		err = json.Unmarshal(content, &file)
	}
	if err == nil && (file.Version == nil || file.BrokerEpoch == nil) {
		err = errors.New("version or brokerEpoch is missing")
	}
	if err != nil {
		d.add(Rebuilt, cleanShutdownFile, "The stop counts as clean; the controller is not told the broker epoch of that run.", "%v", err)
	}
}

// file sorts a file of the directory.
func (d *directory) file(e fs.DirEntry) {
	name := e.Name()
	switch name {
	case lockFile, cleanShutdownFile, metaFile, bootstrapFile, recoveryPointFile, logStartFile, highWatermarkFile, cleanerFile:
		return
	}
	if isJournal(name) {
		d.journalNames = append(d.journalNames, name)
		return
	}
	if what, severity := leftoverOf(name); what != "" {
		d.add(severity, name, "It is left alone, or overwritten when it is needed.", "%s, %d bytes", what, sizeOf(e))
		return
	}
	d.add(Leftover, name, "It is left alone.", "no file of a log directory has this name; it has %d bytes", sizeOf(e))
}

// folder sorts a folder of the directory.
func (d *directory) folder(name string) {
	tp, err := kafka.ParseTopicPartition(name)
	switch {
	case strings.HasSuffix(name, deletedFolderSuffix) && strings.Contains(name, "."):
		d.add(Leftover, name, "The broker removes it.", "a deleted partition with %d bytes", d.sizeBelow(name))
	case strings.HasSuffix(name, futureFolderSuffix):
		d.add(Leftover, name, "It is an unfinished copy from another log directory, which has the partition; the copying goes on or begins anew.", "a partition on its way into this directory, %d bytes", d.sizeBelow(name))
	case strings.HasSuffix(name, strayFolderSuffix):
		d.add(Leftover, name, "It is left alone; remove it by hand if nobody needs it.", "a partition that Kafka found to belong to no topic, %d bytes", d.sizeBelow(name))
	case err != nil || kafka.CheckTopicName(tp.Topic) != nil:
		d.add(Leftover, name, "It is left alone.", "the folder's name is not that of a partition")
	default:
		d.folders = append(d.folders, tp)
	}
}

// sizeBelow is the size of the files in a folder.
func (d *directory) sizeBelow(name string) (size int64) {
	entries, err := d.fsys.ReadDir(filepath.Join(d.path, name))
	if err != nil {
		return 0
	}
	for _, e := range entries {
		size += sizeOf(e)
	}
	return size
}
